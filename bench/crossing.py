"""Measures what 64 KiB cost between Python and the component of the streams; runs inside a component.

    asyncio-streams run --allow-network bench/crossing.py

Each time is the least of several hundred, so a busy machine changes little.
"""

import asyncio
import time

import componentize_py_runtime as runtime
from asyncio_streams._calls import Call

SIZE = 1 << 16
TIMES = 300


class Paused(asyncio.Protocol):
    def connection_made(self, transport):
        transport.pause_reading()


async def endless(reader, writer):
    try:
        while True:
            writer.write(bytes(SIZE * 16))
            await writer.drain()
    except ConnectionError:
        pass


def least(times, call):
    """Returns the shorter of the time of a call and of those before, and the call's result."""
    start = time.perf_counter()
    result = call()
    return min(times, time.perf_counter() - start), result


async def main():
    server = await asyncio.start_server(endless, "127.0.0.1", 0)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(Paused, *server.sockets[0].getsockname())
    watching, reader = loop.watching, transport._reader
    number, writer = watching.of_reader(reader), watching.of_writer(transport._writer)
    by_number = by_call = out = 1.0

    async def received():
        future = loop.create_future()
        key = watching.add(number, watching.readable_after(SIZE - 1), lambda: future.done() or future.set_result(None))
        await future
        watching.remove(key)

    for _ in range(TIMES):
        await received()
        by_number, result = least(by_number, lambda: runtime.call_import(watching.try_read, [number, SIZE]))
        assert len(result.value) == SIZE
        await received()
        results = []
        by_call, _ = least(by_call, lambda: Call(reader.read(SIZE), lambda *result: results.append(result)).start())
        assert len(results[0][0]) == SIZE
    data = bytes(SIZE)
    for _ in range(TIMES):
        out, _ = least(out, lambda: runtime.call_import(watching.write, [writer, data]))
    print("µs for 64 KiB")
    for name, seconds in (
        ("to Python by number", by_number),
        ("to Python by an async call", by_call),
        ("from Python by number", out),
    ):
        print(f"{name:28} {seconds * 1e6:6.0f}")
    transport.abort()
    server.close()


asyncio.run(main())
