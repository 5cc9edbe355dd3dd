"""The signals SIGINT and SIGTERM: `add_signal_handler`, on hosts that tell a component of them."""

from __future__ import annotations

import asyncio
import inspect
import signal
from collections.abc import Callable
from typing import Any

from . import _bindings
from ._calls import Call

# The base of the loop; the other parts define the missing attributes.
_Base: Any = object

_NOT_TOLD = (
    "add_signal_handler and remove_signal_handler: this host tells the component of no signals, SIGINT and SIGTERM end it. "
    "`asyncio-streams run` tells it, and so do `streams run` and `streams serve`, if it was built by `asyncio-streams build "
    "--with-signals`. Otherwise catch NotImplementedError, as programs for Windows do"
)
_OTHERS = "add_signal_handler: the host of a component tells it only of SIGINT and SIGTERM, not of signal {}"


class HostSignals(_Base):
    """The part of the loop that handles signals."""

    def __init__(self) -> None:
        super().__init__()
        self._handlers: dict[int, asyncio.Handle] = {}
        self._told: Any = _bindings.signals()
        self._waiting = False

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: Any) -> None:
        """Calls `callback` for each SIGINT or SIGTERM. Raises NotImplementedError where the host tells of none."""
        if inspect.iscoroutine(callback) or inspect.iscoroutinefunction(callback):
            raise TypeError("coroutines cannot be used with add_signal_handler()")
        self._check(sig)
        case = self._case(sig)
        self._handlers[sig] = asyncio.Handle(callback, args, self)
        self._told.handle(case, True)
        self._wait()

    def remove_signal_handler(self, sig: int) -> bool:
        """Gives a signal its usual effect again. Returns whether it had a handler."""
        self._check(sig)
        if self._handlers.pop(sig, None) is None:
            return False
        self._told.handle(self._case(sig), False)
        return True

    def _check(self, sig: int) -> None:
        if not isinstance(sig, int):
            raise TypeError(f"sig must be an int, not {sig!r}")
        if not 0 < sig < signal.NSIG:
            raise ValueError(f"invalid signal number {sig}")
        if self._told is None:
            raise NotImplementedError(_NOT_TOLD)

    def _case(self, sig: int) -> Any:
        cases = self._told.Signal
        try:
            return {signal.SIGINT: cases.INTERRUPT, signal.SIGTERM: cases.TERMINATE}[signal.Signals(sig)]
        except (KeyError, ValueError):
            raise NotImplementedError(_OTHERS.format(int(sig))) from None

    def _wait(self) -> None:
        if not self._waiting:
            self._waiting = True
            Call(self._told.next(), self._came).start()

    def _came(self, case: Any, error: BaseException | None) -> None:
        self._waiting = False
        if error is not None:
            self.call_exception_handler({"message": "The host tells of no more signals", "exception": error})
            return
        number = signal.SIGINT if case is self._told.Signal.INTERRUPT else signal.SIGTERM
        handle = self._handlers.get(number)
        if handle is not None and not handle.cancelled():
            self._queue(handle)
        self._wait()
