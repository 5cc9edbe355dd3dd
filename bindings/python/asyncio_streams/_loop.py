"""The event loop: asyncio's own, waiting by the component model instead of by a selector.

componentize-py runs an async export as a function that is called again for each event. Between two events this loop runs
what is ready; before it returns to the host it lets everybody who asked for it hand over what was written and ask for
input, so that both cross once for many calls.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import sys
import threading
import time
from asyncio import base_events, events
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn, Protocol

import componentize_py_async_support as support
import componentize_py_runtime as runtime

from . import _bindings, _calls
from ._absent import Absent
from ._connecting import Connecting
from ._executor import Inline
from ._serving import Serving
from ._sockets import Polling
from ._upgrading import Upgrading

_SUBTASK = 1
_RETURNED = 2

_EXIT = 0
_YIELD = 1
_WAIT = 2

_Stock: Any = base_events.BaseEventLoop
_logger = base_events.logger  # type: ignore[attr-defined]

# How many times what is ready is run before the host gets a turn, if there is always something.
_ROUNDS = 16
# How long to wait at most when nothing is awaited: without anything to wait for the host would give up.
_LONG = 24 * 3600.0


class Settling(Protocol):
    """Something that wants a word before the loop waits."""

    def settle(self) -> None:
        """Hands over what was written, asks for input."""


class State:
    """One call of an async export: what it waits for, and what it has to run. The names are componentize-py's."""

    __slots__ = ("futures", "handles", "pending_count", "waitable_set", "woken", "yielded")

    def __init__(self) -> None:
        self.waitable_set: int | None = None
        self.futures: dict[int, Any] = {}
        self.handles: list[asyncio.Handle] = []
        self.pending_count = 1
        self.yielded = False
        self.woken = False


