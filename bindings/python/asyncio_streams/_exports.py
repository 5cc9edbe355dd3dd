"""The calls of a component's async exports: their waits, and the answers to the host.

componentize-py runs an async export as a function that is called again for each event.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import componentize_py_async_support as support
import componentize_py_runtime as runtime

from . import _bindings, _calls

if TYPE_CHECKING:
    from ._loop import ComponentLoop
    from ._timers import Timers

_SUBTASK = 1
_RETURNED = 2

_EXIT = 0
_YIELD = 1
_WAIT = 2

# The longest wait when nothing is awaited: without a pending wait the host would end the call.
_LONG = 24 * 3600.0


class State:
    """One call of an async export: its waits, and its ready callbacks. The names are componentize-py's."""

    __slots__ = ("futures", "handles", "pending_count", "waitable_set", "woken", "yielded")

    def __init__(self) -> None:
        self.waitable_set: int | None = None
        self.futures: dict[int, Any] = {}
        self.handles: list[asyncio.Handle] = []
        self.pending_count = 1
        self.yielded = False
        self.woken = False


class Exports:
    """All calls that have not returned. `run` runs the ready callbacks of one; `timers` waits if nothing else does."""

    def __init__(self, loop: ComponentLoop, run: Callable[[State], None], timers: Timers) -> None:
        self._loop = loop
        self._run = run
        self._timers = timers
        self.current = State()
        self.states: list[State] = []
        self._orphans: dict[int, Any] = {}
        self._turns: list[asyncio.Future[None]] = []
        self._turn_wanted = False

    # componentize-py calls these methods.

    def first_poll(self, export: int, borrows: int, coroutine: Coroutine[Any, Any, Any]) -> int:
        """Starts a call of an async export."""
        _bindings.notice_host()
        state = State()
        context = contextvars.Context()
        context.run(support._set_future_state, state)
        self.states.append(state)
        self._loop.create_task(support._return_result(export, borrows, coroutine), context=context)
        return self.poll(state)

    def poll(self, state: State) -> int:
        """Runs ready callbacks, and returns the next step for the host."""
        self.current = state
        if self._orphans:
            self._adopt(state)
        self._run(state)
        if self._loop.exception is not None:
            raise self._loop.exception
        if state.pending_count == 0:
            self._leave(state)
            return _EXIT
        if not state.futures:
            self._timers.wait_until(time.monotonic() + _LONG)
        runtime.context_set(state)
        if self._turn_wanted and not state.yielded:
            state.yielded = True
            return _YIELD
        if state.yielded:
            state.yielded = False
            self._turn_wanted = False
            self.wake(state)
        assert state.waitable_set is not None
        return _WAIT | (state.waitable_set << 4)

    def callback(self, kind: int, waitable: int, code: int) -> int:
        """Dispatches an event, and continues."""
        state: State = runtime.context_get()
        runtime.context_set(None)
        self.current = state
        if kind == _SUBTASK:
            if code == _RETURNED:
                # This also removes it from its set.
                runtime.subtask_drop(waitable)
                state.futures.pop(waitable).set_result(code)
        elif kind:
            runtime.waitable_join(waitable, 0)
            state.futures.pop(waitable).set_result(code)
        return self.poll(state)

    # The loop and pending calls use these methods.

    def add_pending(self, waitable: int, pending: Any) -> None:
        """Waits for `waitable` on behalf of the running call."""
        state = self.current
        state.futures[waitable] = pending
        if state.waitable_set is None:
            state.waitable_set = runtime.waitable_set_new()
        runtime.waitable_join(waitable, state.waitable_set)

    def want_turn(self) -> None:
        """Lets the host have a turn before the loop continues."""
        self._turn_wanted = True

    async def host_turn(self) -> None:
        """Waits until all events so far were dispatched."""
        future = self._loop.create_future()
        self._turns.append(future)
        self._turn_wanted = True
        await future

    def wake(self, state: State) -> None:
        """Makes an event for `state`, after those that have already happened."""
        if state.woken:
            return
        import wit_world

        state.woken = True
        current, self.current = self.current, state
        writer, reader = wit_world.byte_stream()

        def done(value: Any, error: BaseException | None) -> None:
            state.woken = False
            turns, self._turns = self._turns, []
            for turn in turns:
                if not turn.done():
                    turn.set_result(None)

        def written(value: Any, error: BaseException | None) -> None:
            writer.__exit__(None, None, None)

        _calls.Call(reader.read(1), done).start()
        _calls.Call(writer.write(b"\0"), written).start()
        self.current = current

    def _leave(self, state: State) -> None:
        """Ends a call of an export; the next one takes over its waits."""
        self.states.remove(state)
        for waitable in state.futures:
            runtime.waitable_join(waitable, 0)
        self._orphans.update(state.futures)
        if state.waitable_set is not None:
            runtime.waitable_set_drop(state.waitable_set)
        if self.states:
            # At once: the other call may be waiting already, without a turn of its own before the event.
            other = self.states[0]
            self._adopt(other)
            if state.handles:
                other.handles.extend(state.handles)
                self.wake(other)

    def _adopt(self, state: State) -> None:
        self.current = state
        orphans, self._orphans = self._orphans, {}
        for waitable, pending in orphans.items():
            pending.state = state
            self.add_pending(waitable, pending)
