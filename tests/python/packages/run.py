"""Programs that use packages of Python's index, under stock CPython and as components: their outputs are compared.

    python tests/python/packages/run.py [--short] [--only NAME] [--list] [--required] [--publish] [--environment FOLDER]

It makes an environment with the packages of `requirements.txt`, in which `asyncio-streams` of this checkout runs the
programs, unless it is given one. The components and the program `streams` must have been built. `--publish` writes the table of
docs/python-packages.md.
"""

import argparse
import collections
import contextlib
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import servers

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PAGE = ROOT / "docs" / "python-packages.md"
BEGIN, END = "<!-- results: `tests/python/packages/run.py --publish` writes them -->", "<!-- end of results -->"
DEADLINE = 120
# Building the interpreter with all packages.
BUILDING = 1800
# Packages in a folder of their own, which only their programs get: the import of pg-purepy makes all loggers print
# everything, and all other programs share an interpreter with every package imported.
APART = ("pg-purepy==0.12.1",)
# Ports differ from one run to the next.
ADDRESS = re.compile(r"127\.0\.0\.1:([1-9]\d*)")
# So do processes and times.
NUMBER = re.compile(r"\d+")


@dataclass
class Case:
    """A program, and its peer: a server, or itself."""

    program: str
    packages: tuple
    server: object = None
    short: bool = False
    # Whether the serving program gets a port, since it cannot report the one that it was given.
    told: bool = False
    # Variables that it needs; a component has none by itself.
    variables: tuple = ()
    # Whether the serving program ends by itself after a signal.
    stops: bool = False
    # Whether it uses the packages of `APART`.
    apart: bool = False


CASES = [
    Case("redis_asyncio", ("redis",), servers.redis, short=True),
    Case("websockets_pair", ("websockets",), short=True),
    Case("httpx_client", ("httpx",), servers.http_server, short=True),
    Case("uvicorn_starlette", ("uvicorn", "starlette"), short=True, stops=True),
    Case("aiohttp_pair", ("aiohttp",), told=True),
    Case("hypercorn_quart", ("hypercorn", "quart"), stops=True),
    Case("aiosmtp_pair", ("aiosmtpd", "aiosmtplib")),
    Case("nats_py", ("nats-py",), servers.nats),
    Case("aiomqtt_client", ("aiomqtt",), servers.mosquitto),
    # It asks for the user's name when it is imported.
    Case("aiomysql_client", ("aiomysql",), servers.mariadb, variables=("USER=app",)),
    Case("purepy_client", ("pg-purepy",), servers.postgresql, apart=True),
    Case("pg8000_client", ("pg8000",), servers.postgresql),
    Case("anyio_pair", ("anyio",)),
    Case("grpclib_pair", ("grpclib",)),
    Case("dnspython", ("dnspython",), servers.dns),
    Case("tornado_pair", ("tornado",)),
    Case("aioftp_pair", ("aioftp",)),
]


