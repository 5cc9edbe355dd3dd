"""The wheel in a separate environment: `asyncio-streams run` and `build`, with nothing else on the machine.

`cargo xtask dist --python` makes the wheel. componentize-py comes from Python's package index.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# Building an interpreter takes half a minute on two quiet cores.
DEADLINE = 600
# The promised time of a quick start, in seconds.
QUICK = 2.0
LARGEST = 25_000_000


def wheel():
    """The newest wheel."""
    found = sorted((ROOT / "target" / "dist").glob("asyncio_streams-*.whl"), key=lambda file: file.stat().st_mtime)
    if not found:
        raise unittest.SkipTest("there is no wheel in target/dist: `cargo xtask dist --python` makes it")
    return found[-1]


def setUpModule():
    """One environment for all tests."""
    # A shell has its background processes ignore SIGINT, and the commands would inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    unittest.addModuleCleanup(signal.signal, signal.SIGINT, before)
    place = Path(unittest.enterModuleContext(tempfile.TemporaryDirectory()))
    python = place / "venv/bin/python"
    subprocess.run([sys.executable, "-m", "venv", place / "venv"], check=True)
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel()]
    subprocess.run(install, check=True, timeout=DEADLINE)
    Installed.place = place
    # No `wac`, no `wasmtime`, no compiler.
    Installed.variables = {
        "PATH": f"{place}/venv/bin:/usr/bin:/bin",
        "HOME": str(place),
        "ASYNCIO_STREAMS_CACHE": str(place / "cache"),
    } | {name: text for name, text in os.environ.items() if name.startswith(("PIP_", "SSL_CERT", "HTTP"))}


class Installed(unittest.TestCase):
    """Shared by the tests."""

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def put(self, name, text):
        """Writes a file of the program."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def command(self):
        """The installed command."""
        return self.place / "venv/bin/asyncio-streams"

    def start(self, *arguments, stdin=subprocess.DEVNULL, **more):
        """Starts the command."""
        return subprocess.Popen(
            [self.command(), *arguments],
            cwd=self.folder,
            env=self.variables | more,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run_it(self, *arguments, **more):
        """Runs the command; returns its exit status and both outputs, without the note about building."""
        process = self.start(*arguments, **more)
        try:
            out, err = process.communicate(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        self.assertNotIn("wasm trap", err)
        self.assertNotIn("asyncio_streams/_", err)
        return process.returncode, out, re.sub(r"asyncio-streams: (building|installing) .*\n", "", err)

    def native(self, *arguments):
        """Runs the same with stock Python."""
        done = subprocess.run(
            [sys.executable, *arguments], cwd=self.folder, capture_output=True, text=True, timeout=DEADLINE, check=False
        )
        return done.returncode, done.stdout, done.stderr


UNIX_SOCKETS = '''\
import asyncio
import errno
import socket
import sys

FOLDER = sys.argv[1]
PATH = FOLDER + "/talks.sock"
seen = []


async def echo(reader, writer):
    seen.append((writer.get_extra_info("peername"), writer.get_extra_info("sockname") == PATH))
    async for line in reader:
        writer.write(line.upper())
        await writer.drain()
    writer.close()


async def outcome(call):
    try:
        await call
    except OSError as reason:
        return type(reason).__name__, errno.errorcode[reason.errno]
    except ValueError as reason:
        return "ValueError"


async def main():
    server = await asyncio.start_unix_server(echo, PATH)
    print(server.is_serving(), server.sockets[0].getsockname() == PATH)
    for path in (PATH, PATH.encode()):
        reader, writer = await asyncio.open_unix_connection(path)
        print("client", writer.get_extra_info("peername") == PATH, repr(writer.get_extra_info("sockname")))
        writer.writelines([b"hello\\n", b"x" * 50_000 + b"\\n"])
        print(await reader.readline(), len(await reader.readline()))
        writer.write_eof()
        print(await reader.read(), reader.at_eof())
        writer.close()
        await writer.wait_closed()
    server.close()
    await server.wait_closed()
    print(seen)
    print(await outcome(asyncio.open_unix_connection(PATH)))
    kept = await asyncio.start_unix_server(echo, PATH, cleanup_socket=False, start_serving=False)
    print(await outcome(asyncio.open_unix_connection(PATH)))
    kept.close()
    print(await outcome(asyncio.open_unix_connection(PATH)))
    again = await asyncio.start_unix_server(echo, PATH)
    again.close()
    print(await outcome(asyncio.open_unix_connection(FOLDER + "/file")))
    print(await outcome(asyncio.start_unix_server(echo, FOLDER + "/file")))
    print(await outcome(asyncio.start_unix_server(echo, FOLDER + "/no/such")))
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(PATH)
    print(bound.getsockname() == PATH, await outcome(asyncio.open_unix_connection(PATH)))
    server = await asyncio.start_unix_server(echo, sock=bound)
    client = socket.socket(socket.AF_UNIX)
    client.setblocking(False)
    await asyncio.get_running_loop().sock_connect(client, PATH)
    print(client.getpeername() == PATH, repr(client.getsockname()))
    reader, writer = await asyncio.open_unix_connection(sock=client)
    writer.write(b"over a socket\\n")
    print(await reader.readline(), writer.get_extra_info("socket").family == socket.AF_UNIX)
    writer.close()
    await writer.wait_closed()
    server.close()
    print(await outcome(asyncio.open_unix_connection(PATH)))
    print(await outcome(asyncio.open_unix_connection()))
    print(await outcome(asyncio.open_unix_connection(PATH, server_hostname="x")))


asyncio.run(asyncio.wait_for(main(), 60))
'''


INT, TERM = signal.SIGINT, signal.SIGTERM
# The programs of `signals.py`, and the signals that they get at each of their lines with `ready`.
TOLD = (
    ("default", [[INT]]),
    ("default", [[TERM]]),
    ("caught", [[INT]]),
    ("goes-on", [[INT], [INT]]),
    ("plain-loop", [[INT]]),
    ("handler", [[INT], [TERM]]),
    ("callback", [[INT], [TERM]]),
    ("exits", [[TERM]]),
    ("raises", [[TERM]]),
    ("captured", [[TERM]]),
    ("ignored", [[INT, TERM]]),
    ("late", [[INT]]),
    ("late-loop", [[INT]]),
    ("late-handler", [[TERM]]),
)
PIPES = """\
import asyncio
import sys


async def main():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, sys.stdout)
    writer = asyncio.StreamWriter(transport, protocol, None, loop)
    async for line in reader:
        writer.write(line.upper())
        await writer.drain()
    writer.write(b"\\nend\\n" if not line.endswith(b"\\n") else b"end\\n")
    writer.close()


asyncio.run(main())
"""
WRITES = """\
import asyncio
import sys


class Lost(asyncio.streams.FlowControlMixin):
    def connection_lost(self, reason):
        super().connection_lost(reason)
        print("lost", type(reason).__name__, file=sys.stderr)
        ended.set()


async def main():
    global ended
    ended = asyncio.Event()
    transport, _ = await asyncio.get_running_loop().connect_write_pipe(Lost, sys.stdout)
    while not ended.is_set():
        transport.write(b"y" * 10_000)
        await asyncio.sleep(0)
    sys.exit(5)


asyncio.run(main())
"""


class Programs(Installed):
    @unittest.skipIf(sys.version_info < (3, 13), "start_unix_server has no cleanup_socket")
    def test_unix_sockets_as_in_python(self):
        self.put("talks.py", UNIX_SOCKETS)
        self.put("file", "")
        folder = str(self.folder)
        grants = [f"--allow-unix-connect={folder}/", f"--allow-unix-listen={folder}/"]
        expected = self.native("talks.py", folder)
        self.assertEqual(self.run_it("run", *grants, "talks.py", folder), expected)
        self.assertEqual(expected[0], 0)
        self.assertFalse((self.folder / "talks.sock").exists())
        status, _, err = self.run_it("run", *grants[:1], "talks.py", folder)
        self.assertEqual(status, 1)
        self.assertIn("--allow-unix-listen", err)

    def test_a_program_runs_as_in_python_and_a_change_needs_no_build(self):
        self.put("own.py", "NAME = 'one'\n")
        self.put("pack/__init__.py", "")
        self.put("pack/data.txt", "data")
        text = (
            "import asyncio, os, sys\nfrom pathlib import Path\nimport own, pack\n\n\n"
            "async def main():\n    await asyncio.sleep(0.001)\n    print(own.NAME, sys.argv, __file__)\n"
            "    print(Path(pack.__file__).with_name('data.txt').read_text(), os.environ.get('GIVEN'))\n\n\n"
            "asyncio.run(main())\nsys.exit(int(sys.argv[1]))\n"
        )
        self.put("prog.py", text)
        for status in (0, 3):
            self.assertEqual(
                self.run_it("run", "--env", "GIVEN=1", "prog.py", str(status), "-v", "--", "x"),
                (
                    status,
                    f"one ['prog.py', '{status}', '-v', '--', 'x'] {self.folder}/prog.py\ndata 1\n",
                    "",
                ),
            )
        # The fastest of three, since the machine may be busy.
        took = []
        for number in range(3):
            self.put("own.py", f"NAME = 'changed {number}'\n")
            started = time.monotonic()
            status, out, _ = self.run_it("run", "prog.py", "0")
            took.append(time.monotonic() - started)
            self.assertIn(f"changed {number}", out)
        self.assertLess(min(took), QUICK)
        self.assertEqual(len(list((self.place / "cache/interpreters").glob("*/"))), 1)

    def test_failures_look_and_end_as_in_python(self):
        self.put("helper.py", "def f():\n    raise ValueError('oh')\n")
        for name, text in {
            "raises.py": "import helper\n\nhelper.f()\n",
            "chained.py": "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise OSError(5, 'x') from e\n",
            "exits.py": "raise SystemExit('a text')\n",
            "leaves.py": "import os\n\nos._exit(3)\n",
            "missing.py": "import no_such_module_anywhere\n",
            "broken.py": "if True:\n    from helper import no_such_name\n",
        }.items():
            self.put(name, text)
            status, out, err = self.run_it("run", name)
            wanted = self.native(name)
            self.assertEqual((status, out), wanted[:2], err)
            # Later versions of Python underline more.
            lines = [[x for x in text.splitlines() if x.strip(" ^~")] for text in (err, wanted[2])]
            if name == "missing.py":
                lines = [[line.partition("; is it")[0] for line in one] for one in lines]
                self.assertIn("is it installed?", err)
            self.assertEqual(*lines)

    def test_a_syntax_error_and_a_missing_file(self):
        self.put("bad.py", "def f(:\n")
        for name, status in (("bad.py", 1), ("none.py", 2)):
            got, out, err = self.run_it("run", name)
            self.assertEqual((got, out), (status, ""))
            self.assertIn("SyntaxError" if status == 1 else "can't open file", err)

    def test_the_network_is_granted_or_denied_with_advice(self):
        self.put(
            "echo.py",
            "import asyncio, sys\n\n\nasync def main():\n"
            "    reader, writer = await asyncio.open_connection('127.0.0.1', int(sys.argv[1]))\n"
            "    writer.write(b'hello\\n')\n    print(await reader.readline())\n    writer.close()\n"
            "    await writer.wait_closed()\n\n\nasyncio.run(main())\n",
        )
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(DEADLINE)

            def serve():
                peer, _ = server.accept()
                with peer:
                    peer.sendall(peer.recv(100).upper())

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            port = server.getsockname()[1]
            status, out, err = self.run_it("run", "echo.py", str(port))
            self.assertEqual((status, out), (1, ""))
            self.assertIn("PermissionError", err)
            self.assertIn("--allow-listen ADDR:PORT or --allow-network", err)
            self.assertIn(f"--allow-connect 127.0.0.1:{port}", err)
            allowed = self.run_it("run", f"--allow-connect=127.0.0.1:{port}", "echo.py", str(port))
            self.assertEqual(allowed, (0, "b'HELLO\\n'\n", ""))
            thread.join(DEADLINE)
            self.put(
                "serve.py",
                f"import asyncio\n\n\nasync def main():\n    await asyncio.start_server(print, '127.0.0.1', {port})\n\n\n"
                "asyncio.run(main())\n",
            )
            # The port is in use.
            status, _, err = self.run_it("run", "--allow-network", "serve.py")
            self.assertEqual(status, self.native("serve.py")[0])
            self.assertRegex(err.splitlines()[-1], r"OSError: \[Errno \d+\] .*127\.0\.0\.1.*in use")

    def test_unsupported_calls_name_the_reason_and_the_remedy(self):
        self.put(
            "tries.py",
            "import asyncio, signal, sys, threading\n\n\nasync def main():\n    loop = asyncio.get_running_loop()\n"
            "    calls = [lambda: loop.add_signal_handler(1, print),\n"
            "             lambda: loop.connect_read_pipe(asyncio.Protocol, sys.stdout),\n"
            "             lambda: asyncio.create_subprocess_exec('ls'),\n"
            "             lambda: asyncio.open_unix_connection('/x'),\n"
            "             lambda: threading.Thread(target=print).start()]\n"
            "    for call in calls:\n        try:\n            result = call()\n            await result\n"
            "        except Exception as reason:\n            print(type(reason).__name__, reason)\n\n\nasyncio.run(main())\n",
        )
        status, out, err = self.run_it("run", "tries.py")
        self.assertEqual((status, err), (0, ""))
        for line, (kind, *words) in zip(
            out.splitlines(),
            [
                ("NotImplementedError", "add_signal_handler", "SIGINT and SIGTERM", "signal 1"),
                ("NotImplementedError", "connect_read_pipe", "sys.stdin", "TCP"),
                ("NotImplementedError", "no processes", "TCP server"),
                ("NotImplementedError", "no Unix sockets", "use TCP"),
                ("RuntimeError", "can't start new thread", "one thread", "asyncio.to_thread"),
            ],
            strict=True,
        ):
            self.assertTrue(line.startswith(kind), line)
            for word in words:
                self.assertIn(word, line)

    def test_folders_are_granted_one_by_one(self):
        self.put("granted/file.txt", "content")
        self.put("prog.py", "print(open('/granted/file.txt').read())\nopen('/granted/new.txt', 'w').write('x')\n")
        self.assertEqual(self.run_it("run", "--dir", "granted::/granted", "prog.py"), (0, "content\n", ""))
        self.assertEqual((self.folder / "granted/new.txt").read_text(), "x")
        status, _, err = self.run_it("run", "prog.py")
        self.assertEqual(status, 1)
        self.assertIn("FileNotFoundError", err)
        # It cannot change its own files in the cache.
        self.put("writes.py", "import os\n\nprint(os.listdir('/.asyncio-streams'))\nopen('/.asyncio-streams/program', 'w')\n")
        status, out, err = self.run_it("run", "writes.py")
        self.assertEqual((status, out), (1, "['program']\n"))
        self.assertRegex(err, "PermissionError|Operation not permitted")
        status, _, err = self.run_it("run", "--dir", "none", "prog.py")
        self.assertEqual(status, 1)
        self.assertIn("none", err)

    def test_signals_have_the_effects_that_they_have_in_python(self):
        for matter, numbers in TOLD:
            command = ["signals.py", matter]
            with self.subTest(matter, numbers=numbers):
                native = self.told([sys.executable, *command], numbers)
                self.assertEqual(self.told([self.command(), "run", *command], numbers), native)

    def told(self, command, numbers):
        """Runs a program of `signals.py`, and sends it the next signals at each line with `ready`, once it sleeps.

        Returns its output, the last line of its errors, and its exit status as a shell shows it.
        """
        process = subprocess.Popen(
            command,
            cwd=ROOT / "tests/python/programs",
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        late = threading.Timer(DEADLINE, process.kill)
        late.start()
        self.addCleanup(late.cancel)
        with self.ending(process):
            lines, left = [], list(numbers)
            for line in process.stdout:
                lines.append(line)
                if left and ("ready" in line or "busy" in line):
                    if "ready" in line:
                        self.wait_until_asleep(process)
                    for number in left.pop(0):
                        process.send_signal(number)
            _, err = process.communicate(timeout=DEADLINE)
        late.cancel()
        self.assertNotIn("wasm trap", err)
        self.assertEqual(left, [])
        status = process.returncode
        return lines, err.splitlines()[-1:], 128 - status if status < 0 else status

    def wait_until_asleep(self, process):
        """Waits until a program that has written a line waits for events. Before, the handler of a signal would interrupt
        the callback that has written it, whose exception the loop only reports."""
        about = Path(f"/proc/{process.pid}/stat")
        deadline = time.monotonic() + DEADLINE
        while about.exists() and about.read_text().rpartition(")")[2].split()[0] not in "SZ":
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.001)

    def test_standard_input_and_output_are_pipes_as_in_python(self):
        self.put("pipes.py", PIPES)
        given = b"one\ntwo\n" + b"x" * 300_000 + b"\nlast"
        command = [self.command(), "run", self.folder / "pipes.py"]
        ran = []
        for words in (command, [sys.executable, self.folder / "pipes.py"]):
            done = subprocess.run(words, input=given, env=self.variables, capture_output=True, timeout=DEADLINE, check=False)
            ran.append((done.returncode, done.stdout, done.stderr))
        self.assertEqual(*ran)
        self.assertIn(b"LAST\nend\n", ran[0][1])
        # Input that comes later, while other tasks run.
        process = self.start("run", "pipes.py", stdin=subprocess.PIPE)
        with self.ending(process):
            for line in ("hello\n", "again\n"):
                process.stdin.write(line)
                process.stdin.flush()
                self.assertEqual(process.stdout.readline(), line.upper())
            process.stdin.close()
            self.assertEqual(process.stdout.readline(), "end\n")
            self.assertEqual(process.wait(DEADLINE), 0)
            process.stdout.close()
            process.stderr.close()

    def test_a_reader_that_leaves_breaks_the_pipe(self):
        self.put("writes.py", WRITES)
        process = self.start("run", "writes.py")
        with self.ending(process):
            self.assertEqual(process.stdout.read(3), "yyy")
            process.stdout.close()
            self.assertEqual(process.stderr.readline(), "lost BrokenPipeError\n")
            self.assertEqual(process.wait(DEADLINE), 5)
            process.stderr.close()

    def test_a_change_restarts_a_watched_program(self):
        self.put("prog.py", "import asyncio\n\nprint('one', flush=True)\nasyncio.run(asyncio.sleep(3600))\n")
        process = self.start("run", "--watch", "prog.py")
        with self.ending(process):
            self.assertEqual(process.stdout.readline(), "one\n")
            self.put("prog.py", "print('two', flush=True)\n")
            self.assertEqual(process.stdout.readline(), "two\n")
            self.put("prog.py", "def (:\n")
            self.put("prog.py", "print('three', flush=True)\n")
            self.assertEqual(process.stdout.readline(), "three\n")

    def test_an_interrupt_while_building_leaves_nothing(self):
        self.put("prog.py", "print(1)\n")
        cache = self.folder / "cache"
        process = self.start("run", "prog.py", ASYNCIO_STREAMS_CACHE=str(cache))
        with self.ending(process):
            self.assertIn("building the interpreter", process.stderr.readline())
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=DEADLINE)
        self.assertIn("interrupted", err)
        self.assertNotIn("Traceback", err)
        self.assertEqual(process.returncode, -signal.SIGINT)
        self.assertEqual(list(cache.glob("interpreters/*/")), [])

    @contextlib.contextmanager
    def ending(self, process):
        """Ends the processes of the test."""
        try:
            yield
        finally:
            if process.poll() is None:
                process.terminate()
                process.communicate(timeout=DEADLINE)


class WithPackages(Installed):
    def test_requirements_are_installed_with_tls_and_compiled_parts_are_named(self):
        wheel_of(
            self.folder / "addon-1.0-py3-none-any.whl",
            {
                "addon/__init__.py": "import ssl\n\nVERSION = ssl.OPENSSL_VERSION\n",
                "addon/lazy.py": "VALUE = 42\n",
                "fast/__init__.py": "from . import _speed\n",
                "fast/_speed.cpython-313-x86_64-linux-gnu.so": "",
            },
        )
        self.put("requirements.txt", "addon @ file://" + str(self.folder / "addon-1.0-py3-none-any.whl") + "\n")
        self.put(
            "prog.py",
            "import importlib.metadata, sys\nimport addon\n\nprint(addon.VERSION[:4] != '', importlib.metadata.version('addon'))\n"
            "print(importlib.import_module('addon.lazy').VALUE)\n\nif len(sys.argv) > 1:\n    import fast\n",
        )
        given = ("-r", "requirements.txt", "prog.py")
        self.assertEqual(self.run_it("run", *given), (0, "True 1.0\n42\n", ""))
        status, _, err = self.run_it("run", *given, "more")
        self.assertEqual(status, 1)
        self.assertIn("compiled part (_speed.cpython-313-x86_64-linux-gnu.so)", err)
        self.assertIn("pure Python", err)


class Components(Installed):
    def test_a_built_component_runs_alone(self):
        self.put("prog.py", "import asyncio\n\nasyncio.run(asyncio.sleep(0))\nprint('hello')\n")
        self.assertEqual(self.run_it("build", "prog.py"), (0, "", ""))
        component = self.folder / "prog.wasm"
        self.assertLess(component.stat().st_size, LARGEST)
        streams = next(self.place.glob("venv/lib/python*/site-packages/asyncio_streams/_carried/streams"))
        done = subprocess.run(
            [streams, "run", component], env=self.variables, capture_output=True, text=True, timeout=DEADLINE, check=False
        )
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "hello\n", ""))
        # The output cannot be written there.
        status, _, err = self.run_it("build", "prog.py", "-o", "/proc/prog.wasm")
        self.assertEqual(status, 1)
        self.assertRegex(err, r"^asyncio-streams: cannot write /proc/prog\.wasm: ")


def wheel_of(file, content):
    """Writes a wheel with these files."""
    name, version = file.name.split("-")[:2]
    about = f"{name}-{version}.dist-info"
    content = content | {
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    content[f"{about}/RECORD"] = "".join(f"{path},,\n" for path in content)
    with zipfile.ZipFile(file, "w") as archive:
        for path, text in content.items():
            archive.writestr(path, text)


if __name__ == "__main__":
    if shutil.which("asyncio-streams"):
        print("(another asyncio-streams is on PATH; it is not used)", file=sys.stderr)
    unittest.main()
