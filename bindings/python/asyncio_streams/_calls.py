"""Calls of the component's async functions, made without a task for each.

The bindings' own way to wait for such a call breaks when the waiting task is cancelled: the call goes on, its result
finds nobody, and a resource that it borrows may be collected under it; each of these ends the program. Here a call
is an object of its own. It holds what it borrows until it has returned, nobody can cancel it by accident, and its
result goes to a function.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, NoReturn

import componentize_py_runtime as runtime
from componentize_py_types import Ok

if TYPE_CHECKING:
    from ._exports import Exports, State
    from ._loop import ComponentLoop

Done = Callable[[Any, "BaseException | None"], None]

_loop: ComponentLoop
_exports: Exports
# Whether the code that runs is that of a `Call`, not that of a task.
_by_hand = False


def use(loop: ComponentLoop) -> None:
    """Makes `loop` the one that waits for all calls."""
    global _loop, _exports
    _loop, _exports = loop, loop.exports


def the_loop() -> ComponentLoop:
    """The component's loop."""
    return _loop


class Call:
    """One call of an async function of the component.

    `coroutine` is the call as the bindings give it; `done(value, error)` is told how it ended, at once if it did not
    have to wait. There is no way to cancel it: what it was made of has a `cancel` that makes it return.
    """

    __slots__ = ("_coroutine", "_done")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], done: Done) -> None:
        self._coroutine: Coroutine[Any, Any, Any] | None = coroutine
        self._done: Done | None = done

    def start(self) -> None:
        """Makes the call."""
        self.go_on(None)

    def go_on(self, event: Any) -> None:
        """Goes on with what the runtime has said about the call."""
        global _by_hand
        coroutine, done = self._coroutine, self._done
        assert coroutine is not None and done is not None
        outer, _by_hand = _by_hand, True
        value: Any = None
        error: BaseException | None = None
        try:
            pending: Pending = coroutine.send(event)
        except StopIteration as end:
            value = end.value
        except Exception as reason:
            error = reason
        else:
            pending.call = self
            return
        finally:
            _by_hand = outer
        self._coroutine = self._done = None
        done(value, error)


class Pending:
    """What the table of pending calls holds: who is told when the call has returned."""

    __slots__ = ("call", "future", "kept", "promise", "state")

    def __init__(self, state: State, promise: int) -> None:
        self.state = state
        self.promise = promise
        self.call: Call | None = None
        self.future: Any = None
        self.kept: Any = None

    def set_result(self, event: Any) -> None:
        """Called by the runtime's callback, between two turns of the loop."""
        if self.call is not None:
            _exports.current = self.state
            try:
                self.call.go_on(event)
            except (SystemExit, KeyboardInterrupt) as reason:
                _loop.interrupt(reason)
            except BaseException as reason:
                _loop.call_exception_handler({"message": "Exception in a callback of asyncio_streams", "exception": reason})
        elif self.future.done():
            # A task that called the bindings by itself has been cancelled; the result must be taken all the same.
            runtime.promise_get_result(event, self.promise)
            self.kept = None
        else:
            self.future.set_result(event)

    def __await__(self) -> Generator[Any, Any, Any]:
        if _by_hand:
            return (yield self)
        self.future = _loop.create_future()
        try:
            return (yield from self.future)
        except BaseException:
            # The call goes on and borrows what it was given, so that must live as long.
            frame = sys._getframe(1)
            self.kept = [dict(outer.f_locals) for outer in (frame, frame.f_back) if outer is not None]
            raise


class Repeated:
    """A call that one object makes again and again: without what a `Call` costs.

    `number` is the function's, as `number_of` tells it; `done(result)` gets an Ok or an Err.
    """

    __slots__ = ("_arguments", "_done", "_number", "_promise", "state")

    def __init__(self, number: int, done: Callable[[Any], None]) -> None:
        self._number = number
        self._done = done
        self._arguments: tuple[Any, ...] = ()
        self._promise = 0
        self.state = _exports.current

    def start(self, *arguments: Any) -> None:
        """Makes the call, which must not be pending."""
        result = runtime.call_import(self._number, list(arguments))
        if isinstance(result, Ok):
            self._done(result.value)
            return
        # What is borrowed lives as long as the call.
        self._arguments = arguments
        self.state = _exports.current
        waitable, self._promise = result.value
        _exports.add_pending(waitable, self)

    def set_result(self, event: Any) -> None:
        """Called by the runtime's callback, between two turns of the loop."""
        _exports.current = self.state
        try:
            result = runtime.promise_get_result(event, self._promise)
            self._arguments = ()
            self._done(result)
        except (SystemExit, KeyboardInterrupt) as reason:
            _loop.interrupt(reason)
        except BaseException as reason:
            _loop.call_exception_handler({"message": "Exception in a callback of asyncio_streams", "exception": reason})


class _Recorder:
    """In the place of the runtime: notes which function is called, and calls none."""

    def __init__(self) -> None:
        self.number = -1

    def call_import(self, number: int, arguments: list[Any]) -> NoReturn:
        self.number = number
        raise NotImplementedError


def number_of(function: Callable[..., Any], arguments: int) -> int:
    """The number by which the bindings' function calls the component; it takes so many `arguments`."""
    recorder = _Recorder()
    names = function.__globals__
    before = names["componentize_py_runtime"]
    names["componentize_py_runtime"] = recorder
    try:
        made = function(*[None] * arguments)
        if hasattr(made, "send"):
            made.send(None)
    except NotImplementedError:
        pass
    finally:
        names["componentize_py_runtime"] = before
    return recorder.number


async def await_result(result: Any) -> Any:
    """Waits for a call that the bindings have made; in the place of componentize-py's function of that name."""
    if isinstance(result, Ok):
        return result.value
    waitable, promise = result.value
    pending = Pending(_exports.current, promise)
    _exports.add_pending(waitable, pending)
    return runtime.promise_get_result(await pending, promise)


async def cancellable(coroutine: Coroutine[Any, Any, Any], cancel: Callable[[], None]) -> Any:
    """Waits for a call on behalf of a task; if that is cancelled, `cancel` ends the call.

    What the call gives after that is dropped. Raises what the call raises.
    """
    future = _loop.create_future()

    def done(value: Any, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)

    Call(coroutine, done).start()
    try:
        return await future
    except BaseException:
        if future.cancelled():
            cancel()
        raise
