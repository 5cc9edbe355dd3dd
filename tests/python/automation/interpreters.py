"""The CPythons of this machine."""

import os
from dataclasses import dataclass
from pathlib import Path

from .errors import LeftOut
from .paths import on_path
from .process import output_of

_NAMES = ["python3.15", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python3"]


@dataclass(frozen=True)
class Interpreter:
    """A CPython of this machine."""

    program: Path
    # As `3.13.5`.
    version: str

    @property
    def numbers(self) -> list[int]:
        """The version for comparisons."""
        return numbers(self.version)

    def evaluate(self, imports: str, expression: str) -> str | None:
        """The printed value of an expression; None when it fails."""
        return output_of([self.program, "-c", f"import {imports}; print({expression})"])


def all_of_them() -> list[Interpreter]:
    """All CPythons, the newest first."""
    programs = [found for found in map(on_path, _NAMES) if found] + _of_pyenv()
    found = [interpreter for interpreter in map(_look_at, programs) if interpreter]
    return sorted(found, key=lambda interpreter: interpreter.numbers, reverse=True)


def stock() -> Interpreter:
    """The newest CPython that the tests and the benchmark compare with: 3.11 or later."""
    for interpreter in all_of_them():
        if interpreter.numbers >= [3, 11]:
            return interpreter
    raise LeftOut("there is no Python 3.11 or later on PATH")


def with_venv() -> Interpreter:
    """A CPython that makes environments: `python3` if it fits."""
    by_preference = sorted(all_of_them(), key=lambda interpreter: interpreter.program.name != "python3")
    for interpreter in by_preference:
        if interpreter.numbers >= [3, 10] and interpreter.evaluate("venv, ensurepip", "venv.__name__"):
            return interpreter
    raise LeftOut("there is no Python 3.10 or later with its module `venv` (on Debian: python3 and python3-venv)")


def numbers(version: str) -> list[int]:
    """`3.13.5` as numbers, up to the first part that is not a number, as in `3.15.0a1`."""
    found = []
    for part in version.split("."):
        if not part.isdecimal():
            break
        found.append(int(part))
    return found


def _of_pyenv() -> list[Path]:
    # PATH has one program of pyenv for all versions, which starts only one of them.
    root = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    return sorted(Path(root, "versions").glob("*/bin/python3"))


def _look_at(program: Path) -> Interpreter | None:
    said = output_of([program, "-c", "import platform as p; print(p.python_implementation(), p.python_version())"]) or ""
    kind, _, version = said.partition(" ")
    return Interpreter(program, version) if kind == "CPython" and len(numbers(version)) > 1 else None
