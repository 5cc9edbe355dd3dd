"""Locks of a program with one thread: an endless wait raises RuntimeError, and a wait with a timeout sleeps.

Everything in `threading` and `queue` waits for such a lock, except RLock, whose owner is always the one thread.
"""

from __future__ import annotations

import _queue
import _thread
import queue
import threading
import time
from typing import Any, NoReturn

_ENDLESS = (
    "this wait would never end: a component has one thread, so no other thread can release this lock, notify this "
    "condition or fill this queue. Await asyncio.Lock, Event, Condition, Queue or wrap_future instead, or set a timeout"
)
_Stock: Any = _thread.allocate_lock


class Lock:
    """Python's lock, which no other thread can release."""

    __slots__ = ("__weakref__", "_lock", "locked", "locked_lock", "release", "release_lock")

    def __init__(self) -> None:
        self._lock = lock = _Stock()
        # Calls of these cost no more than those of Python's lock.
        self.release = self.release_lock = lock.release
        self.locked = self.locked_lock = lock.locked

    def __init_subclass__(cls) -> NoReturn:
        raise TypeError("type '_thread.lock' is not an acceptable base type")

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Locks the lock, and returns whether it did.

        If the lock is held, a call with a timeout sleeps that long, together with the whole program. Raises RuntimeError
        for a call without a timeout, which could never return.
        """
        if timeout != -1:
            # Raises Python's own errors for wrong timeouts.
            _Stock().acquire(blocking, timeout)
        if self._lock.acquire(False):
            return True
        if not blocking:
            return False
        if timeout < 0:
            raise RuntimeError(_ENDLESS)
        time.sleep(timeout)
        return False

    acquire_lock = acquire

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *reason: object) -> None:
        self.release()

    def __repr__(self) -> str:
        return f"<{'locked' if self.locked() else 'unlocked'} _thread.lock object at {id(self):#x}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("cannot pickle '_thread.lock' object")


def install() -> None:
    """Replaces the locks of `threading`, and the queue that waits in C. Locks that exist already stay as they are."""
    for module in (_thread, threading):
        for name, value in list(vars(module).items()):
            if value is _Stock or value is type(_Stock()):
                setattr(module, name, Lock)
    for holder in (_queue, queue):
        holder.SimpleQueue = queue._PySimpleQueue  # type: ignore[attr-defined]
