"""Programs that use packages of Python's index, and the own tests of packages: `tests/python/packages`."""

import argparse

from . import interpreters
from .errors import Failure
from .paths import ROOT
from .process import MINUTES, run

_FOLDER = ROOT / "tests" / "python" / "packages"

# Two interpreters with many packages are built and compiled.
_DEADLINE = 90 * MINUTES


def test(options: argparse.Namespace) -> None:
    """Runs all programs on both sides, then the packages' own tests."""
    stock = interpreters.stock()
    more = ["--publish"] if options.publish else []
    failures = []
    for command, what in (
        (["run.py", *more], "the programs with packages"),
        (["suites.py"], "the packages' own tests"),
    ):
        # Run the second part after a failure of the first one too: each takes half an hour.
        try:
            run([stock.program, _FOLDER / command[0], *command[1:]], what, _DEADLINE)
        except Failure as reason:
            failures.append(str(reason))
    if failures:
        raise Failure("\n".join(failures))
