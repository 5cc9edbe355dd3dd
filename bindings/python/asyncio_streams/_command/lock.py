"""A lock between commands that make the same file or folder of the cache."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def one_at_a_time(place: Path) -> Iterator[None]:
    """Makes a second command wait until the first one has made `place`, if the system has such locks.

    Makes the folder of `place`.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:
        yield
        return
    with place.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
