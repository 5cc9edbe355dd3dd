"""Functions of `os` about processes, which a component does not have."""

import os
import signal
import types
import unittest
from unittest import mock

from asyncio_streams import _bindings, _system


class Processes(unittest.TestCase):
    def setUp(self):
        self.statuses = []
        self.os = types.SimpleNamespace(getpid=lambda: 42, _exit=os._exit, abort=os.abort)
        host = types.SimpleNamespace(exit_with_code=self.statuses.append)
        for patch in (
            mock.patch.object(_bindings, "cli", return_value=host),
            mock.patch.object(_system, "os", self.os),
        ):
            patch.start()
            self.addCleanup(patch.stop)
        _system.install()

    def test_the_component_ends_with_the_status_of_the_program(self):
        for status in (3, 256 + 4, -1):
            self.os._exit(status)
        self.os.abort()
        self.assertEqual(self.statuses, [3, 4, 255, 134])

    def test_signals_reach_only_the_component_itself(self):
        with mock.patch.object(signal, "raise_signal") as raised:
            self.os.kill(42, 0)
            self.os.kill(42, signal.SIGTERM)
            for pid in (0, 1, -42):
                with self.assertRaisesRegex(ProcessLookupError, "a component sees none"):
                    self.os.kill(pid, signal.SIGTERM)
        raised.assert_called_once_with(signal.SIGTERM)

    def test_missing_functions_are_explained(self):
        for name, text in (
            ("fork", "starts no processes"),
            ("pipe", "socketpair"),
            ("getuid", "no users"),
            ("getppid", "'getppid': a component sees no process besides itself$"),
            ("x", "'x'$"),
        ):
            with self.assertRaisesRegex(AttributeError, text) as missing:
                self.os.__getattr__(name)
            self.assertEqual(missing.exception.name, name)


if __name__ == "__main__":
    unittest.main()
