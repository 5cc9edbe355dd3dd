"""The errors of `python -m asyncio_streams.build`, and `install()` outside a component."""

import contextlib
import io
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import asyncio_streams
from asyncio_streams import build
from asyncio_streams._command import tools


class Build(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def fail(self, source, *arguments, path=""):
        """Builds an impossible program; returns the message."""
        program = self.folder / "prog.py"
        if source is not None:
            program.write_bytes(source)
        said = io.StringIO()
        with contextlib.redirect_stderr(said), mock.patch.dict(os.environ, PATH=path):
            status = build.main([str(program), "-o", str(self.folder / "out.wasm"), *arguments])
        self.assertEqual(status, 1)
        self.assertFalse((self.folder / "out.wasm").exists())
        return said.getvalue()

    def test_a_missing_or_invalid_program(self):
        self.assertIn("cannot read", self.fail(None))
        self.assertRegex(self.fail(b"x = 1\ndef f(:\n"), r"prog\.py:2: ")
        self.assertRegex(self.fail(b"\xff\xfe"), r"prog\.py:1: .*unicode")
        self.assertRegex(self.fail(b"x = 1\nreturn\n"), r"prog\.py:2: 'return' outside function")

    def test_missing_tools_and_files(self):
        self.assertIn("there is no", self.fail(b"", "--streams", str(self.folder / "no.wasm")))
        there = self.folder / "streams.wasm"
        there.write_bytes(b"")
        with mock.patch.object(tools.shutil, "which", return_value=None):
            self.assertIn("pip install componentize-py", self.fail(b""))
            with (
                mock.patch.object(tools, "componentize", return_value="/bin/true"),
                mock.patch.object(tools, "_streams", return_value=None),
            ):
                self.assertIn("carries `streams`", self.fail(b"", "--streams", str(there)))

    def test_the_message_of_a_tool_is_shown_without_its_traceback(self):
        tool = self.folder / "componentize-py"
        tool.write_text(
            "#!/bin/sh\necho 'MissingModuleError: cannot import nothing' >&2\n"
            "echo 'Stack backtrace:' >&2\necho '   0: x' >&2\nexit 1\n"
        )
        tool.chmod(0o755)
        with mock.patch.object(tools, "componentize", return_value=str(tool)):
            said = self.fail(b"import nothing", path="/usr/bin:/bin")
        self.assertIn("cannot import nothing", said)
        self.assertNotIn("0: x", said)

    def test_options_reach_the_program_and_notes_are_shown(self):
        tool = self.folder / "componentize-py"
        tool.write_text(
            "#!/bin/sh\nwhile [ $# -gt 1 ]; do [ $1 = -o ] && out=$2; shift; done\n"
            'cat "$1/asyncio_streams_app.py" "$1/program" > "$out"\necho "a note" > "$1/notes"\n'
        )
        tool.chmod(0o755)
        program = self.folder / "prog.py"
        program.write_text("x = 1\n")
        said = io.StringIO()
        with (
            contextlib.redirect_stderr(said),
            mock.patch.object(tools, "componentize", return_value=str(tool)),
        ):
            status = build.main(
                [str(program), "-o", str(self.folder / "out.wasm"), "--executor", "refuse", "--include", "json"]
            )
        self.assertEqual((status, said.getvalue()), (0, "asyncio_streams.build: a note\n"))
        made = (self.folder / "out.wasm").read_text()
        self.assertIn("'inline_executor': False", made)
        self.assertIn("'more': ['json']", made)
        self.assertTrue(made.endswith("x = 1\n"))


class Outside(unittest.TestCase):
    def test_install_fails_outside_a_component(self):
        with self.assertRaisesRegex(
            asyncio_streams.NotInComponentError, "inside a WebAssembly component, which this is not"
        ):
            asyncio_streams.install()
        self.assertFalse(asyncio_streams.installed())
        asyncio_streams.uninstall()


if __name__ == "__main__":
    unittest.main()