class ComponentLoop(Upgrading, Connecting, Serving, Polling, Inline, Absent, _Stock):
    """The one event loop of a component."""

    # Whether the code that runs is to find no running loop: also while the loop is made.
    outside = True

    _current_handle: asyncio.Handle | None
    _scheduled: list[Any]
    _timer_cancelled_count: int

    def __init__(self) -> None:
        super().__init__()
        self.outside = False
        self.state = State()
        self.running = True
        self.exception: BaseException | None = None
        self._states: list[State] = []
        self._orphans: dict[int, Any] = {}
        self._unsettled: dict[Settling, None] = {}
        self._clock = _bindings.monotonic_clock()
        self._clock_waits: list[float] = []
        self._turns: list[asyncio.Future[None]] = []
        self._turn_wanted = False
        self._interrupted: asyncio.Future[Any] | None = None
        self._thread_id = threading.get_ident()
        sys.set_asyncgen_hooks(firstiter=self._asyncgen_firstiter_hook, finalizer=self._asyncgen_finalizer_hook)

    # What componentize-py calls.

    def first_poll(self, export: int, borrows: int, coroutine: Coroutine[Any, Any, Any]) -> int:
        """Starts a call of an async export."""
        _bindings.notice_host()
        state = State()
        context = contextvars.Context()
        context.run(support._set_future_state, state)
        self._states.append(state)
        self.create_task(support._return_result(export, borrows, coroutine), context=context)
        return self.poll(state)

    def poll(self, state: State) -> int:
        """Runs what is ready, and says to the host what to do next."""
        self.state = state
        if self._orphans:
            self._adopt(state)
        self._run(state)
        if self.exception is not None:
            raise self.exception
        if state.pending_count == 0:
            self._leave(state)
            return _EXIT
        if not state.futures:
            self._wait_for_clock(time.monotonic() + _LONG)
        runtime.context_set(state)
        if self._turn_wanted and not state.yielded:
            state.yielded = True
            return _YIELD
        if state.yielded:
            state.yielded = False
            self._turn_wanted = False
            self._wake(state)
        assert state.waitable_set is not None
        return _WAIT | (state.waitable_set << 4)

    def callback(self, kind: int, waitable: int, code: int) -> int:
        """Tells what has happened, and goes on."""
        state: State = runtime.context_get()
        runtime.context_set(None)
        if kind == _SUBTASK:
            if code == _RETURNED:
                runtime.waitable_join(waitable, 0)
                runtime.subtask_drop(waitable)
                state.futures.pop(waitable).set_result(code)
        elif kind:
            runtime.waitable_join(waitable, 0)
            state.futures.pop(waitable).set_result(code)
        return self.poll(state)

    def enter(self, state: State) -> None:
        """Says whose event is told next."""
        self.state = state

    def add_pending(self, waitable: int, pending: Any) -> None:
        """Waits for `waitable` on behalf of the call that runs."""
        state = self.state
        state.futures[waitable] = pending
        if state.waitable_set is None:
            state.waitable_set = runtime.waitable_set_new()
        runtime.waitable_join(waitable, state.waitable_set)

    # What transports, servers and the runner call.

    def before_waiting(self, what: Settling) -> None:
        """Has `what.settle` called before the loop waits."""
        self._unsettled[what] = None

    async def host_turn(self) -> None:
        """Waits until everything that has happened so far has been told."""
        future = self.create_future()
        self._turns.append(future)
        self._turn_wanted = True
        await future

    def interrupt(self, reason: BaseException) -> None:
        """Ends what the program runs with SystemExit or KeyboardInterrupt, which some callback has raised."""
        waiting = self._interrupted
        if waiting is not None and not waiting.done():
            waiting.set_exception(reason)

    async def until_done(self, task: asyncio.Future[Any]) -> None:
        """Waits for `task`; raises what a callback raised to end the program."""
        self._interrupted = waiting = self.create_future()

        def done(_: asyncio.Future[Any]) -> None:
            if not waiting.done():
                waiting.set_result(None)

        task.add_done_callback(done)
        try:
            await waiting
        finally:
            self._interrupted = None
            task.remove_done_callback(done)

    # What asyncio's loops have.

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """As call_soon: there is one thread."""
        return self.call_soon(callback, *args, context=context)

    def run_forever(self) -> None:
        """Raises RuntimeError: only the host can wait."""
        self._refuse("loop.run_forever()")

    def run_until_complete(self, future: Any) -> Any:
        """Raises RuntimeError: only the host can wait."""
        self._refuse("loop.run_until_complete()", future)

    def _refuse(self, name: str, future: Any = None) -> NoReturn:
        from . import _running

        _running.refuse(name, future)

    def is_running(self) -> bool:
        """Whether the code that asks is run by the loop; not at the top level of a program."""
        return not self.outside

    def close(self) -> None:
        """Does nothing: it is the component's one loop, and goes on."""

    def stop(self) -> None:
        """Ends the program's run_forever."""
        waiting = self._interrupted
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    async def getaddrinfo(
        self, host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> Any:
        """Looks a name up. The whole component waits for it, other than in open_connection."""
        import socket

        return socket.getaddrinfo(host, port, family, type, proto, flags)

    async def getnameinfo(self, sockaddr: tuple[Any, ...], flags: int = 0) -> tuple[str, str]:
        """Gives host and port of an address as numbers, as it does elsewhere for addresses without a name.

        Raises socket.gaierror if `flags` require a name: WASI looks up no names of addresses.
        """
        import socket

        if flags & socket.NI_NAMEREQD:
            raise socket.gaierror(socket.EAI_NONAME, "WASI looks up no names of addresses")
        return str(sockaddr[0]), str(int(sockaddr[1]))

    def _write_to_self(self) -> None:
        pass

    def _call_soon(self, callback: Any, args: Any, context: contextvars.Context | None) -> asyncio.Handle:
        handle = events.Handle(callback, args, self, context)
        self._queue(handle)
        return handle

    def _queue(self, handle: asyncio.Handle) -> None:
        if len(self._states) == 1:
            self._states[0].handles.append(handle)
            return
        state = handle._context.get(support._future_state, self.state)  # type: ignore[attr-defined]
        state.handles.append(handle)
        if state is not self.state and state in self._states:
            self._wake(state)

    # The turns.

    def _run(self, state: State) -> None:
        rounds = _ROUNDS
        while True:
            if self._scheduled:
                self._take_due()
            handles = state.handles
            if not handles or not rounds:
                if not rounds:
                    self._turn_wanted = True
                if self._unsettled:
                    unsettled, self._unsettled = self._unsettled, {}
                    for what in unsettled:
                        what.settle()
                    if rounds:
                        rounds -= 1
                        continue
                if rounds and self._scheduled and self._wait_for_timer():
                    continue
                return
            rounds -= 1
            state.handles = []
            for handle in handles:
                if not handle._cancelled:
                    try:
                        if self._debug:
                            self._run_watched(handle)
                        else:
                            handle._run()
                    except (SystemExit, KeyboardInterrupt) as reason:
                        self.interrupt(reason)

    def _run_watched(self, handle: asyncio.Handle) -> None:
        self._current_handle = handle
        start = self.time()
        try:
            handle._run()
        finally:
            self._current_handle = None
        took = self.time() - start
        if took >= self.slow_callback_duration:
            _logger.warning("Executing %r took %.3f seconds", handle, took)

    def _leave(self, state: State) -> None:
        """Ends a call of an export; what it still waits for is the next one's."""
        self._states.remove(state)
        for waitable in state.futures:
            runtime.waitable_join(waitable, 0)
        self._orphans.update(state.futures)
        if state.waitable_set is not None:
            runtime.waitable_set_drop(state.waitable_set)
        if self._states and state.handles:
            self._states[0].handles.extend(state.handles)

    def _adopt(self, state: State) -> None:
        orphans, self._orphans = self._orphans, {}
        for waitable, pending in orphans.items():
            pending.state = state
            self.add_pending(waitable, pending)

    def _wake(self, state: State) -> None:
        """Makes an event for `state`, behind those that have happened already."""
        if state.woken:
            return
        import wit_world

        state.woken = True
        current, self.state = self.state, state
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
        self.state = current

    # Timers: asyncio's heap, and one wait of the host's clock for the first of them.

    def _take_due(self) -> None:
        scheduled = self._scheduled
        cancelled = self._timer_cancelled_count
        if cancelled > 50 and cancelled * 2 > len(scheduled):
            scheduled = [handle for handle in scheduled if not handle._cancelled]
            for handle in self._scheduled:
                if handle._cancelled:
                    handle._scheduled = False
            heapq.heapify(scheduled)
            self._scheduled = scheduled
            self._timer_cancelled_count = 0
        now = time.monotonic() + self._clock_resolution
        while scheduled:
            handle = scheduled[0]
            if handle._cancelled:
                self._timer_cancelled_count -= 1
            elif handle._when >= now:
                break
            else:
                self._queue(handle)
            heapq.heappop(scheduled)
            handle._scheduled = False

    def _wait_for_timer(self) -> bool:
        """Waits for the first timer; says whether it is due already."""
        when: float = self._scheduled[0]._when
        if self._clock_waits and self._clock_waits[0] <= when:
            return False
        return self._wait_for_clock(when)

    def _wait_for_clock(self, when: float) -> bool:
        """Waits for a time; says whether it has come already."""
        waits = self._clock_waits
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


def take_over() -> ComponentLoop:
    """Puts the loop in the place of componentize-py's, and makes it asyncio's running loop."""
    loop = ComponentLoop()
    _calls.use(loop)
    support._loop = loop
    support._poll = loop.poll
    support.first_poll = loop.first_poll
    support.await_result = _calls.await_result
    support.callback = loop.callback
    asyncio.set_event_loop(loop)
    events._set_running_loop(loop)
    return loop
