"""Calls of the component's async functions without a task for each.

The bindings' own wait for such a call breaks when the waiting task is cancelled: the call continues, its result has no
receiver, and a resource that it borrows may be collected during the call. Each of these ends the program. Here a call
is a separate object. It holds what it borrows until it has returned, cannot be cancelled by accident, and passes its
result to a function.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, NoReturn

import componentize_py_runtime as runtime
from componentize_py_types import Ok

if TYPE_CHECKING:
    from ._exports import Exports
    from ._loop import ComponentLoop

Done = Callable[[Any, "BaseException | None"], None]

_loop: ComponentLoop
_exports: Exports
# Whether a `Call` runs the current code, and not a task.
_by_hand = False


# The resources of each object that has some, by the object's id.
_kept: dict[int, tuple[Any, ...]] = {}


def keep(owner: object, *resources: Any) -> None:
    """Keeps resources as long as their owner, whose `__del__` has to call `let_go`.

    The garbage collector drops those that are garbage before it calls the methods `__del__` of a cycle. One of these may
    close the owner, and a call of a dropped resource ends the program.
    """
    _kept[id(owner)] = resources


def let_go(owner: object) -> None:
    """Keeps the resources of an owner no longer: they live until nothing refers to them."""
    _kept.pop(id(owner), None)


def use(loop: ComponentLoop) -> None:
    """Makes `loop` the loop that waits for all calls."""
    global _loop, _exports
    _loop, _exports = loop, loop.exports


def the_loop() -> ComponentLoop:
    """Returns the component's loop."""
    return _loop


class Call:
    """One call of an async function of the component.

    `coroutine` is the call from the bindings; `done(value, error)` receives its result, at once if it did not have to
    wait. A call cannot be cancelled; the `cancel` of its resource makes it return.
    """

    __slots__ = ("_coroutine", "_done")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], done: Done) -> None:
        self._coroutine: Coroutine[Any, Any, Any] | None = coroutine
        self._done: Done | None = done

    def start(self) -> None:
        """Makes the call."""
        self.go_on(None)

    def go_on(self, event: Any) -> None:
        """Continues with the runtime's answer to the call."""
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
    """An entry of the table of pending calls: receives the result when the call has returned."""

    __slots__ = ("call", "future", "kept", "promise")

    def __init__(self, promise: int) -> None:
        self.promise = promise
        self.call: Call | None = None
        self.future: Any = None
        self.kept: Any = None

    def set_result(self, event: Any) -> None:
        """Called by the runtime's callback, between two turns of the loop."""
        if self.call is not None:
            try:
                self.call.go_on(event)
            except (SystemExit, KeyboardInterrupt) as reason:
                _loop.interrupt(reason)
            except BaseException as reason:
                _loop.call_exception_handler({"message": "Exception in a callback of asyncio_streams", "exception": reason})
        elif self.future.done():
            # A task that called the bindings itself was cancelled; the result must be taken nevertheless.
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
            # The call continues and borrows its arguments, so keep them alive.
            frame = sys._getframe(1)
            self.kept = [dict(outer.f_locals) for outer in (frame, frame.f_back) if outer is not None]
            raise


class _Recorder:
    """Replaces the runtime: records the called function, and calls none."""

    def __init__(self) -> None:
        self.number = -1

    def call_import(self, number: int, arguments: list[Any]) -> NoReturn:
        self.number = number
        raise NotImplementedError


def number_of(function: Callable[..., Any], arguments: int) -> int:
    """Returns the number by which the bindings' function calls the component; it takes that many `arguments`."""
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
    """Waits for a call made by the bindings; replaces componentize-py's function of that name."""
    if isinstance(result, Ok):
        return result.value
    waitable, promise = result.value
    pending = Pending(promise)
    _exports.add_pending(waitable, pending)
    return runtime.promise_get_result(await pending, promise)


async def cancellable(coroutine: Coroutine[Any, Any, Any], cancel: Callable[[], None]) -> Any:
    """Waits for a call on behalf of a task. If the task is cancelled, `cancel` ends the call.

    A result that arrives after that is dropped. Raises the exception of the call.
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
