"""The event loop: asyncio's own, which waits by the component model instead of a selector.

Between two events of the host, the loop runs ready callbacks. Before it returns to the host, it lets registered objects
ask for input, sends the written bytes, and waits for events: by two watches for all connections (`_watching`).
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import sys
import threading
from asyncio import base_events, events, format_helpers
from collections.abc import Callable
from typing import Any, NoReturn, Protocol

import componentize_py_async_support as support

from . import _calls
from ._absent import Absent
from ._connecting import Connecting
from ._executor import Inline
from ._exports import Exports, State
from ._pipes import Pipes
from ._serving import Serving
from ._signals import SignalHandlers, Signals
from ._sockets import Polling
from ._timers import Timers
from ._unix import UnixSockets
from ._upgrading import Upgrading
from ._watching import Watching

_Stock: Any = base_events.BaseEventLoop
_Handle: Any = events.Handle
_logger = base_events.logger  # type: ignore[attr-defined]

# How often ready callbacks are run before the host gets a turn, if there are always more.
_ROUNDS = 16


def _always() -> bool:
    return True


class Settling(Protocol):
    """An object that acts before the loop waits."""

    def settle(self) -> None:
        """Asks for input."""


class _Ready(_Handle):
    """asyncio's handle, made with fewer calls while the loop does not debug."""

    __slots__ = ()

    def __init__(self, callback: Any, args: Any, loop: ComponentLoop, context: contextvars.Context | None) -> None:
        made: Any = self
        made._context = contextvars.copy_context() if context is None else context
        made._loop = loop
        made._callback = callback
        made._args = args
        made._cancelled = False
        made._repr = made._source_traceback = None


