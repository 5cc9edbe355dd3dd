"""More of CPython's tests of asyncio, counted beside stock: `more.py [--only MODULE] [--publish]`.

The tests are those of the Python that runs this script, 3.13 or later, whose package `test` must be installed. Stock
runs them with unittest. A component runs them one after the other in its loop, rewritten like those of `test-python`.
The result is a table in docs/python.md.
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import test

from verdicts import verdicts

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PAGE = ROOT / "docs" / "python.md"
BEGIN, END = "<!-- more: `tests/python/cpython/more.py --publish` writes them -->", "<!-- end of more -->"
MODULES = (
    "test_buffered_proto test_futures test_locks test_queues test_sendfile test_server test_sock_lowlevel test_streams "
    "test_taskgroups test_tasks test_timeouts test_waitfor"
).split()
DEADLINE = 1800
SUPPORT = ("__init__.py", "test_asyncio/__init__.py", "test_asyncio/utils.py", "test_asyncio/functional.py")
DATA = ("certdata/ssl_cert.pem", "certdata/ssl_key.pem", "certdata/keycert3.pem", "certdata/pycacert.pem")


def tests():
    """Copies the tests into a separate folder."""
    package = Path(test.__file__).parent
    folder = ROOT / "target" / "python" / "cpython-more"
    shutil.rmtree(folder, ignore_errors=True)
    names = [*SUPPORT, *DATA, *(f"test_asyncio/{name}.py" for name in MODULES)]
    names += [f"support/{file.name}" for file in (package / "support").glob("*.py")]
    for name in names:
        target = folder / "test" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(package / name, target)
    return folder


def stock(module):
    """The verdicts of stock CPython."""
    command = [sys.executable, HERE / "more_stock.py", f"test.test_asyncio.{module}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=True)
    return verdicts(done.stdout)


@contextlib.contextmanager
def outside(folder, tests):
    """The process in place of the tests' threads; returns its addresses, as variables."""
    files = [tests / "test" / "certdata" / name for name in ("ssl_cert.pem", "ssl_key.pem")]
    command = [sys.executable, HERE / "outside.py", folder, *files]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield [process.stdout.readline().strip() for _ in range(6)]
        finally:
            process.terminate()


def component(module, folder, python, files, variables):
    """The verdicts of the component, each with its reason."""
    command = [python, "-m", "asyncio_streams", "run", "--with-tls", "--allow-network", "--dir", files]
    command += [f"--allow-unix-connect={files}/", f"--allow-unix-listen={files}/"]
    command += [word for variable in variables for word in ("--env", variable)]
    command += ["-p", folder, HERE / "more_main.py", module, files]
    environment = dict(os.environ, PYTHONPATH=str(ROOT / "bindings" / "python"), PYTHONDONTWRITEBYTECODE="1")
    environment.setdefault("ASYNCIO_STREAMS_CACHE", str(ROOT / "target" / "python" / "cache"))
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=DEADLINE, check=False)
    found = verdicts(done.stdout)
    if done.returncode:
        found["(the module)"] = f"ended with {done.returncode}: {done.stderr.strip().splitlines()[-1:]}"
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--only", default="", help="modules whose names contain this")
    parser.add_argument("--publish", action="store_true", help="write the table of docs/python.md")
    options = parser.parse_args()
    python = ROOT / "target" / "python" / "environment" / "bin" / "python"
    folder, rows = tests(), []
    for module in MODULES:
        if options.only not in module:
            continue
        natively = stock(module)
        # A short path, because that of a Unix socket has at most 107 bytes.
        with tempfile.TemporaryDirectory() as files, outside(files, folder) as variables:
            ours = component(module, folder, python, files, variables)
        passed = {name for name, verdict in ours.items() if verdict == "ok"}
        native = {name for name, verdict in natively.items() if verdict == "ok"}
        skipped = sum(verdict.startswith("skipped") for verdict in ours.values())
        for name in sorted(native - passed):
            if not ours.get(name, "").startswith("skipped"):
                print(f"  {module}.{name}: {ours.get(name, 'not run')}")
        rows.append((module, len(natively), len(native), len(passed & native), skipped))
        print(
            f"{module}: {len(native)} of {len(natively)} pass with stock, {len(passed & native)} of these here", flush=True
        )
    if options.publish:
        lines = [
            f"| `{module}` | {count} | {native} | {ours} | {skipped} |" for module, count, native, ours, skipped in rows
        ]
        head = [
            "| module | tests | passed by stock | of these, inside a component | skipped there |",
            "|---|--:|--:|--:|--:|",
        ]
        text = PAGE.read_text(encoding="utf-8")
        before, _, rest = text.partition(BEGIN)
        _, _, after = rest.partition(END)
        PAGE.write_text(f"{before}{BEGIN}\n\n{chr(10).join(head + lines)}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
