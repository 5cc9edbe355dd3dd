"""`asyncio-streams run --watch`: restarts the program when one of its own files changes."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from .run import Run

# The interval at which files are checked.
_SECONDS = 0.4
_NO_SOURCES = frozenset({"__pycache__", "node_modules", "target", "venv"})


def watch(places: Sequence[Path], start: Callable[[], Run | None]) -> int:
    """Runs what `start` returns, ends it when a source in `places` changes, and starts again.

    After a program has ended by itself, and after a `start` that returned none, it waits for a change. After a signal
    it returns the exit status of the last run.
    """
    while True:
        change = _Change(places)
        run = start()
        if run is not None:
            change.then(run.stop)
            status = run.to_the_end()
            if run.interrupted:
                return status
        if not change.has_come():
            print("asyncio-streams: the program has ended; waiting for a change", file=sys.stderr)
            change.wait()
        print("asyncio-streams: a file has changed; starting again", file=sys.stderr)


class _Change:
    """The first change of a source after the creation of this object."""

    def __init__(self, places: Sequence[Path]) -> None:
        self._places = places
        self._seen = _state(places)
        self._come = threading.Event()

    def then(self, call: Callable[[], None]) -> None:
        """Calls `call` in a separate thread when the change happens."""

        def look() -> None:
            self.wait()
            call()

        threading.Thread(target=look, daemon=True).start()

    def has_come(self) -> bool:
        """Returns whether a source has changed."""
        return self._come.is_set() or _state(self._places) != self._seen

    def wait(self) -> None:
        """Waits for the change."""
        while not self.has_come():
            self._come.wait(_SECONDS)
        self._come.set()


def _state(places: Sequence[Path]) -> dict[str, int]:
    """Returns the time of each source's last change."""
    found = {}
    for place in places:
        for folder, inner, names in os.walk(place):
            inner[:] = [name for name in inner if not name.startswith(".") and name not in _NO_SOURCES]
            for name in names:
                if name.endswith(".py"):
                    path = os.path.join(folder, name)
                    try:
                        found[path] = os.stat(path).st_mtime_ns
                    except OSError:
                        continue
    return found
