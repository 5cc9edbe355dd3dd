"""Functions for threads without threads, on the machine's own loop."""

import asyncio
import concurrent.futures
import contextvars
import unittest

from asyncio_streams import _executor


class Loop(_executor.Inline, asyncio.SelectorEventLoop):
    def _call_outside(self, func, args):
        return func(*args)


class Executor(unittest.TestCase):
    def setUp(self):
        self.loop = Loop()
        self.addCleanup(self.loop.close)

    def run_(self, coroutine):
        return self.loop.run_until_complete(coroutine)

    def test_the_function_runs_at_once_and_its_result_arrives_in_the_next_turn(self):
        async def main():
            said = []
            future = self.loop.run_in_executor(None, said.append, 1)
            self.assertEqual((said, future.done()), ([1], False))
            await asyncio.sleep(0)
            self.assertTrue(future.done())
            return await asyncio.to_thread(int, "12", base=3)

        self.assertEqual(self.run_(main()), 5)

    def test_context_variables_are_those_of_a_thread(self):
        variable = contextvars.ContextVar("variable", default="none")

        async def main():
            variable.set("the task's")
            found = [await self.loop.run_in_executor(None, variable.get), await asyncio.to_thread(variable.get)]
            await self.loop.run_in_executor(None, variable.set, "the function's")
            return [*found, variable.get()]

        self.assertEqual(self.run_(main()), ["none", "the task's", "the task's"])

    def test_an_exception_is_stored_in_the_future(self):
        async def main(error):
            def fail():
                raise error

            await self.loop.run_in_executor(None, fail)

        for error in (ValueError("x"), SystemExit(3)):
            with self.assertRaises(type(error)):
                self.run_(main(error))

    def test_a_refusal_names_the_option(self):
        self.loop.inline_executor = False

        async def main():
            await asyncio.to_thread(int)

        with self.assertRaisesRegex(NotImplementedError, "--executor refuse"):
            self.run_(main())

    def test_pools_are_not_used_and_must_be_open(self):
        async def main(pool):
            return await self.loop.run_in_executor(pool, len, "abc")

        pool = concurrent.futures.ThreadPoolExecutor(max_workers=1)
        self.assertEqual(self.run_(main(pool)), 3)
        self.assertEqual(len(pool._threads), 0)
        pool.shutdown()
        with self.assertRaisesRegex(RuntimeError, "after shutdown"):
            self.run_(main(pool))
        self.run_(self.loop.shutdown_default_executor())
        with self.assertRaisesRegex(RuntimeError, "after shutdown"):
            self.run_(main(None))


if __name__ == "__main__":
    unittest.main()
