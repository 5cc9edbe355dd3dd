"""`asyncio-streams run`: a program in the interpreter that is kept for its environment."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType

from .. import _given
from .program import Program
from .tools import Grants, Host


class Run:
    """One start of a program: from packing its files to its exit status."""

    def __init__(self, program: Program, interpreter: Path, host: Host, grants: Grants, arguments: list[str]) -> None:
        self._program = program
        self._interpreter = interpreter
        self._host = host
        self._grants = grants
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None
        self._asked = False
        # Whether a signal was meant to end the command.
        self.interrupted = False

    def to_the_end(self) -> int:
        """Runs it, and returns its exit status: as Python's, 128 more than its number for a signal. Raises CommandError."""
        with tempfile.TemporaryDirectory(prefix="asyncio-streams-") as name:
            folder = Path(name)
            self._program.pack(folder / _given.PACK)
            grants = replace(self._grants, folders=(*self._grants.folders, f"{folder}::{_given.FOLDER}"))
            command = self._host.command(self._interpreter, grants, self._arguments)
            with self._signals_passed_on():
                self._process = subprocess.Popen(command)
                if self._asked:
                    self.stop()
                status = self._process.wait()
            with contextlib.suppress(OSError, ValueError):
                status = int((folder / _given.STATUS).read_text(encoding="ascii")) & 0xFF
        return 128 - status if status < 0 else status

    def prepare(self, folder: Path) -> int:
        """Writes what a host runs into a folder, and returns 0. Raises CommandError.

        It is run by `wasmtime run --allow-precompiled --dir FOLDER::/.asyncio-streams FOLDER/interpreter.cwasm`.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._program.pack(folder / _given.PACK)
        interpreter = folder / "interpreter.cwasm"
        interpreter.unlink(missing_ok=True)
        try:
            os.link(self._interpreter, interpreter)
        except OSError:
            # On another file system.
            shutil.copyfile(self._interpreter, interpreter)
        return 0

    def stop(self) -> None:
        """Ends the program, from another thread too."""
        self._asked = True
        if self._process is not None:
            with contextlib.suppress(OSError):
                self._process.terminate()

    @contextlib.contextmanager
    def _signals_passed_on(self) -> Iterator[None]:
        """SIGINT from a terminal reaches the host by itself; SIGTERM is for this process alone."""

        def wait(number: int, frame: FrameType | None) -> None:
            self.interrupted = True

        def end(number: int, frame: FrameType | None) -> None:
            self.interrupted = True
            self.stop()

        before = [(number, signal.signal(number, what)) for number, what in ((signal.SIGINT, wait), (signal.SIGTERM, end))]
        try:
            yield
        finally:
            for number, what in before:
                signal.signal(number, what)
