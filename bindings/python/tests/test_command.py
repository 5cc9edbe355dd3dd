"""The command `asyncio-streams` without components: the imports of programs, and the messages of errors."""

import ast
import contextlib
import fcntl
import io
import os
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
import warnings
from pathlib import Path
from unittest import mock

from asyncio_streams import _bundle
from asyncio_streams._command import base, environment, imports, lock, main, tools
from asyncio_streams._command.errors import CommandError
from asyncio_streams._command.program import Program

# The longest wait for another thread, in seconds.
DEADLINE = 60


class InFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def put(self, name, text=""):
        """Writes a file, and creates the folders above it."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file


class Imported(InFolder):
    def of(self, text):
        return imports.of_program(ast.parse(text), [self.folder])

    def test_names_of_all_imports_except_the_programs_own_modules(self):
        self.put("own.py", "import inside_own\nfrom own import x\n")
        self.put("pack/__init__.py", "from . import part\n")
        self.put("pack/part.py", "from .. import nothing\nimport of_part.sub\n")
        self.put("unused.py", "import never\n")
        found = self.of("import own, pack\nif 1:\n    from a.b import c\ndef f():\n    import d\n")
        self.assertEqual(found.names, {"inside_own", "of_part.sub", "a.b", "a.b.c", "d"})
        self.assertEqual(found.packages, {"inside_own", "of_part", "a", "d"})

    def test_a_broken_module_is_reported_by_python_later(self):
        self.put("own.py", "def (\n")
        self.assertEqual(self.of("import own").names, set())

    def test_tls_is_found_by_imports_arguments_and_methods(self):
        self.put("own.py", "import ssl\n")
        for text in (
            "import ssl",
            "from ssl import create_default_context",
            "def f():\n    import ssl",
            "import own",
            "asyncio.open_connection(host, 443, ssl=True)",
            "asyncio.start_server(f, ssl=context)",
            "await_(writer.start_tls(context))",
        ):
            self.assertTrue(self.of(text).tls, text)
        for text in ("", "import sslib", "f(ssl=None, x=1)", "f(ssl=False)", "ssl = 1"):
            self.assertFalse(self.of(text).tls, text)

    def test_packages_are_followed_and_their_tls_counts(self):
        self.put("one/__init__.py", "import two\n")
        self.put("two.py", "    from three.x import y\n")
        self.put("three/x.py", "try:\n    import ssl\nexcept ImportError:\n    pass\n")
        self.put("four.py", "import json  # no ssl\n")
        there = environment.Environment((self.folder,), None).packages
        self.assertEqual(imports.closure(["one", "unknown"], there), ({"one", "two", "three"}, True))
        self.assertEqual(imports.closure(["four"], there), ({"four"}, False))


class Environments(InFolder):
    def test_build_tools_are_not_packages_of_a_program(self):
        for name in ("pip/__init__.py", "asyncio_streams/x.py", "good/__init__.py", "mod.py", "_c.cpython-313.so", "a-b.py"):
            self.put(name)
        self.assertEqual(set(environment.Environment((self.folder,), None).packages), {"good", "mod"})

    def test_the_fingerprint_changes_with_installed_packages(self):
        self.put("one.py")
        place = environment.Environment((self.folder,), None)
        before = place.fingerprint()
        self.assertEqual(place.fingerprint(), before)
        self.put("two-1.0.dist-info/RECORD")
        self.assertNotEqual(place.fingerprint(), before)

    def test_two_commands_install_requirements_once(self):
        file, calls = self.put("requirements.txt", "one\n"), []
        second_waits, wait_for_lock = threading.Event(), fcntl.flock

        def flock(file, operation):
            try:
                wait_for_lock(file, operation | fcntl.LOCK_NB)
            except BlockingIOError:
                second_waits.set()
                wait_for_lock(file, operation)

        def call(command, what):
            calls.append(what)
            prefix = Path(command[3]) if "venv" in command else Path(command[0]).parents[1]
            prefix.mkdir(parents=True, exist_ok=True)
            if not second_waits.wait(DEADLINE):
                calls.append("no command waits for the other one")

        with (
            mock.patch.object(environment, "_call", call),
            mock.patch.object(fcntl, "flock", flock),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            threads = [threading.Thread(target=environment.of_requirements, args=(file, self.folder)) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual(
            [what.partition(" for")[0] for what in calls], ["cannot make an environment", f"cannot install {file}"]
        )

    def test_the_folder_is_made_without_locks_too(self):
        for name, modules in (("with", {}), ("without", {"fcntl": None})):
            place = self.folder / name / "interpreters" / "key"
            with mock.patch.dict(sys.modules, modules), lock.one_at_a_time(place):
                self.assertTrue(place.parent.is_dir(), name)

    def test_unreadable_requirements(self):
        with self.assertRaisesRegex(CommandError, "cannot read .*none.txt: No such file"):
            environment.of_requirements(self.folder / "none.txt", self.folder)


class Hosts(InFolder):
    def test_grants_become_options_of_streams(self):
        host = tools.Host(Path("/bin/streams"), False)
        grants = tools.Grants(("h:1", "*:2"), ("[::]:3",), folders=(".", "a::/b"), variables=("A=1",))
        self.assertEqual(
            host.command(Path("x.cwasm"), grants, ["-v"]),
            "/bin/streams run --allow-connect=h:1 --allow-connect=*:2 --allow-listen=[::]:3 "
            "--dir . --dir a::/b --env A=1 x.cwasm -v".split(),
        )
        unix = tools.Grants(unix_connect=("/a",), unix_listen=("@b", "/c/"))
        words = "--allow-unix-connect=/a --allow-unix-listen=@b --allow-unix-listen=/c/".split()
        self.assertEqual(host.command(Path("x"), unix, [])[2:-1], words)
        self.assertIn("--allow-network", host.command(Path(), tools.Grants(network=True), []))

    def test_wasmtime_grants_the_whole_network_or_none(self):
        host = tools.Host(Path("/bin/wasmtime"), True)
        self.assertNotIn("-S", host.command(Path(), tools.Grants(), []))
        self.assertIn("inherit-network", host.command(Path(), tools.Grants(network=True), []))
        with self.assertRaisesRegex(CommandError, "cannot grant single addresses: use --allow-network"):
            host.command(Path(), tools.Grants(connect=("h:1",)), [])

    def test_a_host_that_compiles_nothing(self):
        for program, text in (
            ("exit 0", "has compiled nothing: ASYNCIO_STREAMS_HOST"),
            ("exit 3", "host ended with the exit status 3 and without a message"),
            ("kill -9 $$", "host was ended by the signal 9"),
            ("echo this; exit 1", "failed:\nthis"),
        ):
            file = self.put("host", f"#!/bin/sh\n{program}\n")
            file.chmod(0o755)
            with self.assertRaises(CommandError) as failed:
                tools.Host(file, False).compile(self.folder / "x.wasm", self.folder / "x.cwasm")
            self.assertIn(text, str(failed.exception))

    def test_no_host(self):
        with (
            mock.patch.object(tools, "_streams", return_value=None),
            mock.patch.dict(os.environ, PATH=str(self.folder)),
            self.assertRaisesRegex(CommandError, "nothing to run components with"),
        ):
            os.environ.pop(tools.VARIABLE, None)
            tools.host()
        with (
            mock.patch.dict(os.environ, {tools.VARIABLE: "no-such-host"}),
            self.assertRaisesRegex(CommandError, f"{tools.VARIABLE} names 'no-such-host', which is no program"),
        ):
            tools.host()

    def test_another_program_named_streams_is_ignored(self):
        other = self.put("streams", "#!/bin/sh\necho plays music\n")
        other.chmod(0o755)
        self.assertFalse(tools._is_ours(str(other)))
        other.write_text("#!/bin/sh\necho Composes components that use asyncio:streams\n")
        self.assertTrue(tools._is_ours(str(other)))

    def test_a_missing_component(self):
        with self.assertRaisesRegex(CommandError, r"nothing\.wasm is missing: install the wheel"):
            tools.component("nothing")


class Mistakes(InFolder):
    def fail(self, *arguments, **variables):
        """Returns the exit status and the message."""
        said = io.StringIO()
        variables.setdefault("ASYNCIO_STREAMS_CACHE", str(self.folder / "cache"))
        variables.setdefault("ASYNCIO_STREAMS_HOST", sys.executable)
        with contextlib.redirect_stderr(said), mock.patch.dict(os.environ, variables):
            status = main.main(list(arguments))
        self.assertNotIn("Traceback", said.getvalue())
        return status, said.getvalue()

    def test_a_missing_program_has_pythons_status(self):
        for command in ("run", "build"):
            status, said = self.fail(command, str(self.folder / "none.py"))
            self.assertEqual(status, 2)
            self.assertRegex(said, r"can't open file '.*none\.py': \[Errno 2\] No such file or directory")

    def test_a_syntax_error_is_shown_as_in_python(self):
        # The last two are found by the compiler, not by the parser.
        for text in ("x = 1\ndef f(:\n", "return 5\n", "from __future__ import nope\n"):
            program = self.put("prog.py", text)
            native = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=False)
            self.assertEqual(native.returncode, 1)
            for command in ("run", "build"):
                status, said = self.fail(command, os.path.relpath(program))
                self.assertEqual(status, 1)
                self.assertTrue(said.startswith(native.stderr.rstrip()), (said, native.stderr))

    def test_a_file_that_is_not_text(self):
        program = self.folder / "prog.py"
        for content in (b"\xff\xfe", b"print(1)\n'\xe4'\n", b"# coding: nope\n", b"a\0b\n", b"x=" + b"-" * 200_000 + b"1\n"):
            program.write_bytes(content)
            for command in ("run", "build"):
                status, said = self.fail(command, str(program))
                self.assertEqual(status, 1)
                self.assertIn("SyntaxError: ", said)
                self.assertIn(str(program), said)

    def test_a_declared_encoding(self):
        file = self.folder / "prog.py"
        for content in (b"# coding: latin-1\r\nx = '\xe4'\r\n", "\ufeffx = 'ä'\n".encode()):
            file.write_bytes(content)
            self.assertEqual(Program(file).source().splitlines()[-1], "x = 'ä'")

    def test_warnings_are_left_to_the_component(self):
        file = self.put("prog.py", "x = '\\d'\ny = 1 is 1\n")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            Program(file).imports()

    def test_a_working_folder_that_was_deleted(self):
        before = os.getcwd()
        (self.folder / "gone").mkdir()
        os.chdir(self.folder / "gone")
        try:
            (self.folder / "gone").rmdir()
            status, said = self.fail("run", "prog.py")
        finally:
            os.chdir(before)
        self.assertEqual(
            (status, said), (1, "asyncio-streams: the working folder, which was deleted: No such file or directory\n")
        )

    def test_a_missing_folder_of_modules(self):
        program = self.put("prog.py")
        status, said = self.fail("run", "-p", str(self.folder / "none"), str(program))
        self.assertEqual(status, 2)
        self.assertIn("none: there is no such folder", said)

    def test_a_cache_folder_without_write_access(self):
        program, blocked = self.put("prog.py"), self.put("file")
        for folder in (blocked / "cache", Path("/proc/none")):
            status, said = self.fail("run", str(program), ASYNCIO_STREAMS_CACHE=str(folder))
            self.assertEqual(status, 1)
            self.assertIn(f"asyncio-streams: cannot write into the cache folder {folder}: ", said)
            self.assertIn("ASYNCIO_STREAMS_CACHE=FOLDER", said)

    def test_an_interrupt_while_building_is_one_line(self):
        program = self.put("prog.py")
        with (
            mock.patch.object(base, "get", side_effect=KeyboardInterrupt),
            mock.patch.object(main, "_end_by", side_effect=lambda number: 128 + number),
        ):
            status, said = self.fail("run", str(program))
        self.assertEqual(status, 128 + signal.SIGINT)
        self.assertIn("interrupted", said)

    def test_usage_errors_exit_with_2(self):
        for arguments in ((), ("run",), ("walk", "x.py")):
            with contextlib.redirect_stderr(io.StringIO()), self.assertRaises(SystemExit) as end:
                main.main(list(arguments))
            self.assertEqual(end.exception.code, 2)


class Packed(InFolder):
    def test_a_bundle_is_unchanged_by_writing_and_reading_it(self):
        self.put("pack/__init__.py", "x = 1\n")
        self.put("pack/data.txt", "data")
        self.put("pack/_c.cpython-313-x86_64-linux-gnu.so")
        self.put("own.py", "y = 2\n")
        given, taken, file = _bundle.Bundle(), _bundle.Bundle(), io.BytesIO()
        place = str(self.folder)
        given.take_own(place)
        given.dump(file, {"name": "prog.py"})
        file.seek(0)
        self.assertEqual(taken.load(file), {"name": "prog.py"})
        self.assertEqual(taken.read(f"{place}/pack/data.txt"), b"data")
        self.assertEqual(taken.size(f"{place}/own.py"), 6)
        self.assertEqual(sorted(taken.names(place)), ["own.py", "pack"])
        self.assertEqual(taken.compiled, given.compiled)


if __name__ == "__main__":
    unittest.main()
