"""`asyncio-streams run --watch`: starts the program anew when a file of its own changes."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from .run import Run

# How often files are looked at.
_SECONDS = 0.4
_NO_SOURCES = frozenset({"__pycache__", "node_modules", "target", "venv"})


def watch(places: Sequence[Path], start: Callable[[], Run | None]) -> int:
    """Runs what `start` returns, ends it when a source in `places` changes, and starts again.

    After a program that has ended by itself, and after a `start` without one, it waits for a change. Returns the exit status
    of the last run once a signal has ended that.
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
    """The first change of a source after this was made."""

    def __init__(self, places: Sequence[Path]) -> None:
        self._places = places
        self._seen = _state(places)
        self._come = threading.Event()

    def then(self, call: Callable[[], None]) -> None:
        """Calls `call` when it comes, in a thread of its own."""

        def look() -> None:
            self.wait()
            call()

        threading.Thread(target=look, daemon=True).start()

    def has_come(self) -> bool:
        """Whether it has."""
        return self._come.is_set() or _state(self._places) != self._seen

    def wait(self) -> None:
        """Waits for it."""
        while not self.has_come():
            self._come.wait(_SECONDS)
        self._come.set()


def _state(places: Sequence[Path]) -> dict[str, int]:
    """When each source was changed last."""
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
