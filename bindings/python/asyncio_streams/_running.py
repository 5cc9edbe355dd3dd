"""asyncio.run and similar functions inside a component, where only the host can wait."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import signal
import types
from asyncio import events, runners, tasks, unix_events
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from . import _calls

if TYPE_CHECKING:
    from ._loop import ComponentLoop

_WHY = (
    "{} waits, and inside a component only the host can do that: it works at the top level of a program that "
    "`python -m asyncio_streams.build` has built, and in the plain functions that are called from there, in libraries too. "
    "It does not where the call goes through C code (map, sorted, callbacks), a generator, a comprehension, an executor or "
    "a module that is being imported. Use `await`, or call it at the top level"
)
_RUNNING = "{} cannot be called from a running event loop"


def run(main: Awaitable[Any], *, debug: bool | None = None, loop_factory: Any = None) -> NoReturn:
    """Replaces asyncio.run where it cannot work. Raises RuntimeError with the reason."""
    refuse("asyncio.run()", main)


def refuse(name: str, main: Any) -> NoReturn:
    """Raises RuntimeError for a blocking call that is not possible."""
    _close(main)
    raise RuntimeError((_WHY if events._get_running_loop() is None else _RUNNING).format(name))


class Runner:
    """Replaces asyncio.Runner. Its `run` works where asyncio.run does."""

    def __init__(self, *, debug: bool | None = None, loop_factory: Any = None) -> None:
        self._debug = debug
        self._context = contextvars.copy_context()
        self._closed = False

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()

    def close(self) -> None:
        """Cancels all tasks, which then end in later turns. A second call does nothing."""
        if not self._closed:
            self._closed = True
            for task in asyncio.all_tasks(self.get_loop()):
                task.cancel()

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Returns the component's loop."""
        return component_loop()

    def run(self, coro: Awaitable[Any], *, context: contextvars.Context | None = None) -> NoReturn:
        """Raises RuntimeError with the reason."""
        refuse("Runner.run()", coro)

    async def _run(self, coro: Awaitable[Any], *, context: contextvars.Context | None = None) -> Any:
        if self._closed:
            _close(coro)
            raise RuntimeError("Runner is closed")
        loop = component_loop()
        if self._debug is not None:
            loop.set_debug(self._debug)
        return await _run_main(loop, coro, context or self._context)


class SelectorEventLoop(asyncio.SelectorEventLoop):
    """Replaces asyncio's class of loops: a call returns the component's loop."""

    def __new__(cls, *args: Any, **kwds: Any) -> Any:
        """Returns the component's loop. A loop of a derived class would be another one, which cannot run."""
        return component_loop()


class Within:
    """Awaits a coroutine and runs each of its steps within a context: `no_loop`, or `in_loop` from there."""

    def __init__(
        self, context: Callable[[], contextlib.AbstractContextManager[None]], coroutine: Coroutine[Any, Any, Any]
    ) -> None:
        self._context = context
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, Any]:
        step: Callable[[Any], Any] = self._coroutine.send
        value: Any = None
        while True:
            try:
                with self._context():
                    pending = step(value)
            except StopIteration as end:
                return end.value
            try:
                value = yield pending
                step = self._coroutine.send
            except BaseException as reason:
                value = reason
                step = self._coroutine.throw


def outside(loop: ComponentLoop, coroutine: Coroutine[Any, Any, Any]) -> Within:
    """Awaits a coroutine that finds no running loop, as the code of a program does outside a component."""
    return Within(lambda: no_loop(loop), coroutine)


@contextlib.contextmanager
def in_loop() -> Iterator[None]:
    """Makes code of the package run within `no_loop` as if the loop were running."""
    before = events._get_running_loop()
    events._set_running_loop(component_loop())
    try:
        yield
    finally:
        events._set_running_loop(before)


@contextlib.contextmanager
def no_loop(loop: ComponentLoop) -> Iterator[None]:
    """Makes code run as if no loop were running, in no task."""
    # In this order: a task can be swapped only while its loop is the running one.
    task = tasks._swap_current_task(loop, None)  # type: ignore[attr-defined]
    loop.outside, before = True, loop.outside
    events._set_running_loop(None)
    try:
        yield
    finally:
        events._set_running_loop(loop)
        loop.outside = before
        tasks._swap_current_task(loop, task)  # type: ignore[attr-defined]


