"""The phases of `asyncio-streams run` and `build`, with stand-ins for the tools: failures, interrupts, and a quick start.

The package is copied, so that it finds the stand-ins instead of the tools of the checkout.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "asyncio_streams"
ROOT = PACKAGE.parents[2]
DEADLINE = 60
# It stands in for componentize-py and for `streams`: writes a file for `-o`, blocks or fails in the phase of the
# variable, and otherwise prints its arguments when it runs a program.
STAND_IN = """\
#!/bin/sh
phase=$1
case " $* " in *" componentize "*) phase=componentize;; esac
if [ "$phase" = "$FAILS" ]; then echo "the tool is unwell" >&2; exit 7; fi
if [ "$phase" = "$BLOCKS" ]; then echo > "$MARK"; exec sleep 600; fi
if [ "$phase" = run ]; then echo "ran $*"; exit 3; fi
while [ $# -gt 0 ]; do if [ "$1" = -o ]; then echo made > "$2"; fi; shift; done
"""
BUILDING = ("componentize", "compose", "compile")


class Phases(unittest.TestCase):
    def setUp(self):
        # A shell has its background processes ignore SIGINT, and the command would inherit that.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.addCleanup(signal.signal, signal.SIGINT, before)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name).resolve()
        self.package = self.folder / "lib" / "asyncio_streams"
        ignored = shutil.ignore_patterns("__pycache__", "_carried", "wit")
        shutil.copytree(PACKAGE, self.package, ignore=ignored)
        shutil.copytree(ROOT / "wit", self.package / "wit")
        for name in ("lib/asyncio_streams/_carried/streams", "bin/componentize-py"):
            file = self.folder / name
            file.parent.mkdir()
            file.write_text(STAND_IN, encoding="utf-8")
            file.chmod(0o755)
        (self.package / "_carried" / "streams.wasm").touch()
        self.mark = self.folder / "mark"
        self.cache = self.folder / "cache"
        self.program = self.folder / "own" / "prog.py"
        self.program.parent.mkdir()
        self.program.write_text("print(1)\n", encoding="utf-8")
        self.variables = {
            "PATH": f"{self.folder}/bin:/usr/bin:/bin",
            "HOME": str(self.folder),
            "PYTHONPATH": str(self.folder / "lib"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "ASYNCIO_STREAMS_CACHE": str(self.cache),
            "MARK": str(self.mark),
        }
        # Not the environment of the checkout's tools: componentize-py beside this Python would be used.
        self.python = str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}")
        if shutil.which("componentize-py", path=str(Path(self.python).parent)) or not os.access(self.python, os.X_OK):
            self.skipTest("componentize-py is beside Python itself, or Python is elsewhere")

    def start(self, *arguments, **variables):
        """Starts the command, in a group of processes of its own."""
        return subprocess.Popen(
            [self.python, "-m", "asyncio_streams", *arguments],
            cwd=self.program.parent,
            env=self.variables | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run_it(self, *arguments, **variables):
        """Runs the command; returns its exit status and both outputs."""
        process = self.start(*arguments, **variables)
        out, err = process.communicate(timeout=DEADLINE)
        self.assertNotIn("Traceback", err)
        lines = [line for line in err.splitlines() if "building the interpreter" not in line]
        return process.returncode, out, "\n".join(lines)

    def wait_for_mark(self, process):
        """Waits until the stand-in blocks."""
        deadline = time.monotonic() + DEADLINE
        while not self.mark.exists():
            self.assertIsNone(process.poll(), "it ended before the phase")
            self.assertLess(time.monotonic(), deadline)
            try:
                process.wait(0.02)
            except subprocess.TimeoutExpired:
                continue

    def interrupted(self, phase, whole_group, *arguments):
        """Interrupts the command in a phase, as a terminal or as `kill` does."""
        process = self.start(*arguments, BLOCKS=phase)
        try:
            self.wait_for_mark(process)
            if whole_group:
                os.killpg(process.pid, signal.SIGINT)
            else:
                process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=DEADLINE)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            self.mark.unlink(missing_ok=True)
        self.assertNotIn("Traceback", err)
        self.assertEqual(process.returncode, -signal.SIGINT, err)
        return err

    def test_an_interrupt_in_each_phase_is_one_message_and_keeps_nothing(self):
        for phase in BUILDING:
            for whole_group in (True, False):
                with self.subTest(phase=phase, whole_group=whole_group):
                    err = self.interrupted(phase, whole_group, "run", "prog.py")
                    self.assertIn("asyncio-streams: interrupted; nothing was kept of what was not finished", err)
                    self.assertEqual(list(self.cache.glob("interpreters/*/")), [])
        for phase in ("componentize", "compose"):
            with self.subTest(phase=phase, command="build"):
                err = self.interrupted(phase, True, "build", "prog.py")
                self.assertIn("asyncio-streams: interrupted", err)
                self.assertFalse((self.program.parent / "prog.wasm").exists())

    def test_an_interrupt_of_the_program_ends_it(self):
        # Once for the first start, and once for a start by the record of it.
        for builds in (1, 0):
            self.assertEqual(self.interrupted("run", True, "run", "prog.py").count("building"), builds)

    def test_a_tool_that_fails_is_named_in_one_message(self):
        for phase, name in zip(BUILDING, ("componentize-py", "composing", "compiling"), strict=True):
            with self.subTest(phase=phase):
                status, out, err = self.run_it("run", "prog.py", FAILS=phase)
                self.assertEqual((status, out), (1, ""))
                self.assertEqual(err, f"asyncio-streams: {name} failed:\nthe tool is unwell")

    def test_folders_that_cannot_be_written(self):
        for variables in (
            {"ASYNCIO_STREAMS_CACHE": "/proc/none"},
            {"ASYNCIO_STREAMS_CACHE": "", "XDG_CACHE_HOME": "/proc/none"},
            {"ASYNCIO_STREAMS_CACHE": "", "HOME": "/proc/none"},
            {"ASYNCIO_STREAMS_CACHE": str(self.program)},
        ):
            with self.subTest(variables):
                status, out, err = self.run_it("run", "prog.py", **variables)
                self.assertEqual((status, out), (1, ""))
                self.assertRegex(
                    err, r"^asyncio-streams: cannot write into the cache folder .*ASYNCIO_STREAMS_CACHE=FOLDER$"
                )
        for arguments in (("build", "-o", "/proc/none.wasm"), ("run", "--prepare", "/proc/none")):
            with self.subTest(arguments):
                status, _, err = self.run_it(*arguments, "prog.py")
                self.assertEqual(status, 1)
                self.assertRegex(err, r"^asyncio-streams: .*/proc/none.*: .+$")

    def test_without_a_home_the_users_own_is_taken(self):
        self.assertEqual(self.run_it("run", "prog.py", ASYNCIO_STREAMS_CACHE="", XDG_CACHE_HOME=str(self.cache))[0], 3)
        self.assertTrue((self.cache / "asyncio-streams" / "interpreters").is_dir())

    def test_a_second_start_only_becomes_the_host(self):
        own = self.program.parent / "helper.py"
        own.write_text("x = 1\n", encoding="utf-8")
        old = self.program.stat().st_mtime - 60
        for file in (self.program, own, self.program.parent):
            os.utime(file, (old, old))
        first = self.run_it("run", "--env", "A=1", "prog.py", "-v", "")
        self.assertEqual(first[0], 3, first)
        self.assertIn("--env A=1", first[1])
        self.assertIn("--read-dir", first[1])
        (record,) = (self.cache / "starts").iterdir()
        # Its arguments may be secrets.
        self.assertEqual((record.stat().st_mode & 0o777, record.parent.stat().st_mode & 0o777), (0o600, 0o700))
        # A broken rest of the command does not matter.
        command = self.package / "_command" / "main.py"
        text, times = command.read_text(encoding="utf-8"), command.stat()
        own_times = (times.st_atime_ns, times.st_mtime_ns)

        def spoil():
            command.write_text(text.replace("def main(", "def nain("), encoding="utf-8")
            os.utime(command, ns=own_times)

        spoil()
        self.assertEqual(self.run_it("run", "--env", "A=1", "prog.py", "-v", ""), first)
        # Other arguments, another path of Python's modules, and a changed file need it.
        elsewhere = os.pathsep.join([self.variables["PYTHONPATH"], str(self.folder / "more")])
        for variables, change in (
            ({}, lambda: ("run", "--env", "A=2", "prog.py", "-v", "")),
            ({"PYTHONPATH": elsewhere}, lambda: ("run", "--env", "A=1", "prog.py", "-v", "")),
            ({}, lambda: own.write_text("x = 2\n", encoding="utf-8") and ("run", "--env", "A=1", "prog.py", "-v", "")),
        ):
            arguments = change()
            process = self.start(*arguments, **variables)
            _, err = process.communicate(timeout=DEADLINE)
            self.assertIn("AttributeError", err)
        command.write_text(text, encoding="utf-8")
        changed = self.run_it("run", "--env", "A=1", "prog.py", "-v", "")
        self.assertEqual(changed[0], 3)
        self.assertNotEqual(changed[1], first[1])
        self.assertEqual(len(list((self.cache / "programs").glob("*/program"))), 2)


if __name__ == "__main__":
    unittest.main()
