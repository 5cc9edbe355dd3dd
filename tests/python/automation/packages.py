"""Programs that use packages of Python's index, and the own tests of packages: `tests/python/packages`."""

import argparse
import sys

from . import environment, interpreters, programs, requirements
from .errors import Failure
from .paths import ROOT
from .process import MINUTES, output_of, run

_FOLDER = ROOT / "tests" / "python" / "packages"

# Two interpreters with many packages are built and compiled.
_DEADLINE = 90 * MINUTES


def test(options: argparse.Namespace) -> None:
    """Runs all programs on both sides, then the packages' own tests; with `--short` only some programs.

    Raises LeftOut without the component with TLS, which these packages need.
    """
    programs.streams("the programs with packages", tls=True)
    if options.short:
        _short(options)
        return
    stock = interpreters.stock()
    more = [f"--{name}" for name in ("publish", "required") if getattr(options, name)]
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


def of_short_run() -> list[str]:
    """Returns the names of the packages that the programs of the short run use."""
    found = output_of([sys.executable, _FOLDER / "run.py", "--short", "--list"])
    if not found:
        raise Failure(f"{_FOLDER / 'run.py'} does not name its packages")
    return found.split()


def _short(options: argparse.Namespace) -> None:
    packages = [environment.COMPONENTIZE, *requirements.pinned(of_short_run())]
    python = environment.python("packages-short", packages, requirements.FILE)
    more = ["--required"] if options.required else []
    command = [python, _FOLDER / "run.py", "--short", "--environment", python.parents[1], *more]
    run(command, "the programs with packages", _DEADLINE)
