"""The own tests of websockets, inside a component and by stock CPython: `suites.py [--only MODULE]`.

The tests come from the repository of the package, which `git` clones at the tag of the version below, into
`target/python/suites`. Both sides run each module by the same runner of unittest, with the same version installed from
Python's index. The command prints each test that passes by stock only, and fails if `KNOWN` does not explain it.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import run

HERE = Path(__file__).resolve().parent
CPYTHON = HERE.parent / "cpython"
sys.path.insert(0, str(CPYTHON))

from verdicts import verdicts  # noqa: E402

DEADLINE = 1800
VERSION = "17.0.1"
REPOSITORY = "https://github.com/python-websockets/websockets"
FOLDER = run.ROOT / "target" / "python" / "suites"
# The tests over asyncio, and those without I/O. The others are for threads, for trio, and for the old interface.
PATTERNS = ("tests/asyncio/test_*.py", "tests/extensions/test_*.py", "tests/test_*.py")
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
}
# The tests' own factor for slow machines, for both sides: Python's own sockets are polled, up to 10 ms late.
FACTOR = "20"


def python():
    """The Python of an environment with the package and componentize-py."""
    place = FOLDER / "environment"
    found = place / "bin" / "python"
    if not (place / "installed").is_file():
        subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
        install = [found, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "componentize-py==0.25.1", f"websockets=={VERSION}"], check=True)
        (place / "installed").touch()
    return found


def sources():
    """The folder with the sources."""
    folder = FOLDER / f"websockets-{VERSION}"
    if not folder.is_dir():
        subprocess.run(["git", "clone", "--quiet", "--depth", "1", "--branch", VERSION, REPOSITORY, folder], check=True)
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--only", default="", help="modules whose names contain this")
    options = parser.parse_args()
    program, folder = python(), sources()
    total = passed = unexplained = 0
    for file in sorted(file for pattern in PATTERNS for file in folder.glob(pattern)):
        module = ".".join(file.relative_to(folder).with_suffix("").parts)
        if options.only not in module:
            continue
        natively, ours, ended = both(program, folder, module)
        native = {name for name, verdict in natively.items() if verdict == "ok"}
        missing = sorted(name for name in native if ours.get(name) != "ok")
        total, passed = total + len(native), passed + len(native) - len(missing)
        print(f"{module}: {len(native) - len(missing)} of {len(native)} {ended}", flush=True)
        for name in missing:
            reason = known(f"{module}.{name}")
            unexplained += not reason
            print(f"  {name}: {reason or ours.get(name, 'not run')}", flush=True)
    print(f"{passed} of the {total} tests that pass by stock pass inside a component; {unexplained} are not explained")
    return 1 if unexplained or not total else 0


def both(program, folder, module):
    """The verdicts of stock and of the component, and how the component ended unless well."""
    base = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", WEBSOCKETS_TESTS_TIMEOUT_FACTOR=FACTOR)
    command = [program, CPYTHON / "more_stock.py", module]
    variables = dict(base, PYTHONPATH=str(folder))
    done = subprocess.run(command, env=variables, cwd=folder, capture_output=True, text=True, timeout=DEADLINE, check=True)
    natively = verdicts(done.stdout)
    variables = dict(base, PYTHONPATH=str(run.ROOT / "bindings" / "python"))
    variables.setdefault("ASYNCIO_STREAMS_CACHE", str(run.ROOT / "target" / "python" / "cache"))
    # A short path, because that of a Unix socket has at most 107 bytes.
    with tempfile.TemporaryDirectory() as files:
        command = [program, "-m", "asyncio_streams", "run", "--with-tls", "--allow-network", "--all-packages"]
        command += [f"--allow-unix-connect={files}/", f"--allow-unix-listen={files}/", "--dir", files]
        command += ["--env", f"TMPDIR={files}", "--env", f"WEBSOCKETS_TESTS_TIMEOUT_FACTOR={FACTOR}"]
        command += ["-p", folder, "-p", CPYTHON, HERE / "suites_main.py", module]
        done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=DEADLINE, check=False)
    ended = f"(ended with {done.returncode}: {done.stderr.strip().splitlines()[-1:]})" if done.returncode else ""
    return natively, verdicts(done.stdout), ended


def known(name):
    """Why a test passes by stock only; empty if that is a fault."""
    return next((reason for pattern, reason in KNOWN.items() if re.fullmatch(pattern, name)), "")


if __name__ == "__main__":
    sys.exit(main())
