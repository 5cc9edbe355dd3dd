"""Builds components: of one program, or of the interpreter alone, which receives programs when it starts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import _wit
from . import tools
from .errors import CommandError

_APP = "asyncio_streams_app"
_TEXT = """\
import wit_world.exports
from asyncio_streams import _program

_program.{function}(**{options!r})


class Run(wit_world.exports.Run):
    async def run(self):
        await _program.run()
"""
# Files that are not needed inside components.
_OUTSIDE = ("_command", "_carried", "build.py", "wit", "__pycache__")


class Workshop:
    """A folder in which one component is built."""

    def __init__(self, folder: Path, *, with_tls: bool, with_signals: bool, environment: Path | None) -> None:
        self._folder = folder
        self._with_tls = with_tls
        self._with_signals = with_signals
        self._environment = environment

    def of_program(  # noqa: PLR0917
        self,
        name: str,
        source: str,
        places: Sequence[Path],
        more: Sequence[str] = (),
        inline_executor: bool = True,
        wit: Sequence[Path] = (),
        worlds: Sequence[str] = (),
    ) -> Path:
        """Builds the component of a program whose modules are in `places`. Raises CommandError."""
        options = {
            "name": name,
            # componentize-py shows its folders to the program by these names.
            "places": [f"/{number}" for number in range(len(places))],
            "package": f"/{len(places)}",
            "workshop": f"/{len(places) + 1}",
            "more": list(more),
            "with_tls": self._with_tls,
            "inline_executor": inline_executor,
        }
        # Not part of the executed code, because errors show that code.
        return self._make("prepare", options, places, {"program": source}, wit, worlds)

    def of_interpreter(self, modules: Sequence[str], *, inline_executor: bool = True) -> Path:
        """Builds the component of the interpreter, with these modules already imported. Raises CommandError."""
        options = {
            "modules": list(modules),
            "package": "/0",
            "workshop": "/1",
            "with_tls": self._with_tls,
            "inline_executor": inline_executor,
        }
        return self._make("prepare_interpreter", options, (), {}, (), ())

    def notes(self) -> str:
        """Returns the notes of the build; empty if there are none."""
        notes = self._folder / "app" / "notes"
        return notes.read_text(encoding="utf-8").rstrip() if notes.is_file() else ""

    def _make(  # noqa: PLR0917
        self,
        function: str,
        options: dict[str, Any],
        places: Sequence[Path],
        files: Mapping[str, str],
        wit: Sequence[Path],
        worlds: Sequence[str],
    ) -> Path:
        try:
            _wit.write(self._folder / "wit", _wit.find(), with_tls=self._with_tls, with_signals=self._with_signals)
            app = self._folder / "app"
            app.mkdir()
            for name, text in {f"{_APP}.py": _TEXT.format(function=function, options=options), **files}.items():
                (app / name).write_text(text, encoding="utf-8")
            package = self._folder / "package"
            ours = Path(__file__).resolve().parents[1]
            shutil.copytree(ours, package / ours.name, ignore=shutil.ignore_patterns(*_OUTSIDE))
        except (OSError, _wit.NoWitError) as reason:
            raise CommandError(str(reason)) from reason
        part = self._folder / "part.wasm"
        command = [tools.componentize(), "--quiet", "-d", str(self._folder / "wit"), "-w", _wit.WORLD]
        for path in wit:
            command += ["-d", str(path)]
        for world in worlds:
            command += ["-w", world]
        command += ["componentize", _APP, "-o", str(part)]
        for place in [*places, package, app]:
            command += ["-p", str(place)]
        environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
        if self._environment is not None:
            # Its packages can be imported, but not those of other Pythons on the machine.
            environment["VIRTUAL_ENV"] = str(self._environment)
        tools.call(command, "componentize-py", environment)
        return part
