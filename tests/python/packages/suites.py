"""The own tests of websockets and redis, inside a component and by stock CPython: `suites.py [--only MODULE]`.

The tests of websockets come from its repository, which `git` clones; those of redis are in its archive on Python's
index. Both sides run each module by the same runner, with the same version installed: that of unittest, or for redis
`pytest_main.py`, with a fresh redis server. The command prints each test that passes by stock only, and fails if
`KNOWN` does not explain it. A module with such a test runs inside a component a second time.
"""

import argparse
import contextlib
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import run
import servers

HERE = Path(__file__).resolve().parent
CPYTHON = HERE.parent / "cpython"
sys.path.insert(0, str(CPYTHON))

from verdicts import verdicts  # noqa: E402

DEADLINE = 1800
WEBSOCKETS, REDIS = "17.0.1", "8.1.0"
REPOSITORY = "https://github.com/python-websockets/websockets"
FOLDER = run.ROOT / "target" / "python" / "suites"
COMPONENTIZE = "componentize-py==0.25.1"
# In versions, so that results are comparable.
WITH_WEBSOCKETS = (f"websockets=={WEBSOCKETS}",)
WITH_REDIS = (f"redis=={REDIS}", "pytest==9.2.0", "pytest-asyncio==1.5.0", "packaging==26.4", "pygments==2.21.0")


@dataclass(frozen=True)
class Suite:
    """The tests of a package, and how both sides run one of its modules."""

    sources: Callable[[], Path]
    patterns: tuple[str, ...]
    # What is installed beside the environment, in a folder of its own: one interpreter is enough for all.
    packages: tuple[str, ...]
    # The programs that run a module.
    stock: Path
    component: Path
    variables: tuple[str, ...] = ()
    # Whether a module needs a redis server, whose address is an argument.
    redis: bool = False


# Why a test passes by stock only: a pattern of its name, `MODULE.CLASS.METHOD`, and the reason.
KNOWN = {
    r"tests\.asyncio\.test_client\.SecureClientTests\.test_reject_invalid_server_certificate": (
        "OpenSSL's text for a certificate that signed itself: rustls only says that its authority is unknown"
    ),
    r"tests\.asyncio\.test_connection\.(Client|Server)ConnectionTests\.test_(backpressure|broadcast_skips_closing_connection|"
    r"recv_streaming_cancellation_while_receiving|send_during_send|send_while_send(_async)?_blocked)": (
        "it expects bytes of a socket pair one or two turns of the loop after they were written: inside a component that is a TCP "
        "connection, whose sockets are polled"
    ),
    r"tests\.test_utils\.SpeedupsTests\..*": "the compiled part of websockets, which a component runs without",
    r"tests\.test_cli\..*": "the module starts servers in threads, which a component does not have",
    r"tests\.test_asyncio\.test_connection\.test_connection\.test_unix_socket_connection_failure": (
        "it expects the number of a missing file in the message, 2: in WASI it is 44"
    ),
}
# The tests' own factor for slow machines, for both sides: Python's own sockets are polled, up to 10 ms late.
FACTOR = "WEBSOCKETS_TESTS_TIMEOUT_FACTOR=20"


def python():
    """The Python of the environment of `cargo xtask test-python`, which has componentize-py and no other package."""
    place = FOLDER.parent / "environment"
    found = place / "bin" / "python"
    if not (place / "bin" / "componentize-py").is_file():
        subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
        pip(found, "install", COMPONENTIZE)
    return found


def installed(packages):
    """The folder with these packages."""
    folder = FOLDER / packages[0].replace("==", "-packages-")
    if not folder.is_dir():
        with tempfile.TemporaryDirectory(dir=FOLDER) as fresh:
            pip(python(), "install", "--target", Path(fresh) / "made", *packages)
            (Path(fresh) / "made").rename(folder)
    return folder


def pip(program, command, *arguments):
    """Runs pip."""
    subprocess.run([program, "-m", "pip", command, "--quiet", "--disable-pip-version-check", *arguments], check=True)


def websockets():
    """The folder with the sources of websockets."""
    folder = FOLDER / f"websockets-{WEBSOCKETS}"
    if not folder.is_dir():
        clone = ["git", "clone", "--quiet", "--depth", "1", "--branch", WEBSOCKETS, REPOSITORY, folder]
        done = subprocess.run(clone, capture_output=True, text=True, check=False)
        if done.returncode:
            raise servers.Missing(f"the tests of websockets, because git cannot clone {REPOSITORY}: {done.stderr.strip()}")
    return folder


def redis():
    """The folder with the tests of redis, without the package."""
    name = f"redis-{REDIS}"
    if not (FOLDER / name).is_dir():
        archive = FOLDER / f"{name}.tar.gz"
        if not archive.is_file():
            pip(python(), "download", "--no-deps", "--no-binary=redis", "--dest", FOLDER, f"redis=={REDIS}")
        with tempfile.TemporaryDirectory(dir=FOLDER) as fresh, tarfile.open(archive) as content:
            members = [member for member in content if member.name.startswith(f"{name}/tests/")]
            content.extractall(fresh, members, filter="data")
            (Path(fresh) / name).rename(FOLDER / name)
    return FOLDER / name


