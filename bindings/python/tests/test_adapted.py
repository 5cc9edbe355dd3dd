"""Packages that start threads themselves, tested without a component."""

import asyncio
import contextlib
import types
import unittest

from asyncio_streams import _adapted


class Anyio(unittest.TestCase):
    def test_worker_threads_become_calls_of_to_thread(self):
        said = []

        class Limiter:
            async def __aenter__(self):
                said.append("limited")

            async def __aexit__(self, *reason):
                said.append("free")

        @contextlib.contextmanager
        def scope(*, shield):
            said.append(f"shield {shield}")
            yield

        class AsyncIOBackend:
            @classmethod
            async def checkpoint(cls):
                said.append("checkpoint")

            @classmethod
            def current_default_thread_limiter(cls):
                return Limiter()

            @classmethod
            async def run_sync_in_worker_thread(cls, func, args, abandon_on_cancel=False, limiter=None):
                raise RuntimeError("a thread")

        module = types.ModuleType("anyio._backends._asyncio")
        module.AsyncIOBackend, module.CancelScope = AsyncIOBackend, scope
        _adapted.adapt(module)
        self.assertEqual(asyncio.run(AsyncIOBackend.run_sync_in_worker_thread(max, (1, 2))), 2)
        self.assertEqual(said, ["checkpoint", "limited", "shield True", "free"])
        with self.assertRaises(ZeroDivisionError):
            asyncio.run(AsyncIOBackend.run_sync_in_worker_thread(lambda: 1 / 0, (), True))

    def test_other_modules_and_versions_are_unchanged(self):
        for name in ("anyio._backends._asyncio", "other"):
            module = types.ModuleType(name)
            before = dict(vars(module))
            _adapted.adapt(module)
            self.assertEqual(vars(module), before)


if __name__ == "__main__":
    unittest.main()
