"""Programs that use packages of Python's index, and the own tests of packages: `tests/python/packages`."""

import argparse

from . import interpreters
from .paths import ROOT
from .process import MINUTES, run

_FOLDER = ROOT / "tests" / "python" / "packages"

# Two interpreters with many packages are built and compiled.
_DEADLINE = 90 * MINUTES


def test(options: argparse.Namespace) -> None:
    """Runs all programs on both sides, then the packages' own tests."""
    stock = interpreters.stock()
    more = ["--publish"] if options.publish else []
    run([stock.program, _FOLDER / "run.py", *more], "the programs with packages", _DEADLINE)
    run([stock.program, _FOLDER / "suites.py"], "the packages' own tests", _DEADLINE)
