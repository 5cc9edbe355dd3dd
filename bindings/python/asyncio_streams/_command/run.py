"""`asyncio-streams run`: runs a program in the cached interpreter of its environment."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType

from .. import _given
from .base import remove_old
from .program import Program
from .tools import Grants, Host

# The number of cached programs. The least recently used ones are deleted.
_KEPT = 64


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
        # Whether a signal asked the command to end.
        self.interrupted = False

    def to_the_end(self) -> int:
        """Runs it, and returns its exit status; as in Python, 128 plus its number for a signal. Raises CommandError."""
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
        return 128 - status if status < 0 else status

    def kept(self, cache: Path) -> tuple[list[str], Path]:
        """Writes the program into the cache, and returns the command that runs it, and its folder there.

        The program can only read that folder. Raises CommandError.
        """
        programs = cache / "programs"
        programs.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="new-", dir=programs) as name:
            pack = Path(name) / _given.PACK
            self._program.pack(pack)
            place = programs / hashlib.sha256(pack.read_bytes()).hexdigest()[:32]
            place.mkdir(exist_ok=True)
            # Replace the file atomically: another start may be reading it.
            pack.replace(place / _given.PACK)
        os.utime(place)
        remove_old(programs, _KEPT)
        grants = replace(self._grants, readable=(*self._grants.readable, f"{place}::{_given.FOLDER}"))
        return self._host.command(self._interpreter, grants, self._arguments), place

    def prepare(self, folder: Path) -> int:
        """Writes the files for a host into a folder, and returns 0. Raises CommandError.

        `wasmtime run --allow-precompiled --dir FOLDER::/.asyncio-streams FOLDER/interpreter.cwasm` runs them.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._program.pack(folder / _given.PACK)
        interpreter = folder / "interpreter.cwasm"
        interpreter.unlink(missing_ok=True)
        try:
            os.link(self._interpreter, interpreter)
        except OSError:
            # The cache is on another file system.
            shutil.copyfile(self._interpreter, interpreter)
        return 0

    def stop(self) -> None:
        """Ends the program. It may be called from another thread."""
        self._asked = True
        if self._process is not None:
            with contextlib.suppress(OSError):
                self._process.terminate()

    @contextlib.contextmanager
    def _signals_passed_on(self) -> Iterator[None]:
        """Forwards signals. SIGINT from a terminal reaches the host by itself; SIGTERM reaches only this process."""

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


def become(command: list[str]) -> None:
    """Replaces this process by a command. Signals and the exit status are then the host's own."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(command[0], command)
