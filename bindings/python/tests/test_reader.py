"""The package's StreamReader beside asyncio's: the recorded traces, and random programs on both."""

import asyncio
import asyncio.streams
import json
import random
import sys
import unittest
from pathlib import Path

from asyncio_streams._reader import StreamReader

VECTORS = Path(__file__).resolve().parents[3] / "tests" / "vectors" / "streamreader.json"
# Several separators at once are new in Python 3.13.
SEVERAL = sys.version_info >= (3, 13)
SEPARATORS = (b"\n", b"\r\n", b"ab", b"", *([(b"\n", b"\r\n"), (b"b", b"ab"), (), (b"",)] if SEVERAL else []))


class Transport:
    """Records the calls of a reader."""

    def __init__(self):
        self.calls = []

    def pause_reading(self):
        self.calls.append("pause")

    def resume_reading(self):
        self.calls.append("resume")


def outcome(task):
    """Returns the result of a read in a comparable form."""
    if not task.done():
        return "pending"
    if task.cancelled():
        return "cancelled"
    error = task.exception()
    if error is None:
        return task.result()
    return type(error).__name__, str(error), getattr(error, "partial", None), getattr(error, "consumed", None)


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


def expected(result):
    """Returns a recorded result in that form, as far as it was recorded."""
    if "ok" in result:
        return bytes.fromhex(result["ok"])
    return result["err"]


def kind(found):
    """Returns the recorded kind of error for a result of `outcome`."""
    if not isinstance(found, tuple):
        return found
    names = {
        "LimitOverrunError": "limit-overrun",
        "IncompleteReadError": "incomplete",
        "ConnectionResetError": "stream-exception",
        "RuntimeError": "busy",
        "ValueError": "value",
    }
    return names[found[0]]


class Vectors(unittest.IsolatedAsyncioTestCase):
    async def test_every_recorded_trace(self):
        cases = json.loads(VECTORS.read_text())
        cases = cases["cases"] if isinstance(cases, dict) else cases
        cases = [case for case in cases if SEVERAL or not any(isinstance(step.get("a"), list) for step in case["steps"])]
        for number, case in enumerate(cases):
            with self.subTest(case=number):
                await self.replay(case)
        self.assertGreater(len(cases), 200)

    async def replay(self, case):
        reader = StreamReader(limit=case["limit"])
        transport = Transport()
        reader.set_transport(transport)
        pending = None
        for step in case["steps"]:
            transport.calls.clear()
            op, argument = step["op"], step.get("a")
            task = None
            if op == "feed":
                reader.feed_data(bytes.fromhex(argument))
            elif op == "eof":
                reader.feed_eof()
            elif op == "exc":
                reader.set_exception(ConnectionResetError("reset"))
            elif op == "cancel":
                pending.cancel()
            else:
                name = "readline" if op == "readline-while-pending" else op
                arguments = [argument] if argument is not None and name in ("read", "readexactly") else []
                if name == "readuntil":
                    arguments = [
                        tuple(map(bytes.fromhex, argument)) if isinstance(argument, list) else bytes.fromhex(argument)
                    ]
                task = asyncio.ensure_future(getattr(reader, name)(*arguments))
            await settle()
            if pending is not None and pending.done() and step.get("done") is not None:
                want = step["done"]
                self.assertEqual(kind(outcome(pending)), "cancelled" if want == "cancelled" else expected(want), step)
                pending = None
            if task is not None:
                now = step["now"]
                if now == "pending":
                    self.assertFalse(task.done(), step)
                    pending = task
                else:
                    self.assertEqual(kind(outcome(task)), expected(now), step)
            self.assertEqual(bytes(reader._buffer), bytes.fromhex(step["buf"]), step)
            self.assertEqual(reader.at_eof(), step["eof"], step)
            self.assertEqual(reader._paused, step["paused"], step)
            self.assertEqual(transport.calls, step.get("tr", []), step)
        if pending is not None:
            pending.cancel()
            await settle()