class ComponentLoop(Upgrading, Connecting, Serving, UnixSockets, Polling, Pipes, SignalHandlers, Inline, Absent, _Stock):
    """The one event loop of a component."""

    # Whether the current code finds no running loop. True also while the loop is created.
    outside = True

    _current_handle: asyncio.Handle | None
    _scheduled: list[Any]
    _timer_cancelled_count: int

    def __init__(self) -> None:
        super().__init__()
        self.outside = False
        # componentize-py sets and reads these two attributes.
        self.running = True
        self.exception: BaseException | None = None
        self._timers = Timers(self, self._queue)
        self.exports = Exports(self, self._run, self._timers)
        self.watching = Watching(self)
        self.signals = Signals(self, self._queue)
        # Objects that act before the loop waits. One that is in it twice acts once.
        self.unsettled: list[Settling] = []
        self._interrupted: asyncio.Future[Any] | None = None
        self._thread_id = threading.get_ident()
        # Called for each wait; a function in C costs least.
        self.create_future: Callable[[], asyncio.Future[Any]] = functools.partial(asyncio.Future, loop=self)
        sys.set_asyncgen_hooks(firstiter=self._asyncgen_firstiter_hook, finalizer=self._asyncgen_finalizer_hook)

    # Transports, servers and the runner call these methods.

    def interrupt(self, reason: BaseException) -> None:
        """Ends the program's wait with an exception: one of a signal handler, or that of a callback that ends programs."""
        waiting = self._interrupted
        if waiting is None:
            self.call_exception_handler({"message": "Exception while the program does not wait", "exception": reason})
        elif not waiting.done():
            waiting.set_exception(reason)

    async def until_done(self, task: asyncio.Future[Any]) -> None:
        """Waits for `task`; raises the exception of a callback or of a signal's handler that ends the program."""
        self._interrupted = waiting = self.create_future()

        def done(_: asyncio.Future[Any]) -> None:
            if not waiting.done():
                waiting.set_result(None)

        task.add_done_callback(done)
        try:
            with self.signals.interruptible():
                await waiting
                if self.signals.are_awaited:
                    # The signals of the last turn: the host tells them after it.
                    self._interrupted = late = self.create_future()
                    await self.exports.host_turn_alone()
                    if late.done():
                        late.result()
        finally:
            self._interrupted = None
            task.remove_done_callback(done)

    # The methods of asyncio's loops.

    def set_debug(self, enabled: bool) -> None:
        """Makes the loop report slow callbacks, and where callbacks come from."""
        super().set_debug(enabled)
        # Asked by each new future. bool() returns False, and costs less than a method.
        self.get_debug: Callable[[], bool] = _always if enabled else bool

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """Calls call_soon: there is one thread."""
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
        """Returns whether the loop runs the caller; False at the top level of a program."""
        return not self.outside

    def close(self) -> None:
        """Does nothing: this is the component's only loop, and it continues."""

    def stop(self) -> None:
        """Ends the program's run_forever."""
        waiting = self._interrupted
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    async def getaddrinfo(
        self, host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> Any:
        """Looks a name up. The whole component waits for it, unlike in open_connection."""
        import socket

        return socket.getaddrinfo(host, port, family, type, proto, flags)

    async def getnameinfo(self, sockaddr: tuple[Any, ...], flags: int = 0) -> tuple[str, str]:
        """Returns host and port of an address as numbers, as natively for addresses without a name.

        Raises socket.gaierror if `flags` require a name: WASI has no reverse lookup.
        """
        import socket

        if flags & socket.NI_NAMEREQD:
            raise socket.gaierror(socket.EAI_NONAME, "WASI looks up no names of addresses")
        return str(sockaddr[0]), str(int(sockaddr[1]))

    def _write_to_self(self) -> None:
        pass

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """Calls `callback` in the next round, as asyncio's loops do."""
        if self._debug:
            handle: asyncio.Handle = super().call_soon(callback, *args, context=context)
            return handle
        handle = _Ready(callback, args, self, context)
        only = self.exports.only
        if only is not None:
            only.handles.append(handle)
        else:
            self._queue(handle)
        return handle

    def _call_soon(self, callback: Any, args: Any, context: contextvars.Context | None) -> asyncio.Handle:
        handle = events.Handle(callback, args, self, context)
        self._queue(handle)
        return handle

    def _queue(self, handle: asyncio.Handle) -> None:
        exports = self.exports
        if exports.only is not None:
            exports.only.handles.append(handle)
            return
        state = exports.state_of(handle._context)  # type: ignore[attr-defined]
        state.handles.append(handle)
        if state is not exports.current:
            exports.wake(state)

    # The turns.

    def _run(self, state: State) -> None:
        rounds = 0 if state.is_held else _ROUNDS
        while True:
            if self._scheduled:
                self._timers.take_due()
            handles = state.handles
            if handles and rounds:
                rounds -= 1
                state.handles = []
                self.watching.is_alone = len(handles) == 1
                for handle in handles:
                    if not handle._cancelled:
                        try:
                            if self._debug:
                                self._run_watched(handle)
                            else:
                                # As the handle's _run, without a call for it.
                                handle._context.run(handle._callback, *handle._args)  # type: ignore[attr-defined]
                        except (SystemExit, KeyboardInterrupt) as reason:
                            self.interrupt(reason)
                        except BaseException as reason:
                            self._report_failure(handle, reason)
                if state.is_held:
                    rounds = 0
                elif state.handles:
                    continue
            if not rounds:
                self.exports.want_turn()
            while self.unsettled:
                unsettled, self.unsettled = self.unsettled, []
                for what in unsettled:
                    what.settle()
            if self.watching.end_turn() and rounds:
                rounds -= 1
                continue
            if rounds and (state.handles or (self._scheduled and self._timers.wait_for_first())):
                continue
            return

    def _report_failure(self, handle: asyncio.Handle, reason: BaseException) -> None:
        """Reports the exception of a callback, as the handle's _run does."""
        failed: Any = handle
        callback = format_helpers._format_callback_source(failed._callback, failed._args)
        context = {"message": f"Exception in callback {callback}", "exception": reason, "handle": handle}
        if failed._source_traceback:
            context["source_traceback"] = failed._source_traceback
        self.call_exception_handler(context)

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


def take_over() -> ComponentLoop:
    """Installs the loop instead of componentize-py's, and makes it asyncio's running loop."""
    loop = ComponentLoop()
    _calls.use(loop)
    support._loop = loop
    support._poll = loop.exports.poll
    support.first_poll = loop.exports.first_poll
    support.await_result = _calls.await_result
    support.callback = loop.exports.callback
    asyncio.set_event_loop(loop)
    events._set_running_loop(loop)
    return loop
