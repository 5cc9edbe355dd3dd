"""The program to build or run: its source, its imports, and its files in the format of the interpreter."""

from __future__ import annotations

import ast
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path

from .._bundle import Bundle, TooMuchError
from . import imports, source
from .errors import CommandError


class NoProgramError(CommandError):
    """The file is not a program in Python; the message is Python's own."""


class Program:
    """A program. Each access reads it again."""

    def __init__(self, file: Path, paths: Sequence[Path] = ()) -> None:
        self.file = file
        missing = [path for path in paths if not path.is_dir()]
        if missing:
            raise CommandError(f"-p {missing[0]}: there is no such folder", 2)
        self.places = [file.resolve().parent, *(path.resolve() for path in paths)]
        # The files and folders that `pack` has read.
        self.read: list[str] = []

    def source(self) -> str:
        """Returns the source. Raises NoProgramError, with Python's text and exit status."""
        return self._read()[0]

    def imports(self) -> imports.Imports:
        """Returns the imports of the program and of its own modules. Raises NoProgramError."""
        return imports.of_program(self._read()[1], self.places)

    def pack(self, target: Path) -> None:
        """Writes the program and its own modules into a file for the interpreter. Raises CommandError."""
        text, _ = self._read()
        bundle = Bundle()
        try:
            for place in self.places:
                bundle.take_own(str(place))
        except TooMuchError as reason:
            raise CommandError(str(reason)) from reason
        about = {
            # The path that Python shows in tracebacks and `__file__`.
            "name": os.path.abspath(self.file),
            "argument": str(self.file),
            "source": text,
            "places": [str(place) for place in self.places],
        }
        with target.open("wb") as file:
            bundle.dump(file, about)
        self.read = [str(self.file), *bundle.visited, *bundle.paths()]

    def _read(self) -> tuple[str, ast.Module]:
        # As Python shows it.
        name = os.path.abspath(self.file)
        try:
            data = self.file.read_bytes()
        except OSError as reason:
            raise NoProgramError(f"can't open file {name!r}: [Errno {reason.errno}] {reason.strerror}", 2) from reason
        try:
            with warnings.catch_warnings():
                # The component shows them.
                warnings.simplefilter("ignore")
                return source.read(data, name)
        except SyntaxError as reason:
            raise NoProgramError(_as_python_says(reason)) from reason


def _as_python_says(reason: SyntaxError) -> str:
    text = "".join(traceback.format_exception_only(reason)).rstrip()
    if sys.version_info < (3, 14):
        text += f"\n(read by Python {sys.version_info[0]}.{sys.version_info[1]}; components have 3.14)"
    return text
