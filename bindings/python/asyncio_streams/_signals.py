"""Signals: `signal.signal` and `add_signal_handler` for SIGINT and SIGTERM, on hosts that tell a component of them.

CPython's own module keeps the handlers, and calls them when the loop raises the signal that the host has told. The host
is asked for a signal only while a handler is set; otherwise the signal ends the component at once, as it does natively.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import asyncio
import contextlib
import inspect
import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NoReturn

from . import _bindings
from ._calls import Call

# The base of the loop; the other parts define the missing attributes.
_Base: Any = object
_Handler = Any

_NOT_TOLD = (
    "add_signal_handler and remove_signal_handler: this host tells the component of no signals, SIGINT and SIGTERM end it. "
    "`asyncio-streams run` tells it, and so do `streams run` and `streams serve`, if it was built by `asyncio-streams build "
    "--with-signals`. Otherwise catch NotImplementedError, as programs for Windows do"
)
_OTHERS = "add_signal_handler: the host of a component tells it only of SIGINT and SIGTERM, not of signal {}"
_MISSING = (
    "module 'signal' has no attribute {!r}: a component has no timers, masks and threads of the system, as on Windows. "
    "Use loop.call_later for a time, and signal.signal or loop.add_signal_handler for SIGINT and SIGTERM"
)
_MISSING_NAMES = frozenset(
    "alarm getitimer pause pidfd_send_signal pthread_kill pthread_sigmask setitimer siginterrupt sigpending sigtimedwait "
    "sigwait sigwaitinfo".split()
)
# Without a handler these do not end a process.
_HARMLESS = frozenset({signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH})

_stock_signal: Callable[[int, _Handler], _Handler] = _signal.signal
_stock_raise: Callable[[int], None] = _signal.raise_signal


class Signals:
    """The signals of a component: which of them the host tells, and what each does to the loop."""

    def __init__(self, loop: Any, queue: Callable[[asyncio.Handle], None]) -> None:
        self._loop = loop
        self._queue = queue
        self._told: Any = _bindings.signals()
        self._exit: Any = _bindings.cli("exit")
        # The signals that the host tells.
        self._asked: set[int] = set()
        self._next_is_pending = False
        # The number of waits in which a program that sets no handler is interrupted.
        self._waits = 0
        self._callbacks: dict[int, asyncio.Handle] = {}

    @property
    def are_told(self) -> bool:
        """Returns whether the host tells the component of signals."""
        return self._told is not None

    @property
    def are_awaited(self) -> bool:
        """Returns whether the host has been asked for a signal."""
        return self._next_is_pending

    def ask(self) -> None:
        """Asks the host for the signals that have handlers. During the build it does nothing."""
        if self._told is None or not _bindings.host_is_there():
            return
        cases = self._told.Signal
        for number, case in ((signal.SIGINT, cases.INTERRUPT), (signal.SIGTERM, cases.TERMINATE)):
            wanted = self._is_wanted(number)
            if wanted != (number in self._asked):
                self._asked ^= {number}
                self._told.handle(case, wanted)
        if self._asked and not self._next_is_pending:
            self._next_is_pending = True
            Call(self._told.next(), self._came).start()

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """Makes SIGINT raise KeyboardInterrupt out of the loop's wait, if its handler is Python's own.

        At other times the host ends a program without a handler, because it cannot tell one that computes.
        """
        self._waits += 1
        self.ask()
        try:
            yield
        finally:
            self._waits -= 1
            self.ask()

    def set_callback(self, number: int, handle: asyncio.Handle | None) -> bool:
        """Makes the loop call `handle` for a signal. Returns whether there was a callback before."""
        before = self._callbacks.pop(number, None)
        if handle is not None:
            self._callbacks[number] = handle
        return before is not None

    def raise_signal(self, number: int) -> None:
        """Calls the handler of a signal, and queues the loop's callback. Without a handler it ends the component."""
        if isinstance(number, int) and 0 < number < signal.NSIG:
            handler = _signal.getsignal(number)
            if handler == signal.SIG_DFL:
                if number not in _HARMLESS:
                    self._end(number)
                return
            handle = self._callbacks.get(number)
            if handle is not None and handler != signal.SIG_IGN and not handle.cancelled():
                self._queue(handle)
        _stock_raise(number)

    def _end(self, number: int) -> None:
        """Ends the component with the exit status that a shell reports for a process ended by a signal."""
        if self._exit is not None:
            self._exit.exit_with_code(128 + number)
        # Without WASI's exit this traps, with a text that names the signal.
        _stock_raise(number)

    def _is_wanted(self, number: int) -> bool:
        handler = _signal.getsignal(number)
        if handler is signal.default_int_handler:
            return self._waits > 0
        return bool(handler != signal.SIG_DFL)

    def _came(self, case: Any, error: BaseException | None) -> None:
        self._next_is_pending = False
        if error is not None:
            self._loop.call_exception_handler({"message": "The host tells of no more signals", "exception": error})
            return
        number = signal.SIGINT if case is self._told.Signal.INTERRUPT else signal.SIGTERM
        try:
            self.raise_signal(number)
        except BaseException as reason:
            # As natively, where it leaves the wait for events.
            self._loop.interrupt(reason)
        finally:
            self.ask()


