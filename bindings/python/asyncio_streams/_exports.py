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
_CANCELLED = 6
_RETURNED = 2

_EXIT = 0
_YIELD = 1
_WAIT = 2

# The longest wait when nothing is awaited: without a pending wait the host would end the call.
_LONG = 24 * 3600.0


class State:
    """One call of an async export: its waits, and its ready callbacks. The names are componentize-py's."""

    __slots__ = ("answer", "futures", "handles", "is_held", "is_stored", "pending_count", "waitable_set", "woken", "yielded")

    def __init__(self) -> None:
        self.waitable_set: int | None = None
        # The answer that makes the host wait for the events of the set.
        self.answer = _EXIT
        # Whether the host stores this state for the next event of the call. It then owns a reference.
        self.is_stored = False
        self.futures: dict[int, Any] = {}
        self.handles: list[asyncio.Handle] = []
        # Whether ready callbacks wait for the end of the host's turn.
        self.is_held = False
        self.pending_count = 1
        self.yielded = False
        self.woken = False


class Exports:
    """All calls that have not returned. `run` runs the ready callbacks of one; `timers` waits if nothing else does."""

    def __init__(self, loop: ComponentLoop, run: Callable[[State], None], timers: Timers) -> None:
        self._loop = loop
        self._run = run
        self._timers = timers
        # The call whose event is being handled. Before the first call, and between two, `_left` collects callbacks and
        # waits for the next one.
        self.current = self._left = State()
        self.states: list[State] = []
        # The only one of them; none if there are several or none.
        self.only: State | None = None
        # The waitable of the watch's reports, which stays where it is after an event; -1 before there is one.
        self._standing = -1
        self._turns: list[asyncio.Future[None]] = []
        self._turn_wanted = False

    # componentize-py calls these methods.

    def first_poll(self, export: int, borrows: int, coroutine: Coroutine[Any, Any, Any]) -> int:
        """Starts a call of an async export."""
        _bindings.notice_host()
        self.current = state = State()
        self._loop.signals.ask()
        context = contextvars.Context()
        context.run(support._set_future_state, state)
        self.states.append(state)
        self._count()
        self._loop.create_task(support._return_result(export, borrows, coroutine), context=context)
        if self._left.handles or self._left.futures:
            self._take_over(self._left)
        return self.poll(state)

    def poll(self, state: State) -> int:
        """Runs ready callbacks of the current call, and returns the next step for the host."""
        self._run(state)
        if self._loop.exception is not None:
            raise self._loop.exception
        if state.pending_count == 0:
            self._leave(state)
            return _EXIT
        if not state.futures:
            self._timers.wait_until(time.monotonic() + _LONG)
        if not state.is_stored:
            runtime.context_set(state)
            state.is_stored = True
        if self._turn_wanted or state.yielded:
            if not state.yielded:
                state.yielded = True
                return _YIELD
            state.yielded = False
            self._turn_wanted = False
            self.wake(state)
        return state.answer

    def callback(self, kind: int, waitable: int, code: int) -> int:
        """Dispatches an event, and continues."""
        state = self.only
        if state is None:
            state = _restored()
        self.current = state
        if waitable == self._standing:
            self._loop.watching.reported(code)
        elif kind == _SUBTASK:
            if code == _RETURNED:
                # This also removes it from its set.
                runtime.subtask_drop(waitable)
                state.futures.pop(waitable).set_result(code)
        elif kind and kind != _CANCELLED:
            runtime.waitable_join(waitable, 0)
            state.futures.pop(waitable).set_result(code)
        # A cancelled call continues, and returns as others do: componentize-py cannot acknowledge the cancellation.
        return self.poll(state)

    # The loop and pending calls use these methods.

    def state_of(self, context: contextvars.Context) -> State:
        """Returns the call that runs the callbacks of `context`: the one in which it began, or an active one."""
        state: State = context.get(support._future_state, self.current)
        return state if state in self.states else self.current

    def add_pending(self, waitable: int, pending: Any) -> None:
        """Waits for `waitable` on behalf of the running call."""
        state = self.current
        state.futures[waitable] = pending
        if state.waitable_set is None:
            state.waitable_set = runtime.waitable_set_new()
            state.answer = _WAIT | (state.waitable_set << 4)
        runtime.waitable_join(waitable, state.waitable_set)

    def add_reports(self, waitable: int) -> None:
        """Waits for the watch's reports from here on: in the running call, and in others when it has returned."""
        self._standing = waitable
        self.add_pending(waitable, self._loop.watching)

    def want_turn(self) -> None:
        """Lets the host have a turn before the loop continues."""
        self._turn_wanted = True

    async def host_turn(self) -> None:
        """Waits until all events so far were dispatched."""
        future = self._loop.create_future()
        self._turns.append(future)
        self._turn_wanted = True
        await future

    async def host_turn_alone(self) -> None:
        """Waits until all events so far were dispatched; the other callbacks of this call run after its caller.

        Only if an event of `wake` is on its way, they run once before.
        """
        state = self.current
        if state.woken:
            await self.host_turn()
        # Yield first, even after a yield: only then does the host make events of what has happened outside.
        state.is_held, state.yielded = True, False
        await self.host_turn()

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
            held: list[asyncio.Handle] = []
            if state.is_held:
                state.is_held = False
                held, state.handles = state.handles, held
            turns, self._turns = self._turns, []
            for turn in turns:
                if not turn.done():
                    turn.set_result(None)
            state.handles += held

        def written(value: Any, error: BaseException | None) -> None:
            writer.__exit__(None, None, None)

        _calls.Call(reader.read(1), done).start()
        _calls.Call(writer.write(b"\0"), written).start()
        self.current = current

    def _leave(self, state: State) -> None:
        """Ends a call of an export; another one takes over its waits, its callbacks and the turn that it wanted."""
        self.states.remove(state)
        self._count()
        if state.is_stored:
            _restored()
        for waitable in state.futures:
            runtime.waitable_join(waitable, 0)
        if state.waitable_set is not None:
            runtime.waitable_set_drop(state.waitable_set)
            state.waitable_set = None
        if not self.states:
            self.current = self._left = state
            return
        # At once: the other call may be waiting already, without a turn of its own before the event.
        self.current = other = self.states[0]
        self._take_over(state)
        if other.handles or self._turn_wanted:
            self.wake(other)

    def _count(self) -> None:
        self.only = self.states[0] if len(self.states) == 1 else None

    def _take_over(self, left: State) -> None:
        """Makes the current call continue the waits and callbacks of one that has returned."""
        waits, left.futures = left.futures, {}
        for waitable, pending in waits.items():
            self.add_pending(waitable, pending)
        self.current.handles[:0] = left.handles
        left.handles = []


def _restored() -> State:
    """Returns the state that the host stores for the running call, with the host's reference."""
    state: State = runtime.context_get()
    state.is_stored = False
    return state