class BesideAsyncio(unittest.IsolatedAsyncioTestCase):
    async def test_random_programs_do_the_same_on_both(self):
        for seed in range(60):
            with self.subTest(seed=seed):
                ours = await self.program(StreamReader, random.Random(seed))
                stock = await self.program(asyncio.streams.StreamReader, random.Random(seed))
                self.assertEqual(ours, stock)

    async def test_random_programs_that_read_many_lines(self):
        for seed in range(60):
            with self.subTest(seed=seed):
                ours = await self.program(StreamReader, random.Random(seed), lines=True)
                stock = await self.program(asyncio.streams.StreamReader, random.Random(seed), lines=True)
                self.assertEqual(ours, stock)

    async def program(self, kind_of_reader, chance, lines=False):
        reader = kind_of_reader(limit=chance.choice((1, 3, 8, 100)))
        transport = Transport()
        reader.set_transport(transport)
        trace = []
        tasks = []
        for _ in range(40):
            what = chance.randrange(10)
            data = bytes(chance.choice(b"ab\r\n") for _ in range(chance.randrange(20)))
            if lines:
                data = data * 3 + b"\n" * chance.randrange(9)
            if what < 4:
                if not reader._eof:
                    reader.feed_data(data)
            elif what == 4 and chance.random() < 0.1:
                reader.feed_eof()
            elif what == 5 and chance.random() < 0.05:
                reader.set_exception(ConnectionResetError("reset"))
            elif what == 6 and tasks:
                tasks[-1].cancel()
            else:
                name = chance.choice(("read", "readline", "readexactly", "readuntil", "next"))
                if lines and chance.random() < 0.8:
                    for _ in range(chance.randrange(12)):
                        tasks.append(asyncio.ensure_future(reader.readline()))
                if name == "readuntil":
                    made = reader.readuntil(chance.choice(SEPARATORS))
                elif name in ("readline", "next"):
                    made = reader.readline()
                else:
                    made = getattr(reader, name)(chance.randrange(-1, 12))
                tasks.append(asyncio.ensure_future(made))
            await settle()
            trace.append((bytes(reader._buffer), reader._eof, reader.at_eof(), reader._paused, list(transport.calls)))
        trace.append([outcome(task) for task in tasks])
        for task in tasks:
            task.cancel()
        await settle()
        return trace


class Iterating(unittest.IsolatedAsyncioTestCase):
    async def lines(self, data, limit=1 << 16):
        reader = StreamReader(limit=limit)
        reader.feed_data(data)
        reader.feed_eof()
        return [line async for line in reader]

    async def test_returns_every_line_and_the_rest(self):
        data = b"".join(b"%d\r%s\n" % (number, b"x" * (number % 300)) for number in range(3000)) + b"rest"
        found = await self.lines(data)
        self.assertEqual(
            found,
            data.splitlines(True) if b"\r" not in data else [*[x + b"\n" for x in data[:-5].split(b"\n")], b"rest"],
        )
        self.assertEqual(await self.lines(b""), [])
        self.assertEqual(await self.lines(b"\n\n"), [b"\n", b"\n"])

    async def test_a_line_over_the_limit_raises_readlines_error(self):
        reader = StreamReader(limit=4)
        reader.feed_data(b"ab\nabcdef\nxy\n")
        reader.feed_eof()
        found = []
        with self.assertRaisesRegex(ValueError, "chunk is longer than limit"):
            async for line in reader:
                found.append(line)
        self.assertEqual(found, [b"ab\n"])
        self.assertEqual([line async for line in reader], [b"xy\n"])

    async def test_lines_that_were_not_returned_stay(self):
        reader = StreamReader()
        reader.feed_data(b"1\n2\n3\n4\nrest")
        async for line in reader:
            if line == b"2\n":
                break
        self.assertEqual(repr(reader), "<StreamReader 8 bytes>")
        self.assertEqual(await reader.readline(), b"3\n")
        self.assertEqual(await reader.readexactly(3), b"4\nr")
        self.assertFalse(reader.at_eof())

    async def test_others_may_read_and_feed_in_between(self):
        reader = StreamReader()
        reader.feed_data(b"1\n2\n3\n")
        found = []
        async for line in reader:
            found.append(line)
            if line == b"1\n":
                self.assertEqual(await reader.readline(), b"2\n")
                reader.feed_data(b"4\n5")
            if line == b"4\n":
                reader.feed_data(b"\n")
                reader.feed_eof()
        self.assertEqual(found, [b"1\n", b"3\n", b"4\n", b"5\n"])
        self.assertTrue(reader.at_eof())

    async def test_an_exception_hides_the_rest(self):
        reader = StreamReader()
        reader.feed_data(b"1\n2\n3\n")
        found = []
        with self.assertRaises(ConnectionResetError):
            async for line in reader:
                found.append(line)
                reader.set_exception(ConnectionResetError("reset"))
        self.assertEqual(found, [b"1\n"])

    async def test_a_paused_transport_resumes(self):
        reader = StreamReader(limit=8)
        transport = Transport()
        reader.set_transport(transport)
        reader.feed_data(b"1234\n" * 4)
        self.assertEqual(transport.calls, ["pause"])
        lines = aiter(reader)
        self.assertIs(lines, reader)
        for _ in range(4):
            self.assertEqual(await anext(lines), b"1234\n")
        waiting = asyncio.ensure_future(anext(lines))
        await settle()
        self.assertEqual(transport.calls, ["pause", "resume"])
        reader.feed_data(b"5\n")
        self.assertEqual(await waiting, b"5\n")


if __name__ == "__main__":
    unittest.main()