class SignalHandlers(_Base):
    """The methods of the loop for signals."""

    signals: Signals

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: Any) -> None:
        """Calls `callback` for each SIGINT or SIGTERM. Raises NotImplementedError where the host tells of none."""
        if inspect.iscoroutine(callback) or inspect.iscoroutinefunction(callback):
            raise TypeError("coroutines cannot be used with add_signal_handler()")
        self._check(sig)
        self.signals.set_callback(sig, asyncio.Handle(callback, args, self))
        signal.signal(sig, _do_nothing)

    def remove_signal_handler(self, sig: int) -> bool:
        """Gives a signal its usual effect again. Returns whether it had a handler."""
        self._check(sig)
        if not self.signals.set_callback(sig, None):
            return False
        signal.signal(sig, signal.default_int_handler if sig == signal.SIGINT else signal.SIG_DFL)
        return True

    def _check(self, sig: int) -> None:
        if not isinstance(sig, int):
            raise TypeError(f"sig must be an int, not {sig!r}")
        if not 0 < sig < signal.NSIG:
            raise ValueError(f"invalid signal number {sig}")
        if not self.signals.are_told:
            raise NotImplementedError(_NOT_TOLD)
        if sig not in (signal.SIGINT, signal.SIGTERM):
            raise NotImplementedError(_OTHERS.format(int(sig)))


def install(signals: Signals) -> None:
    """Makes Python's module tell the host of handlers, and the loop of signals."""

    def set_handler(signalnum: int, handler: _Handler, /) -> _Handler:
        before = _stock_signal(signalnum, handler)
        signals.ask()
        return before

    def raise_signal(signalnum: int, /) -> None:
        signals.raise_signal(signalnum)

    set_handler.__doc__, raise_signal.__doc__ = _stock_signal.__doc__, _stock_raise.__doc__
    # The function of `signal` looks this one up.
    _signal.signal = set_handler
    public: Any = signal
    public.raise_signal = _signal.raise_signal = raise_signal
    public.valid_signals = _valid_signals
    public.__getattr__ = _refuse_name
    # As Python sets it at its start.
    _stock_signal(signal.SIGPIPE, int(signal.SIG_IGN))


def _valid_signals() -> set[signal.Signals]:
    """Returns the signals that can have handlers or be raised."""
    return set(signal.Signals)


def _refuse_name(name: str) -> NoReturn:
    raise AttributeError((_MISSING if name in _MISSING_NAMES else "module 'signal' has no attribute {!r}").format(name))


def _do_nothing(number: int, frame: FrameType | None) -> None:
    """The handler of a signal that has a callback of the loop."""
