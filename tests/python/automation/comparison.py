"""`cargo xtask test-python`: CPython's own tests inside a component, with asyncio's streams and with this
project's."""

import argparse
import contextlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import cpython, interpreters, programs, table
from .errors import Failure
from .outcome import Outcome, Pair
from .paths import ROOT, given
from .process import Running

# The program that runs one of the tests, with the modules that it needs.
_FOLDER = ROOT / "tests" / "python" / "cpython"

# With asyncio's own streams at least this many pass. Fewer mean that the setup is broken, and the result proves
# nothing.
_LEAST = 70

# A test ends after a minute; this deadline is for one that never waits.
_DEADLINE = 90


def command(options: argparse.Namespace) -> None:
    """Runs the tests on both sides, prints the table, and fails when a test fails with this project's streams
    alone."""
    # Local requirements first, before anything is downloaded.
    stock = interpreters.stock()
    tests = cpython.tests()
    program = programs.Program(_FOLDER / "main.py", (_FOLDER, tests.folder), "cpython-tests")
    component = programs.compiled(program)
    with _outside(stock.program) as variables:
        pairs = _run(_Component(component, variables), options.only)
    markdown = table.markdown(tests.source, pairs)
    print(f"\n{markdown}")
    if not options.only:
        _check_stock(pairs)
    if options.publish:
        table.publish(markdown)
    _judge(pairs)


def _run(component: "_Component", only: str) -> list[Pair]:
    """Runs the tests, one on each core; each is a separate process."""

    def run(name: str) -> Pair:
        pair = Pair(name, component.outcome("stock", name), component.outcome("ours", name))
        print(f"{'!!! ' if pair.complaint() else ''}{name}", flush=True)
        return pair

    names = [name for name in component.names() if only in name]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return list(pool.map(run, names))


def _judge(pairs: list[Pair]) -> None:
    complaints = [complaint for complaint in map(Pair.complaint, pairs) if complaint]
    passed = sum(pair.ours.kind == "passed" for pair in pairs)
    skipped = sum(pair.ours.kind == "skipped" for pair in pairs)
    print(f"test result: {passed} passed; {len(complaints)} failed; {skipped} ignored", flush=True)
    if complaints:
        raise Failure("\n\n".join(complaints))


def _check_stock(pairs: list[Pair]) -> None:
    passed = sum(pair.stock.kind == "passed" for pair in pairs)
    if passed < _LEAST:
        failed = [f"{pair.name}:\n{pair.stock.text}" for pair in pairs if pair.stock.kind == "failed"]
        reasons = "\n\n".join(failed)
        raise Failure(f"with asyncio's own streams only {passed} tests pass, of {_LEAST} at least\n{reasons}")


class _Component:
    """The compiled component, and the addresses of the process beside it."""

    def __init__(self, compiled: Path, variables: list[str]) -> None:
        self._command = [given("WASMTIME"), "run", "--allow-precompiled", "-S", "inherit-network"]
        self._command += ["-S", "allow-ip-name-lookup"]
        for variable in variables:
            self._command += ["--env", variable]
        self._command.append(compiled)

    def names(self) -> list[str]:
        """The names of the tests."""
        lines, well = self._printed("list")
        if not well or not lines:
            raise Failure("the component does not name its tests:\n" + "\n".join(lines))
        return lines

    def outcome(self, side: str, name: str) -> Outcome:
        """Runs one test on one side."""
        return Outcome.of(*self._printed(side, name))

    def _printed(self, *arguments: str) -> tuple[list[str], bool]:
        """Returns the lines of both outputs, and whether it exited with success."""
        lines: list[str] = []
        with Running([*self._command, *arguments], f"CPython's test {' '.join(arguments)}", _DEADLINE) as running:
            try:
                while (line := running.line()) is not None:
                    lines.append(line)
            except TimeoutError as reason:
                return [*lines, str(reason)], False
            status = running.status()
        if status:
            lines.append(f"exit status {status}")
        return lines, not status


@contextlib.contextmanager
def _outside(python: Path) -> Iterator[list[str]]:
    """The process beside the component, in place of the tests' threads. Yields its addresses, as variables."""
    with Running([python, _FOLDER / "outside.py"], "the process beside CPython's tests", 60) as running:
        variables = []
        for _ in range(3):
            line = running.line()
            if line is None:
                raise Failure("the process beside CPython's tests ended before it listened")
            variables.append(line)
        yield variables