OF_REDIS = (
    "client commands connect connection connection_pool cwe_404 encoding keyspace_notifications lock monitor "
    "observability/test_recorder pipeline pubsub retry scripting sentinel sentinel_managed_connection usage_counter utils"
).split()
SUITES = (
    # The tests over asyncio, and those without I/O. The others are for threads, for trio, and for the old interface.
    Suite(
        websockets,
        ("tests/asyncio/test_*.py", "tests/extensions/test_*.py", "tests/test_*.py"),
        WITH_WEBSOCKETS,
        CPYTHON / "more_stock.py",
        HERE / "suites_main.py",
        variables=(FACTOR,),
    ),
    # Its tests over asyncio. The others are for clusters, for modules of the server, and for accounts elsewhere.
    Suite(
        redis,
        tuple(f"tests/test_asyncio/test_{name}.py" for name in OF_REDIS),
        WITH_REDIS,
        HERE / "pytest_main.py",
        HERE / "pytest_main.py",
        redis=True,
    ),
)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--only", default="", help="modules whose names contain this")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    total = passed = unexplained = 0
    for suite in SUITES:
        try:
            folder = suite.sources()
        except servers.Missing as reason:
            print(f"left out: {reason}", flush=True)
            continue
        for file in sorted(file for pattern in suite.patterns for file in folder.glob(pattern)):
            module = ".".join(file.relative_to(folder).with_suffix("").parts)
            if options.only not in module:
                continue
            try:
                natively = by_stock(suite, folder, module)
                ours, ended = inside(suite, folder, module)
                native = {name for name, verdict in natively.items() if verdict == "ok"}
                faults = [name for name in native if ours.get(name) != "ok" and not known(f"{module}.{name}")]
                # Some tests allow milliseconds. A busy machine fails other ones in a second run.
                again = inside(suite, folder, module)[0] if faults else {}
            except servers.Missing as reason:
                print(f"{module}: left out: {reason}", flush=True)
                continue
            late = {name for name in faults if again.get(name) == "ok"}
            missing = sorted(name for name in native - late if ours.get(name) != "ok")
            total, passed = total + len(native), passed + len(native) - len(missing)
            print(f"{module}: {len(native) - len(missing)} of {len(native)} {ended}", flush=True)
            for name in sorted(late):
                print(f"  {name}: only in the second of two runs; first {ours.get(name, 'not run')}", flush=True)
            for name in missing:
                reason = known(f"{module}.{name}")
                unexplained += not reason
                print(f"  {name}: {reason or ours.get(name, 'not run')}", flush=True)
    print(f"{passed} of the {total} tests that pass by stock pass inside a component; {unexplained} are not explained")
    return 1 if unexplained or not total else 0


class Peers:
    """The place of servers from Debian's packages."""

    peers = run.ROOT / "target" / "peers"


@contextlib.contextmanager
def arguments(suite):
    """The arguments beside the module: the address of a server that lives as long."""
    if not suite.redis:
        yield []
        return
    with servers.redis(Peers, "--enable-debug-command", "local") as port:
        yield [f"--redis-url=redis://127.0.0.1:{port}/0"]


def by_stock(suite, folder, module):
    """The verdicts of stock."""
    variables = dict(base(suite), PYTHONPATH=os.pathsep.join(map(str, places(suite, folder))))
    with arguments(suite) as more:
        done = subprocess.run(
            [python(), suite.stock, module, *more],
            env=variables,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=True,
        )
    return verdicts(done.stdout)


def inside(suite, folder, module):
    """The verdicts of the component, and how it ended unless well."""
    variables = dict(base(suite), PYTHONPATH=str(run.ROOT / "bindings" / "python"))
    variables.setdefault("ASYNCIO_STREAMS_CACHE", str(run.ROOT / "target" / "python" / "cache"))
    # A short path, because that of a Unix socket has at most 107 bytes.
    with tempfile.TemporaryDirectory() as files, arguments(suite) as more:
        command = [python(), "-m", "asyncio_streams", "run", "--with-tls", "--allow-network"]
        command += [f"--allow-unix-connect={files}/", f"--allow-unix-listen={files}/", "--dir", files]
        command += [word for variable in (f"TMPDIR={files}", *suite.variables) for word in ("--env", variable)]
        command += [word for place in (*places(suite, folder), CPYTHON, HERE) for word in ("-p", place)]
        command += [suite.component, module, *more]
        done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=DEADLINE, check=False)
    ended = f"(ended with {done.returncode}: {done.stderr.strip().splitlines()[-1:]})" if done.returncode else ""
    return verdicts(done.stdout), ended


def base(suite):
    """The variables of both sides."""
    return dict(os.environ, PYTHONDONTWRITEBYTECODE="1") | dict(variable.split("=", 1) for variable in suite.variables)


def places(suite, folder):
    """The folders of the tests and of their packages."""
    return [folder, installed(suite.packages)]


def known(name):
    """Why a test passes by stock only; empty if that is a fault."""
    return next((reason for pattern, reason in KNOWN.items() if re.fullmatch(pattern, name)), "")


if __name__ == "__main__":
    sys.exit(main())
