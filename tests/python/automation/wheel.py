"""The wheel: the package with the components and the program `streams` of this checkout."""

import argparse
from pathlib import Path

from . import environment, interpreters
from .paths import PACKAGE, TARGET
from .process import MINUTES, run

# The program that the wheel contains, at cargo's output path.
STREAMS = str(TARGET / "release" / "streams")

# The tools that make wheels, in versions that work.
_TOOLS = ["build==1.6.1", "setuptools==84.2.1"]

# They build three interpreters, which takes most of the time.
_TESTS = "tests.python.installed.test_installed"

# pip also downloads componentize-py, of 40 MB.
_DEADLINE = 30 * MINUTES


def make(options: argparse.Namespace) -> None:
    """Makes the wheel of the built components and the program `streams`, into `target/dist`."""
    tool = environment.python("dist", _TOOLS)
    run([tool, PACKAGE / "tools" / "wheel.py", "--streams", Path(options.streams).resolve()], "making the wheel")


def test(options: argparse.Namespace) -> None:
    """Makes the wheel, installs it into an empty environment, and tests `asyncio-streams run` there."""
    stock = interpreters.stock()
    make(options)
    run([stock.program, "-m", "unittest", "--verbose", _TESTS], "the tests of the installed wheel", _DEADLINE)
    print("test result: ok. 1 passed; 0 failed; 0 ignored", flush=True)