def blocking() -> dict[Any, Callable[..., Any]]:
    """Returns the blocking functions, each with the coroutine function that replaces it."""
    from ._loop import ComponentLoop

    async def run_forever(loop: ComponentLoop) -> None:
        await loop.until_done(loop.create_future())

    inner: dict[Any, Callable[..., Any]] = {
        run: _run,
        Runner.run: Runner._run,
        ComponentLoop.run_until_complete: _run_until_complete,
        ComponentLoop.run_forever: run_forever,
    }
    return {function: _inside(instead) for function, instead in inner.items()}


def _inside(function: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    def call(*args: Any, **kwds: Any) -> Within:
        return Within(in_loop, function(*args, **kwds))

    return call


async def _run(main: Awaitable[Any], *, debug: bool | None = None, loop_factory: Any = None) -> Any:
    loop = component_loop()
    if debug is not None:
        loop.set_debug(debug)
    try:
        return await _run_main(loop, main, contextvars.copy_context())
    finally:
        await finish(loop)


async def _run_main(loop: ComponentLoop, main: Awaitable[Any], context: contextvars.Context) -> Any:
    if not inspect.isawaitable(main):
        raise TypeError("An asyncio.Future, a coroutine or an awaitable is required")
    task = loop.create_task(_coroutine(main), context=context)
    with _Interrupts(task) as interrupts:
        await loop.until_done(task)
        try:
            result = task.result()
            if interrupts.is_late:
                raise asyncio.CancelledError
            return result
        except asyncio.CancelledError:
            if interrupts.count > 0 and (interrupts.is_late or task.uncancel() == 0):
                # With the cancellation as its context, as from asyncio.Runner.
                raise KeyboardInterrupt()  # noqa: B904
            raise


class _Interrupts:
    """Handles SIGINT as asyncio.Runner does: the first one cancels the main task, the next ones end its run."""

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self.count = 0
        # Whether the first one came in the last turn of the task, which was therefore not cancelled.
        self.is_late = False
        self._task = task
        self._is_handler = False

    def __enter__(self) -> _Interrupts:
        self._is_handler = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self._is_handler:
            signal.signal(signal.SIGINT, self)
        return self

    def __exit__(self, *reason: object) -> None:
        if self._is_handler and signal.getsignal(signal.SIGINT) is self:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def __call__(self, number: int, frame: types.FrameType | None) -> None:
        self.count += 1
        if self.count > 1:
            raise KeyboardInterrupt()
        self.is_late = not self._task.cancel()


async def _run_until_complete(loop: ComponentLoop, future: Any) -> Any:
    made = not asyncio.isfuture(future)
    future = tasks.ensure_future(future, loop=loop)
    try:
        await loop.until_done(future)
    except BaseException:
        if made and future.done() and not future.cancelled():
            future.exception()
        raise
    if not future.done():
        raise RuntimeError("Event loop stopped before Future completed.")
    return future.result()


async def finish(loop: ComponentLoop, spared: asyncio.Task[Any] | None = None) -> None:
    """Ends the rest of a program, as asyncio.run does, except the task `spared`."""
    left = asyncio.all_tasks(loop) - {spared}
    for task in left:
        task.cancel()
    if left:
        await loop.until_done(tasks.gather(*left, return_exceptions=True))
    for task in left:
        if task.done() and not task.cancelled() and task.exception() is not None:
            loop.call_exception_handler(
                {
                    "message": "unhandled exception during asyncio.run() shutdown",
                    "exception": task.exception(),
                    "task": task,
                }
            )
    await loop.shutdown_asyncgens()
    loop._asyncgens_shutdown_called = False


def replacements() -> list[tuple[Any, str, Any]]:
    """Returns the replacements of asyncio's attributes: module, name, value."""
    policy: Any = unix_events._UnixDefaultEventLoopPolicy
    return [
        (policy, "_loop_factory", staticmethod(component_loop)),
        *[(module, "SelectorEventLoop", SelectorEventLoop) for module in (asyncio, unix_events)],
        *[(module, "EventLoop", SelectorEventLoop) for module in (asyncio, unix_events)],
        *[(module, "run", run) for module in (asyncio, runners)],
        *[(module, "Runner", Runner) for module in (asyncio, runners)],
        *[(module, "new_event_loop", component_loop) for module in (asyncio, asyncio.events)],
    ]


def component_loop() -> ComponentLoop:
    """Returns the loop that `install` has installed."""
    return _calls.the_loop()


def _coroutine(main: Awaitable[Any]) -> Coroutine[Any, Any, Any]:
    if asyncio.iscoroutine(main):
        return main

    async def wait() -> Any:
        return await main

    return wait()


def _close(main: Any) -> None:
    """Avoids the warning about a coroutine that was never awaited."""
    if asyncio.iscoroutine(main):
        main.close()
