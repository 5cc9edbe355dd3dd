"""Other programs, each with a deadline."""

import os
import queue
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from .errors import Failure
from .paths import ROOT

# The deadline for making an environment and installing packages of some megabytes.
MINUTES = 60


def run(
    command: Sequence[str | Path], what: str, deadline: float = 10 * MINUTES, cwd: Path = ROOT, **variables: str
) -> None:
    """Runs a program to its end and shows its output. Raises Failure when it fails or exceeds the deadline in seconds."""
    try:
        done = subprocess.run(
            command, cwd=cwd, env=_environment(variables), timeout=deadline, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as reason:
        raise Failure(f"{what} had not ended after {deadline:.0f} s, and was ended") from reason
    except OSError as reason:
        raise Failure(f"{what}: cannot start {command[0]}: {reason}") from reason
    if done.returncode:
        raise Failure(f"{what} failed (exit status {done.returncode})")


def output_of(command: Sequence[str | Path]) -> str | None:
    """The standard output of a short command; None when it cannot be run or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


class Running:
    """A program whose lines are read while it runs. Leaving the `with` block ends it."""

    def __init__(self, command: Sequence[str | Path], what: str, deadline: float) -> None:
        self.what = what
        self._ends_at = time.monotonic() + deadline
        self._lines: queue.Queue[str | None] = queue.Queue()
        try:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=_environment({}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
        except OSError as reason:
            raise Failure(f"{what}: cannot start {command[0]}: {reason}") from reason
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def line(self) -> str | None:
        """The next line; None at the end of its output. Raises TimeoutError past the deadline."""
        left = max(0.0, self._ends_at - time.monotonic())
        try:
            line = self._lines.get(timeout=left)
        except queue.Empty:
            raise TimeoutError(f"{self.what} had not ended in time, and was ended") from None
        return line

    def status(self) -> int:
        """Waits for its end, which its last line announces. Returns the exit status."""
        return self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)


def _environment(variables: dict[str, str]) -> dict[str, str]:
    # Keep compiled files out of the sources.
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **variables}
