"""The one standing wait of the loop: for the input, the output and the clients of all connections and servers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import componentize_py_runtime as runtime
from componentize_py_types import Err, Ok

from . import _bindings, _errors
from ._calls import number_of

if TYPE_CHECKING:
    from ._loop import ComponentLoop

# The time in seconds after which the loop waits again when the component had no resources for the wait.
_RETRY = 0.1
_LAST_KEY = (1 << 32) - 1
_call = runtime.call_import


class Watching:
    """The component's `watch`: the events that the loop waits for, and their callbacks.

    A wait reports an event by state: again and again until the program reads, accepts or removes it. So an exception in
    a callback loses nothing, and a callback that takes nothing must remove its event.
    """

    def __init__(self, loop: ComponentLoop) -> None:
        numbers: Any = _bindings.numbers()
        streams = loop.streams
        self.readable = numbers.Event_Readable(streams.Wanted_Any())
        self.drained, self.flushed = numbers.Event_Drained(), numbers.Event_Flushed()
        self.closed, self.connection = numbers.Event_Closed(), numbers.Event_Connection()
        self.of_reader: Callable[[Any], int] = numbers.reader_number
        self.of_writer: Callable[[Any], int] = numbers.writer_number
        self.of_server: Callable[[Any], int] = numbers.server_number
        # For calls that each message makes: the numbers of these functions save the bindings' own work.
        self.try_read = number_of(numbers.try_read, 2)
        self.write = number_of(numbers.write, 3)
        # Whether bytes were queued by number, which leave when a wait begins, or after `kick`.
        self.written = False
        self._loop = loop
        self._numbers = numbers
        self._number_of_wait = number_of(numbers.Watch.wait, 1)
        self._arguments: list[Any] = []
        self._number = 0
        self._called: dict[int, Callable[[], None]] = {}
        self._last_key = 0
        self._promise = 0
        # Whether a wait is pending, or was refused and waits again later.
        self._waits = False

    def readable_after(self, count: int) -> Any:
        """Returns the event of a reader with more than `count` buffered bytes, or at its end."""
        return self._numbers.Event_Readable(self._loop.streams.Wanted_Exactly(count + 1))

    def add(self, of: int, event: Any, called: Callable[[], None]) -> int:
        """Calls `called` while the resource with the number `of` has the event; returns the key for remove, never 0."""
        if not self._arguments:
            # Not earlier: a call of an import during the build ends the build.
            watch = self._numbers.Watch()
            self._number = watch.number()
            self._arguments = [watch]
        key = self._last_key
        while True:
            key = key + 1 if key < _LAST_KEY else 1
            if key not in self._called:
                break
        self._numbers.add(self._number, of, event, key)
        self._last_key = key
        self._called[key] = called
        return key

    def remove(self, key: int) -> BaseException | None:
        """Removes an event; returns the error of its wait, if that has failed. Does nothing for the key 0."""
        if not key:
            return None
        del self._called[key]
        try:
            self._numbers.remove(self._number, key)
        except Err as reason:
            return reason
        return None

    def end_turn(self) -> bool:
        """Sends queued bytes, and waits for events; returns whether some are there already, and were dispatched."""
        if self._called and not self._waits:
            self.written = False
            result = _call(self._number_of_wait, self._arguments)
            if type(result) is Ok:
                return self._report(result.value)
            waitable, self._promise = result.value
            self._waits = True
            self._loop.exports.add_pending(waitable, self)
        elif self.written:
            self.written = False
            self._numbers.kick()
        return False

    def set_result(self, event: Any) -> None:
        """Called by the runtime's callback, between two turns of the loop."""
        self._waits = False
        self._report(runtime.promise_get_result(event, self._promise))

    def _report(self, result: Any) -> bool:
        if type(result) is not Ok:
            self._refuse(result)
            return False
        called = self._called
        for key in result.value:
            # The callback of another event may have removed this one.
            callback = called.get(key)
            if callback is not None:
                try:
                    callback()
                except (SystemExit, KeyboardInterrupt) as reason:
                    self._loop.interrupt(reason)
                except BaseException as reason:
                    # The event would call it again and again.
                    if called.get(key) is callback:
                        self.remove(key)
                    self._loop.call_exception_handler(
                        {"message": "Exception in a callback of asyncio_streams", "exception": reason}
                    )
        return True

    def _refuse(self, reason: BaseException) -> None:
        """Reports that the component had no resources for the wait, and waits again later."""
        self._waits = True
        self._loop.call_exception_handler(
            {"message": "waiting for connections failed", "exception": _errors.to_exception(reason)}
        )
        self._loop.call_later(_RETRY, self._wait_again)
        self._numbers.kick()

    def _wait_again(self) -> None:
        self._waits = False
