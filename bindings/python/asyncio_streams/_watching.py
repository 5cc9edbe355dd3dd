"""The wait of the loop: for the input, the output and the clients of all connections and servers.

Two watches of the component wait. One reports a few events by a stream, whose read costs a fraction of an async call. The
other one waits for all others by one call, which costs less for each of many events: it collects those that come meanwhile.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import componentize_py_runtime as runtime
from componentize_py_types import Err, Ok

from . import _bindings, _errors
from ._calls import Call, number_of

if TYPE_CHECKING:
    from ._loop import ComponentLoop

# The most events of the watch that reports. It has no servers, and no events that a program adds after its server.
_FEW = 4
# The time in seconds after which the loop waits again when the component had no resources for the wait.
_RETRY = 0.1
_LAST_KEY = (1 << 32) - 1
_NOTHING: list[Any] = []
_call = runtime.call_import


class Watching:
    """The events that the loop waits for, and their callbacks.

    An event is reported by state: again and again until the program reads, accepts or removes it. So an exception in a
    callback loses nothing, and a callback that takes nothing must remove its event.
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
        self.try_accept: Callable[[int], Any] = numbers.try_accept
        self.peek: Callable[[int, int, int], Any] = numbers.peek
        # For calls that each message makes: the numbers of these functions save the bindings' own work.
        self.try_read = number_of(numbers.try_read, 2)
        self.write = number_of(numbers.write, 2)
        # Whether bytes were queued by number, which leave with `ready`, `wait` or `kick`.
        self.written = False
        # Whether a turn may send them before its end: once, if a single event of the watch that reports began it. Several
        # connections share the send at the end, and only beside that watch does `kick` send at once.
        self.may_send = False
        # Whether the running callback is the only one of its round. Another one may still add to the message.
        self.is_alone = False
        self._loop = loop
        self._numbers = numbers
        self._number_of_ready = number_of(numbers.ready, 1)
        self._number_of_again = number_of(numbers.again, 2)
        self._number_of_wait = number_of(numbers.Watch.wait, 1)
        self._number_of_kick = number_of(numbers.kick, 0)
        # The callbacks by their keys, and the keys of the watch that reports.
        self._called: dict[int, Callable[[], None]] = {}
        self._few: set[int] = set()
        self._last_key = 0
        # The watch that reports, and the arguments of `ready`: its number.
        self._reporting_watch: Any = None
        self._ready_arguments = [0]
        # The function that reads the reports, once they are there.
        self._read: Any = None
        # Whether events of this watch were added or asked for again.
        self._changed = False
        # Whether a read is pending, or impossible: the reports are not there yet.
        self._read_blocked = True
        self._read_promise = 0
        # The arguments of `wait`: the watch that waits. Its number.
        self._wait_arguments: list[Any] = []
        self._waiting_number = 0
        # Whether a wait is pending, or was refused and waits again later.
        self._wait_blocked = False
        self._wait_promise = 0

    def readable_after(self, count: int) -> Any:
        """Returns the event of a reader with more than `count` buffered bytes, or at its end."""
        return self._numbers.Event_Readable(self._loop.streams.Wanted_Exactly(count + 1))

    def add(self, of: int, event: Any, called: Callable[[], None]) -> int:
        """Calls `called` while the resource with the number `of` has the event; returns the key for remove, never 0."""
        # Not a server: after its close it would listen until the watch reports something else.
        few = event is not self.connection and len(self._few) < _FEW and len(self._few) == len(self._called)
        number = self._reporting() if few else self._waiting()
        key = self._last_key
        while True:
            key = key + 1 if key < _LAST_KEY else 1
            if key not in self._called:
                break
        self._numbers.add(number, of, event, key)
        # A key is not used again soon: a report of it may be on its way.
        self._last_key = key
        self._called[key] = called
        if few:
            self._few.add(key)
            self._changed = True
        return key

    def remove(self, key: int) -> BaseException | None:
        """Removes an event; returns the error of its wait, if that has failed. Does nothing for the key 0."""
        if not key:
            return None
        del self._called[key]
        number = self._ready_arguments[0] if key in self._few else self._waiting_number
        self._few.discard(key)
        try:
            self._numbers.remove(number, key)
        except Err as reason:
            return reason
        return None

    def send_early(self) -> None:
        """Sends queued bytes in a turn that may, unless other callbacks follow: the peer works on them meanwhile."""
        if self.is_alone and not self._loop.exports.current.handles:
            self.written = self.may_send = False
            _call(self._number_of_kick, _NOTHING)

    def end_turn(self) -> bool:
        """Sends queued bytes, and waits for events; returns whether some are there already, and were dispatched."""
        some = self.may_send = False
        if self._changed:
            self._changed = self.written = False
            keys = _call(self._number_of_ready, self._ready_arguments).value
            if keys:
                self._report(keys)
                some = True
        if not self._read_blocked and not some:
            result = self._read()
            if type(result) is Ok:
                self._report(result.value[1])
                some = True
            else:
                self._read_promise = result.value[1]
                self._read_blocked = True
        # Also if there are some: events that come in every turn must not keep the other watch from waiting.
        if len(self._called) > len(self._few) and not self._wait_blocked:
            self.written = False
            result = _call(self._number_of_wait, self._wait_arguments)
            if type(result) is Ok:
                return self._returned(result.value) or some
            waitable, self._wait_promise = result.value
            self._wait_blocked = True
            self._loop.exports.add_pending(waitable, self)
        elif self.written and not some:
            self.written = False
            self._numbers.kick()
        return some

    def reported(self, event: int) -> None:
        """Called when a read of the reports has returned, between two turns of the loop."""
        self._read_blocked = False
        self._report(runtime.promise_get_result(event, self._read_promise)[1])

    def set_result(self, event: Any) -> None:
        """Called when the wait has returned, between two turns of the loop."""
        self._wait_blocked = False
        self._returned(runtime.promise_get_result(event, self._wait_promise))

    def _returned(self, result: Any) -> bool:
        if type(result) is Ok:
            self._report(result.value)
            return True
        self._wait_blocked = True
        self._refused(result, self._wait_again)
        self._numbers.kick()
        return False

    def _wait_again(self) -> None:
        self._wait_blocked = False

    def _report(self, keys: list[int]) -> None:
        called = self._called
        self.may_send = len(keys) == 1 and keys[0] in self._few
        for key in keys:
            # The callback of another event may have removed this one.
            callback = called.get(key)
            if callback is not None:
                try:
                    callback()
                except (SystemExit, KeyboardInterrupt) as reason:
                    self._loop.interrupt(reason)
                except BaseException as reason:
                    # The event would call it again and again.
                    if key in called:
                        self.remove(key)
                    self._loop.call_exception_handler(
                        {"message": "Exception in a callback of asyncio_streams", "exception": reason}
                    )
                if key in self._few:
                    _call(self._number_of_again, [self._ready_arguments[0], key])
                    self._changed = True

    # The watches are made when they are needed: a call of an import during the build ends the build.

    def _waiting(self) -> int:
        if not self._wait_arguments:
            watch = self._numbers.Watch()
            self._waiting_number, self._wait_arguments = watch.number(), [watch]
        return self._waiting_number

    def _reporting(self) -> int:
        if self._reporting_watch is None:
            self._reporting_watch = self._numbers.Watch()
            self._ready_arguments = [self._reporting_watch.number()]
            self._open()
        return self._ready_arguments[0]

    def _open(self) -> None:
        Call(self._reporting_watch.reports(), self._opened).start()

    def _opened(self, reports: Any, error: BaseException | None) -> None:
        if error is not None:
            self._refused(error, self._open)
            return
        # The end of the program drops them, also while a read is pending.
        reports.finalizer.detach()
        self._read = functools.partial(runtime.stream_read, reports.type_, reports.handle, _FEW)
        self._loop.exports.add_reports(reports.handle)
        self._read_blocked = False
        self._changed = True

    def _refused(self, reason: BaseException, again: Callable[[], None]) -> None:
        """Reports that the component had no resources for a wait, and calls `again` later."""
        self._loop.call_exception_handler(
            {"message": "waiting for connections failed", "exception": _errors.to_exception(reason)}
        )
        self._loop.call_later(_RETRY, again)
