"""`run_in_executor` and `to_thread` without threads: the function runs at once, and the loop waits for it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
from asyncio import futures
from collections.abc import Callable
from typing import Any, NoReturn

_NO_THREADS = (
    "can't start new thread: a component has one thread. Use tasks of asyncio; asyncio.to_thread and run_in_executor, which "
    "run a function at once; or what the library offers for systems without threads"
)

# The base of the loop; the other parts define the missing attributes.
_Base: Any = object

_REFUSED = (
    "a component has no threads, and this program was built with --executor refuse: without that, run_in_executor and "
    "to_thread run the function at once, while everything else waits"
)


class Inline(_Base):
    """The part of the loop that replaces threads."""

    inline_executor = True

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """Calls `func` at once, and returns a future that gets its result in the next turn.

        Everything else waits until it returns, so a function that waits for another task or thread never returns. As in
        a thread, no loop is running during the call, and context variables have their defaults. An `executor` with its
        own `submit`, other than those of `concurrent.futures`, is used. Raises NotImplementedError if the program was
        built with `--executor refuse`, RuntimeError for an executor that is shut down.
        """
        self._check_closed()
        if self.get_debug():
            self._check_callback(func, "run_in_executor")
        if executor is not None and not _has_threads(executor):
            return asyncio.wrap_future(executor.submit(func, *args), loop=self)
        if not self.inline_executor:
            raise NotImplementedError(_REFUSED)
        if getattr(executor, "_shutdown", False) or (executor is None and self._executor_shutdown_called):
            raise RuntimeError("cannot schedule new futures after shutdown")
        future: asyncio.Future[Any] = self.create_future()
        try:
            # A pool's threads do not have the task's context either; asyncio.to_thread brings it itself.
            value = self._call_outside(contextvars.Context().run, (func, *args))
        except BaseException as reason:
            self.call_soon(_fail, future, reason)
        else:
            self.call_soon(futures._set_result_unless_cancelled, future, value)  # type: ignore[attr-defined]
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Shuts the default executor down, as in asyncio; there is nothing to wait for."""
        self._executor_shutdown_called = True

    def _call_outside(self, func: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        from . import _running

        with _running.no_loop(self):
            return func(*args)


def refuse_thread(*args: Any, **kwds: Any) -> NoReturn:
    """Replaces the functions that start threads. Raises RuntimeError, as Python does if no thread can be started."""
    raise RuntimeError(_NO_THREADS)


def _has_threads(executor: Any) -> bool:
    return type(executor).submit.__module__.startswith("concurrent.futures.") or not isinstance(
        executor, concurrent.futures.Executor
    )


def _fail(future: asyncio.Future[Any], reason: BaseException) -> None:
    if not future.cancelled():
        future.set_exception(reason)
