"""Calls of exports that are active at the same time, and one after the other: each wait belongs to one of them."""

import asyncio
import unittest

import asyncio_streams  # noqa: F401

from . import host


class Exports(unittest.TestCase):
    def setUp(self):
        made = host.component()
        self.host = made.__enter__()
        self.addCleanup(made.__exit__, None, None, None)
        self.loop = self.host.loop

    def watched(self):
        """Returns a future that an event of the watch sets, and the key of the event."""
        future = self.loop.create_future()
        watching = self.loop.watching

        def called():
            watching.remove(key)
            future.set_result(None)

        key = watching.add(1, watching.readable, called)
        return future, key

    async def wait(self, keys):
        """Waits for an event of the watch, and appends its key."""
        future, key = self.watched()
        keys.append(key)
        await future

    def test_a_wait_passes_to_another_call_when_its_own_returns(self):
        keys, order = [], []

        async def export(name):
            await self.wait(keys)
            order.append(name)

        first = self.host.call(export("first"))
        second = self.host.call(export("second"))
        third = self.host.call(export("third"))
        # The wait began in the first call, and passes on twice.
        for key, name in zip(keys, ("first", "second", "third"), strict=True):
            self.host.fire(key)
            self.assertEqual(order[-1], name)
        self.assertTrue(first.returned and second.returned and third.returned)

    def test_a_call_without_the_wait_returns_first(self):
        keys = []
        first, second = self.host.call(self.wait(keys)), self.host.call(self.wait(keys))
        self.host.fire(keys[1])
        self.assertEqual((first.returned, second.returned), (False, True))
        self.host.fire(keys[0])
        self.assertTrue(first.returned)

    def test_the_next_call_takes_over_the_waits_of_the_last_one(self):
        background = []

        async def work(future):
            await future
            background.append("done")

        async def begin():
            future, key = self.watched()
            background.append(self.loop.create_task(work(future)))
            return key

        async def export():
            await background[0]

        self.assertTrue(self.host.call(begin()).returned)
        waiting = self.host.call(export())
        self.assertFalse(waiting.returned)
        self.host.fire(1)
        self.assertEqual(background[1:], ["done"])
        self.assertTrue(waiting.returned)

    def test_a_task_of_a_returned_call_continues_in_the_others(self):
        order = []
        gates = [self.loop.create_future() for _ in range(3)]

        async def work():
            for gate in gates:
                await gate
                order.append("work")

        async def begin():
            order.append(self.loop.create_task(work()))

        async def export():
            future, key = self.watched()
            order.append(key)
            await future
            gates[len(done)].set_result(None)
            done.append(None)

        done = []
        self.host.call(begin())
        calls = [self.host.call(export()) for _ in gates]
        for key in order[1:]:
            self.host.fire(key)
        self.assertEqual(order[4:], ["work"] * 3)
        self.assertTrue(all(call.returned for call in calls))

    def test_ready_callbacks_of_the_last_call_run_in_the_next(self):
        rounds = []

        async def work():
            # More rounds than the loop runs before the host gets a turn.
            for _ in range(100):
                rounds.append(None)
                await asyncio.sleep(0)

        async def begin():
            rounds.append(self.loop.create_task(work()))

        async def export():
            await rounds[0]

        self.assertTrue(self.host.call(begin()).returned)
        self.assertLess(len(rounds), 101)
        self.assertTrue(self.host.call(export()).returned)
        self.assertEqual(len(rounds), 101)

    def test_a_turn_of_the_host_that_a_returned_call_wanted_comes(self):
        order = []

        async def work(future):
            await future
            await self.loop.exports.host_turn()
            order.append("turned")

        async def begin():
            future, key = self.watched()
            self.loop.create_task(work(future))
            order.append(key)

        async def export():
            future, key = self.watched()
            order.append(key)
            await future

        self.host.call(begin())
        ending, other = self.host.call(export()), self.host.call(export())
        self.host.fire(order[0], order[1])
        self.assertTrue(ending.returned)
        self.assertEqual(order[3:], ["turned"])
        self.host.fire(order[2])
        self.assertTrue(other.returned)

    def test_a_call_continues_when_its_caller_cancels_it(self):
        keys = []
        call = self.host.call(self.wait(keys))
        call.deliver(host.CANCELLED, 0, 0)
        self.assertFalse(call.returned)
        self.host.fire(keys[0])
        self.assertTrue(call.returned)

    def test_a_server_is_waited_for_by_the_call(self):
        watching = self.loop.watching
        keys = []

        async def serve():
            keys.append(watching.add(1, watching.connection, lambda: None))
            await self.wait(keys)

        self.host.call(serve())
        self.assertEqual(len(keys), 2)
        for key in keys:
            self.assertNotEqual(self.host.watches[key], self.host.reporter)

    def test_many_events_are_waited_for_by_two_watches(self):
        keys = []
        calls = [self.host.call(self.wait(keys)) for _ in range(7)]
        self.assertEqual(len(set(self.host.watches.values())), 2)
        # One of each watch, two of each at once, and the others.
        for fired in ((keys[0],), (keys[6],), (keys[1], keys[2], keys[4], keys[5]), (keys[3],)):
            self.host.fire(*fired)
            done = [key for key, call in zip(keys, calls, strict=True) if call.returned]
            self.assertLessEqual(set(fired), set(done))
        self.assertEqual(self.host.watches, {})
        # All places of the watch that reports are free again.
        again = self.host.call(self.wait(keys))
        self.assertEqual(self.host.watches[keys[7]], self.host.reporter)
        self.host.fire(keys[7])
        self.assertTrue(again.returned)

    def test_a_call_that_waits_for_nothing_outlasts_others(self):
        gate = self.loop.create_future()

        async def wait():
            await gate

        async def open_it():
            gate.set_result(None)

        waiting = self.host.call(wait())
        self.assertFalse(waiting.returned)
        self.assertTrue(self.host.call(open_it()).returned)
        self.assertTrue(waiting.returned)
