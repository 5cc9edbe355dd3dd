"""Time: asyncio's heap of timers, and one wait of the host's clock for the first of them."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable
from typing import Any

from . import _bindings, _calls

# The longest wait.
_LONG = 24 * 3600.0


class Timers:
    """The timers of a loop, stored in `_scheduled` as by asyncio's loops; `queue` receives the due ones."""

    def __init__(self, loop: Any, queue: Callable[[asyncio.Handle], None]) -> None:
        self._loop = loop
        self._queue = queue
        self._clock = _bindings.monotonic_clock()
        # The times at which the host's clock will wake the loop.
        self._waits: list[float] = []

    def take_due(self) -> None:
        """Queues due timers, and removes cancelled ones."""
        loop = self._loop
        scheduled = loop._scheduled
        cancelled = loop._timer_cancelled_count
        if cancelled > 50 and cancelled * 2 > len(scheduled):
            scheduled = [handle for handle in scheduled if not handle._cancelled]
            for handle in loop._scheduled:
                if handle._cancelled:
                    handle._scheduled = False
            heapq.heapify(scheduled)
            loop._scheduled = scheduled
            loop._timer_cancelled_count = 0
        now = time.monotonic() + loop._clock_resolution
        while scheduled:
            handle = scheduled[0]
            if handle._cancelled:
                loop._timer_cancelled_count -= 1
            elif handle._when >= now:
                break
            else:
                self._queue(handle)
            heapq.heappop(scheduled)
            handle._scheduled = False

    def wait_for_first(self) -> bool:
        """Waits for the first timer; returns whether it is already due."""
        when: float = self._loop._scheduled[0]._when
        if self._waits and self._waits[0] <= when:
            return False
        return self.wait_until(when)

    def wait_until(self, when: float) -> bool:
        """Waits for a time; returns whether it has already passed."""
        waits = self._waits
        heapq.heappush(waits, when)
        come = False

        def done(value: Any, error: BaseException | None) -> None:
            nonlocal come
            come = True
            waits.remove(when)
            heapq.heapify(waits)

        seconds = min(max(when - time.monotonic(), 0.0), _LONG)
        _calls.Call(self._clock.wait_for(int(seconds * 1e9) + 1), done).start()
        return come
