"""asyncio.run and its kin inside a component, where only the host can wait."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from asyncio import runners, tasks
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from ._loop import ComponentLoop

_WHY = (
    "{} waits, and inside a component only the host can do that: it works at the top level of a program that "
    "`python -m asyncio_streams.build` has built, and in plain functions that are called there by their name alone. "
    "Elsewhere use `await`"
)


def run(main: Awaitable[Any], *, debug: bool | None = None, loop_factory: Any = None) -> NoReturn:
    """In the place of asyncio.run, where that cannot work. Raises RuntimeError, which says why."""
    _close(main)
    raise RuntimeError(_WHY.format("asyncio.run()"))


class Runner:
    """In the place of asyncio.Runner. Its `run` works where asyncio.run does."""

    def __init__(self, *, debug: bool | None = None, loop_factory: Any = None) -> None:
        self._debug = debug
        self._context = contextvars.copy_context()
        self._closed = False

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()

    def close(self) -> None:
        """Cancels all tasks, which then end by and by. A second call does nothing."""
        if not self._closed:
            self._closed = True
            for task in asyncio.all_tasks(self.get_loop()):
                task.cancel()

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The component's loop."""
        return asyncio.get_running_loop()

    def run(self, coro: Awaitable[Any], *, context: contextvars.Context | None = None) -> NoReturn:
        """Raises RuntimeError, which says why."""
        _close(coro)
        raise RuntimeError(_WHY.format("Runner.run()"))

    async def _run(self, coro: Awaitable[Any], *, context: contextvars.Context | None = None) -> Any:
        if self._closed:
            _close(coro)
            raise RuntimeError("Runner is closed")
        loop = component_loop()
        if self._debug is not None:
            loop.set_debug(self._debug)
        return await _run_main(loop, coro, context or self._context)


async def call_blocking(function: Callable[..., Any], *args: Any, **kwds: Any) -> Any:
    """Calls `function`; if it is one of asyncio's that block, awaits instead."""
    owner = getattr(function, "__self__", None)
    if function is run:
        return await _run(*args, **kwds)
    if isinstance(owner, Runner) and function.__name__ == "run":
        return await owner._run(*args, **kwds)
    loop = component_loop()
    if owner is loop and function.__name__ == "run_until_complete":
        return await _run_until_complete(loop, *args)
    if owner is loop and function.__name__ == "run_forever":
        return await loop.until_done(loop.create_future())
    return function(*args, **kwds)


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
    await loop.until_done(task)
    return task.result()


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
    """Ends what is left of a program, as asyncio.run does; but not the task that is `spared`."""
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
    """What stands in the places of asyncio's: where, under which name, what."""
    return [
        *[(module, "run", run) for module in (asyncio, runners)],
        *[(module, "Runner", Runner) for module in (asyncio, runners)],
        *[(module, "new_event_loop", asyncio.get_event_loop) for module in (asyncio, asyncio.events)],
    ]


def component_loop() -> ComponentLoop:
    """The loop that `install` has put in its place."""
    loop: Any = asyncio.get_running_loop()
    found: ComponentLoop = loop
    return found


def _coroutine(main: Awaitable[Any]) -> Coroutine[Any, Any, Any]:
    if asyncio.iscoroutine(main):
        return main

    async def wait() -> Any:
        return await main

    return wait()


def _close(main: Any) -> None:
    """Spares the warning of a coroutine that was never awaited."""
    if asyncio.iscoroutine(main):
        main.close()
