"""Signals that come in the last turn of a blocking call of the program: the host tells them after that turn."""

import asyncio
import signal
import unittest

import asyncio_streams  # noqa: F401

from . import host

INT, TERM = signal.SIGINT, signal.SIGTERM


class LastTurn(unittest.TestCase):
    def setUp(self):
        made = host.component(signals=True)
        self.host = made.__enter__()
        self.addCleanup(made.__exit__, None, None, None)
        for number in (INT, TERM):
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        signal.signal(INT, signal.default_int_handler)

    def outcome(self, call):
        """Makes a blocking call of the program; returns its result or its exception."""
        found = []

        async def program():
            # The top level of a program is no task.
            asyncio._unregister_task(asyncio.current_task())
            try:
                found.append(await call())
            except BaseException as reason:
                found.append(reason)

        self.assertTrue(self.host.call(program()).returned)
        return found[0]

    def run_main(self, coroutine):
        """Runs `asyncio.run`."""
        from asyncio_streams import _running

        return self.outcome(lambda: _running.blocking()[_running.run](coroutine))

    async def last(self, number, result=None, error=None, rounds=1):
        """Ends in the turn in which a signal comes."""
        for _ in range(rounds):
            await asyncio.sleep(0)
        self.host.send(number)
        if error is not None:
            raise error
        return result

    def test_an_interrupt_cancels_the_main_task_that_has_ended(self):
        reason = self.run_main(self.last(INT, "lost"))
        self.assertIsInstance(reason, KeyboardInterrupt)
        self.assertIsInstance(reason.__context__, asyncio.CancelledError)
        self.assertIs(signal.getsignal(INT), signal.default_int_handler)
        self.assertEqual(self.run_main(asyncio.sleep(0, "it runs again")), "it runs again")

    def test_an_exception_of_the_main_task_wins(self):
        # As by asyncio.Runner: a task that fails is not cancelled.
        error = ValueError("its own")
        self.assertIs(self.run_main(self.last(INT, error=error)), error)

    def test_a_main_task_that_cancels_itself_is_interrupted(self):
        self.assertIsInstance(self.run_main(self.last(INT, error=asyncio.CancelledError())), KeyboardInterrupt)

    def test_a_loop_without_a_runner_is_interrupted(self):
        from asyncio_streams import _running

        until_complete = _running.blocking()[type(self.host.loop).run_until_complete]
        reason = self.outcome(lambda: until_complete(self.host.loop, self.last(INT)))
        self.assertIsInstance(reason, KeyboardInterrupt)

    def test_a_runner_is_interrupted_and_runs_again(self):
        from asyncio_streams import _running

        run = _running.blocking()[_running.Runner.run]
        with _running.Runner() as runner:
            self.assertIsInstance(self.outcome(lambda: run(runner, self.last(INT))), KeyboardInterrupt)
            self.assertEqual(self.outcome(lambda: run(runner, asyncio.sleep(0, "again"))), "again")

    def test_a_handler_is_called_before_the_call_returns(self):
        seen = []
        signal.signal(TERM, lambda number, frame: seen.append(number))
        self.assertEqual(self.run_main(self.last(TERM, "done")), "done")
        self.assertEqual(seen, [TERM])

    def test_the_exception_of_a_handler_is_raised(self):
        def fail(number, frame):
            raise ValueError("of the handler")

        signal.signal(TERM, fail)
        self.assertIsInstance(self.run_main(self.last(TERM)), ValueError)

    def test_other_tasks_get_no_turn_meanwhile(self):
        steps = []

        async def work():
            while True:
                steps.append(len(steps))
                await asyncio.sleep(0)

        async def main():
            task = asyncio.create_task(work())
            await self.last(INT)
            steps.clear()
            return task

        self.assertIsInstance(self.run_main(main()), KeyboardInterrupt)
        # As many as without signals: one in the turn in which the main task ends, one in the turn that tells the program.
        self.assertEqual(len(steps), 2)

    def test_the_signal_is_told_while_other_tasks_are_always_ready(self):
        async def work():
            while True:
                await asyncio.sleep(0)

        async def main(rounds):
            task = asyncio.create_task(work())
            await self.last(INT, rounds=rounds)
            return task

        # The end is in each round of a turn, and in turns after a yield and after an event.
        for rounds in range(1, 70):
            with self.subTest(rounds=rounds):
                reason = self.run_main(main(rounds))
                self.assertIsInstance(reason, KeyboardInterrupt)
                # It came in the run of the main task, and not in that which cancels the other one.
                self.assertIsInstance(reason.__context__, asyncio.CancelledError)
