"""The two watches of Python's loop."""

import unittest

import asyncio_streams  # noqa: F401

from . import host


class Watching(unittest.TestCase):
    def setUp(self):
        made = host.component()
        self.host = made.__enter__()
        self.addCleanup(made.__exit__, None, None, None)

    def test_events_in_every_turn_do_not_keep_the_other_watch_from_waiting(self):
        watching = self.host.loop.watching
        ended, keys, waited = self.host.loop.create_future(), [], []

        def flood():
            waited.append(self.host.waiting is not None)
            if len(waited) == 300:
                self.host.always = []

        async def main():
            keys.extend(watching.add(1, watching.readable, flood) for _ in range(4))
            self.host.always = keys[:4]
            keys.append(watching.add(1, watching.readable, lambda: ended.set_result(None)))
            await ended
            for key in keys:
                watching.remove(key)

        called = self.host.call(main())
        self.assertTrue(waited[-1], "nothing waits for the fifth event")
        self.host.fire(keys[-1])
        self.assertTrue(called.returned)


if __name__ == "__main__":
    unittest.main()
