"""When written bytes leave before the end of the loop's turn: a reader that begins to wait sends them."""

import asyncio
import contextlib
import importlib
import unittest

import asyncio_streams  # noqa: F401

from . import host


class EarlySends(unittest.TestCase):
    def setUp(self):
        made = host.component()
        self.host = made.__enter__()
        self.addCleanup(made.__exit__, None, None, None)
        self.loop = self.host.loop
        self.watching = self.loop.watching
        self.Reader = importlib.import_module("asyncio_streams._reader").StreamReader
        self.keys = []
        self.readers = []
        # How often something was sent before each write.
        self.sent_before = []

    def tearDown(self):
        # Ends the reads, with another turn of the loop.
        for reader in self.readers:
            reader.feed_eof()
        self.event()
        self.host.fire(self.keys[-1])

    def event(self):
        """Returns a future for an event of the watch, whose key it appends."""
        future = self.loop.create_future()
        key = self.watching.add(1, self.watching.readable, lambda: future.set_result(None))
        self.keys.append(key)
        return future

    async def answer(self, event, read, *arguments, writes=True):
        """Waits for an event, answers it, and reads."""
        reader = self.Reader(loop=self.loop)
        self.readers.append(reader)
        await event
        self.sent_before.append(self.host.kicks)
        # As a write by number does.
        self.watching.written = writes
        with contextlib.suppress(asyncio.IncompleteReadError):
            await getattr(reader, read)(*arguments)

    async def answers(self, *events):
        """Answers several events, each in a task of its own."""
        await asyncio.gather(*(self.answer(event, "read", 1) for event in events))

    def test_every_read_that_waits_sends_first(self):
        reads = (("read", 1), ("read",), ("readexactly", 1), ("readline",), ("readuntil", b"\r\n"))
        for count, read in enumerate(reads, 1):
            with self.subTest(read=read):
                self.host.call(self.answer(self.event(), *read))
                self.host.fire(self.keys[0])
                self.watching.remove(self.keys.pop())
                self.assertEqual(self.host.kicks, count)
                self.assertFalse(self.watching.written)

    def test_without_a_write_nothing_is_sent(self):
        self.host.call(self.answer(self.event(), "read", 1, writes=False))
        self.host.fire(self.keys[0])
        self.assertEqual(self.host.kicks, 0)
        self.assertFalse(self.watching.may_send, "the next turn has another reason")

    def test_several_events_share_the_send_at_the_end_of_the_turn(self):
        self.host.call(self.answers(self.event(), self.event()))
        self.host.fire(*self.keys)
        self.assertEqual(self.host.kicks, 0)
        self.assertFalse(self.watching.written)

    def test_a_message_of_two_callbacks_leaves_as_one(self):
        event = self.event()
        self.host.call(self.answers(event, event))
        self.host.fire(self.keys[0])
        self.assertEqual(self.host.kicks, 0)
        self.assertFalse(self.watching.written)

    def test_a_message_of_a_task_and_the_one_that_it_wakes_leaves_as_one(self):
        woken = asyncio.Event()

        async def wake(event):
            await event
            woken.set()
            await self.answer(event, "read", 1)

        async def both(event):
            await asyncio.gather(wake(event), self.answer(asyncio.ensure_future(woken.wait()), "read", 1))

        self.host.call(both(self.event()))
        self.host.fire(self.keys[0])
        self.assertEqual((self.sent_before, self.host.kicks), ([0, 0], 1))
        self.assertFalse(self.watching.written)

    def test_beside_the_waiting_watch_nothing_is_sent_early(self):
        # A server, for example: its events are waited for by the call.
        self.watching.add(1, self.watching.connection, lambda: None)
        self.host.call(self.answer(self.event(), "read", 1))
        self.assertNotEqual(self.host.watches[self.keys[0]], self.host.reporter)
        self.host.fire(self.keys[0])
        self.assertEqual(self.host.kicks, 0)