class Place:
    """The environment, and the commands of programs in it."""

    def __init__(self, environment):
        folder = environment or ROOT / "target" / "python" / "packages"
        self.bin = folder / "bin"
        self.python = self.bin / "python"
        self.peers = ROOT / "target" / "peers"
        if environment is None:
            self.install(folder)
        self.apart = ROOT / "target" / "python" / "packages-apart"
        self.environment = dict(
            os.environ,
            PYTHONPATH=str(ROOT / "bindings" / "python"),
            PYTHONDONTWRITEBYTECODE="1",
            PYTHONUNBUFFERED="1",
        )
        self.environment.setdefault("ASYNCIO_STREAMS_CACHE", str(ROOT / "target" / "python" / "cache"))

    def install(self, folder):
        """Makes the environment with all packages."""
        wanted = (HERE / "requirements.txt").read_text()
        stamp = folder / "installed.txt"
        if not stamp.is_file() or stamp.read_text() != wanted:
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
            install = [self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*install, "componentize-py==0.25.1", "-r", HERE / "requirements.txt"], check=True)
            stamp.write_text(wanted)

    def install_apart(self):
        """Installs the packages of `APART`, without what they bring along. Raises Missing if they need a newer Python."""
        stamp = self.apart / "installed.txt"
        wanted = "\n".join(APART)
        if not stamp.is_file() or stamp.read_text() != wanted:
            install = [self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--upgrade"]
            done = subprocess.run([*install, "--target", self.apart, *APART], capture_output=True, text=True, check=False)
            if done.returncode:
                raise servers.Missing(f"pip cannot install {wanted}: {done.stderr.strip()[-300:]}")
            stamp.write_text(wanted)

    def version(self, package):
        """The version that is installed, or will be."""
        for wanted in APART:
            name, _, version = wanted.partition("==")
            if name == package:
                return version
        code = f"import importlib.metadata as m; print(m.version({package!r}))"
        return subprocess.check_output([self.python, "-c", code], text=True).strip()

    def variables(self, side, case):
        """The variables of the environment that a program gets on one side."""
        paths = [self.environment["PYTHONPATH"], *([str(self.apart)] if case.apart and side == "stock" else [])]
        return self.environment | {"PYTHONPATH": os.pathsep.join(paths)}

    def command(self, side, case, arguments):
        """The command that runs a program on one side."""
        file = HERE / "programs" / f"{case.program}.py"
        if side == "stock":
            return [self.python, file, *arguments]
        command = [self.python, "-m", "asyncio_streams", "run", "--allow-network", "--all-packages"]
        for variable in case.variables:
            command += ["--env", variable]
        if case.apart:
            command += ["-p", self.apart]
        return [*command, file, *arguments]

    def run(self, side, case, *arguments):
        """Runs a program to its end; returns its output, and its seconds of CPU time."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            self.command(side, case, arguments),
            env=self.variables(side, case),
            capture_output=True,
            text=True,
            timeout=BUILDING,
            check=False,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        out = done.stdout if done.returncode == 0 else f"{done.stdout}exit status {done.returncode}\n{done.stderr}"
        return out, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    @contextlib.contextmanager
    def serving(self, side, case):
        """Runs a program that serves; yields it."""
        port = servers.free_port() if case.told else 0
        process = subprocess.Popen(
            self.command(side, case, ["serve", str(port)]),
            env=self.variables(side, case),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # A shell has its background processes ignore SIGINT.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        timer = threading.Timer(BUILDING, process.kill)
        timer.start()
        try:
            yield Server(process, case)
        finally:
            timer.cancel()
            if process.poll() is None:
                process.terminate()
            process.wait(DEADLINE)


class Server:
    """A program that serves."""

    def __init__(self, process, case):
        self._process, self._lines = process, []
        for line in process.stdout:
            self._lines.append(line)
            match = ADDRESS.search(line)
            if match and "building" not in line:
                break
        else:
            raise AssertionError(f"{case.program} does not serve:\n{''.join(self._lines)}")
        self._reader = threading.Thread(target=lambda: self._lines.extend(process.stdout), daemon=True)
        self._reader.start()
        self.port = int(match[1])
        if case.told:
            # It prints its address before it listens.
            servers.wait_for(self.port, process)

    def end(self, number):
        """Sends a signal; returns the output without its numbers, and the exit status as a shell shows it."""
        self._process.send_signal(number)
        status = self._process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        said = NUMBER.sub("N", "".join(line for line in self._lines if "building" not in line))
        return f"{said}ended with {128 - status if status < 0 else status}\n"


def outcome(place, case):
    """Returns the pairs of sides that agree with stock, and those that do not with their outputs."""
    results = {}
    if case.apart:
        place.install_apart()
    if case.server is not None:
        for side in ("stock", "component"):
            with case.server(place) as port:
                results[side] = place.run(side, case, str(port))[0]
        wanted = results.pop("stock")
    else:
        for serving, asking in (("stock", "stock"), ("stock", "component"), ("component", "stock")):
            name = "client" if asking == "component" else "server"
            with place.serving(serving, case) as server:
                said, _ = place.run(asking, case, "ask", str(server.port))
                results[(serving, asking) if serving == asking else name] = said.replace(str(server.port), "PORT")
        wanted = results.pop(("stock", "stock"))
    if "exit status" in wanted or not wanted:
        raise AssertionError(f"{case.program} fails with stock CPython:\n{wanted}")
    return wanted, results


def endings(place, case):
    """Returns the output and the end of a serving program after each signal: by the name of the signal, stock's first."""
    found = {}
    for number in (signal.SIGINT, signal.SIGTERM) if case.stops else ():
        for side in ("stock", "component"):
            with place.serving(side, case) as server:
                found.setdefault(number.name, []).append(server.end(number))
    return found


def verdict_of(place, case):
    """Runs a program, and prints what differs. Returns a row of the table, and `passed`, `failed` or `ignored`."""
    started = time.monotonic()
    names = " + ".join(f"{package} {place.version(package)}" for package in case.packages)
    kind = "passed"
    try:
        wanted, results = outcome(place, case)
        pairs = {name: (wanted, said) for name, said in results.items()} | endings(place, case)
        wrong = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
        verdict = {name: "different" if name in wrong else "=" for name in pairs}
        for name, (natively, said) in wrong.items():
            print(f"--- {case.program}, {name}: stock printed\n{natively}--- the component\n{said}---")
        if wrong:
            kind = "failed"
    except servers.Missing as reason:
        verdict, kind = {"component": f"left out: {reason}"}, "ignored"
    except (AssertionError, subprocess.TimeoutExpired) as reason:
        print(f"--- {case.program}: {reason}")
        verdict, kind = {"component": "fails"}, "failed"
    client = verdict.get("client", verdict.get("component", "–"))
    print(f"{names}: {verdict} ({time.monotonic() - started:.1f} s)", flush=True)
    return (names, client, verdict.get("server", "–"), case.program), kind


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--short", action="store_true", help="some of them, in less than a minute once all is built")
    parser.add_argument("--only", default="", help="those whose names contain this")
    parser.add_argument("--list", action="store_true", help="print the packages of these programs, and run nothing")
    parser.add_argument("--required", action="store_true", help="fail if a program is left out")
    parser.add_argument("--publish", action="store_true", help="write the table of docs/python-packages.md")
    parser.add_argument("--environment", type=Path, help="an environment that has componentize-py and the packages")
    options = parser.parse_args()
    cases = [case for case in CASES if options.only in case.program and (case.short or not options.short)]
    if options.list:
        print("\n".join(sorted({package for case in cases for package in case.packages})))
        return 0
    place = Place(options.environment)
    rows, kinds = [], collections.Counter()
    for case in cases:
        row, kind = verdict_of(place, case)
        rows.append(row)
        kinds[kind] += 1
    if options.publish:
        publish(rows)
    failed = kinds["failed"] + (kinds["ignored"] if options.required else 0)
    if failed > kinds["failed"]:
        print("a program was left out, and none may be")
    # `cargo xtask test` reads this line.
    print(f"test result: {kinds['passed']} passed; {kinds['failed']} failed; {kinds['ignored']} ignored", flush=True)
    return 1 if failed else 0


def publish(rows):
    """Writes the table."""
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    lines = [
        f"| {names} | {client} | {server} | [{program}](../tests/python/packages/programs/{program}.py) |"
        for names, client, server, program in rows
    ]
    table = "\n".join(["| package | as a client | as a server | program |", "|---|---|---|---|", *lines])
    PAGE.write_text(f"{head}{BEGIN}\n\n{table}\n\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
