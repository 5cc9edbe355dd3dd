"""A client of redis, with pipelining: many requests are sent before the first answer is read.

    redis_client.py HOST PORT
"""

import asyncio
import hashlib
import sys


class RedisError(Exception):
    """An answer of the server that begins with ``-``."""


class Redis:
    def __init__(self, reader, writer):
        self._reader, self._writer = reader, writer

    @classmethod
    async def connect(cls, host, port):
        return cls(*await asyncio.open_connection(host, port))

    async def call(self, *words):
        (answer,) = await self.pipeline([words])
        if isinstance(answer, RedisError):
            raise answer
        return answer

    async def pipeline(self, requests):
        """Returns all answers, errors among them as values. Answers are read while requests are still being sent."""

        async def send():
            for words in requests:
                self._writer.write(encode(words))
                await self._writer.drain()

        async with asyncio.TaskGroup() as group:
            group.create_task(send())
            return [await self._answer() for _ in requests]

    async def _answer(self):
        line = await self._reader.readuntil(b"\r\n")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return RedisError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            if rest == b"-1":
                return None
            return (await self._reader.readexactly(int(rest) + 2))[:-2]
        if kind == b"*":
            return [await self._answer() for _ in range(int(rest))]
        raise RedisError(f"not an answer: {line!r}")

    async def close(self):
        self._writer.close()
        await self._writer.wait_closed()


def encode(words):
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        word = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(word), word))
    return b"".join(parts)


def digest(data):
    return hashlib.sha256(data).hexdigest()[:16]


async def main(host, port):
    redis = await Redis.connect(host, int(port))
    print("FLUSHALL", await redis.call("FLUSHALL"))
    print("PING", await redis.call("PING"))

    answers = await redis.pipeline([("SET", f"key:{n}", n * n) for n in range(2000)])
    print("2000 SET", set(answers))
    answers = await redis.pipeline([("GET", f"key:{n}") for n in range(2000)])
    print("2000 GET", sum(map(int, answers)))

    mixed = [("INCR", "counter"), ("LPUSH", "key:1", "x"), ("GET", "nothing"), ("RPUSH", "list", "a", "b", "c")]
    for words, answer in zip(mixed, await redis.pipeline([*mixed]), strict=True):
        shown = f"error {str(answer).split()[0]}" if isinstance(answer, RedisError) else answer
        print(words[0], shown)
    print("LRANGE", await redis.call("LRANGE", "list", 0, -1))

    large = bytes(range(256)) * (1 << 14)
    print("SET", len(large), await redis.call("SET", "large", large))
    back = await redis.call("GET", "large")
    print("GET", len(back), digest(back) == digest(large))

    try:
        await redis.call("NONSENSE")
    except RedisError as error:
        print("NONSENSE", str(error).split(",")[0].split()[0])

    # Ten connections at once.
    async def one(number):
        mine = await Redis.connect(host, int(port))
        counted = await mine.pipeline([("INCRBY", f"of:{number}", number)] * 100)
        await mine.close()
        return counted[-1]

    print("ten", await asyncio.gather(*(one(number) for number in range(10))))
    await redis.close()


asyncio.run(main(*sys.argv[1:]))
