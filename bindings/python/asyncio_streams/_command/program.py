"""The program that is to be built or run: its source, its imports, and its files as the interpreter takes them."""

from __future__ import annotations

import ast
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from .._bundle import Bundle, TooMuchError
from . import imports
from .errors import CommandError


class NoProgramError(CommandError):
    """The file is no program in Python; the text is what Python says of it."""


class Program:
    """A program, read anew whenever it is asked for something."""

    def __init__(self, file: Path, paths: Sequence[Path] = ()) -> None:
        self.file = file
        missing = [path for path in paths if not path.is_dir()]
        if missing:
            raise CommandError(f"-p {missing[0]}: there is no such folder", 2)
        self.places = [file.resolve().parent, *(path.resolve() for path in paths)]

    def source(self) -> str:
        """The text. Raises NoProgramError, with Python's text and exit status."""
        return self._read()[0]

    def imports(self) -> imports.Imports:
        """What the program and its own modules import. Raises NoProgramError."""
        return imports.of_program(self._read()[1], self.places)

    def pack(self, target: Path) -> None:
        """Writes the program and its own modules into a file for the interpreter. Raises CommandError."""
        source, _ = self._read()
        bundle = Bundle()
        try:
            for place in self.places:
                bundle.take_own(str(place))
        except TooMuchError as reason:
            raise CommandError(str(reason)) from reason
        about = {
            # As Python shows it, in tracebacks and `__file__`.
            "name": os.path.abspath(self.file),
            "argument": str(self.file),
            "source": source,
            "places": [str(place) for place in self.places],
        }
        with target.open("wb") as file:
            bundle.dump(file, about)

    def _read(self) -> tuple[str, ast.Module]:
        try:
            data = self.file.read_bytes()
        except OSError as reason:
            raise NoProgramError(
                f"can't open file {str(self.file)!r}: [Errno {reason.errno}] {reason.strerror}", 2
            ) from reason
        try:
            source = data.decode("utf-8-sig")
            return source, ast.parse(source, str(self.file))
        except SyntaxError as reason:
            raise NoProgramError(_as_python_says(reason)) from reason
        except ValueError as reason:
            raise NoProgramError(f"{self.file}: {reason}") from reason


def _as_python_says(reason: SyntaxError) -> str:
    text = "".join(traceback.format_exception_only(reason)).rstrip()
    if sys.version_info < (3, 14):
        text += f"\n(read by Python {sys.version_info[0]}.{sys.version_info[1]}; components have 3.14)"
    return text
