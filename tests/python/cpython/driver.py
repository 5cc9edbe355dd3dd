"""Runs a rewritten test in a running loop, as ``run_until_complete`` would in one that is not running.

A test is a coroutine that requests ``until_complete(loop, x)`` repeatedly. Between two requests its lines run as
under unittest: no loop is running, none is current. While it waits, the real loop runs, and ``x`` in it.
"""

import asyncio
import contextlib
import types
from collections.abc import Awaitable, Coroutine
from typing import Any

_loop: asyncio.AbstractEventLoop | None = None


def use(loop: asyncio.AbstractEventLoop) -> None:
    """Runs all tests in this loop."""
    global _loop
    _loop = loop
    # The runner owns it: tests can neither close nor stop it.
    loop.close = lambda: None  # type: ignore[method-assign]


def the_loop() -> asyncio.AbstractEventLoop:
    """The only loop."""
    assert _loop is not None
    return _loop


@types.coroutine
def until_complete(loop: asyncio.AbstractEventLoop, awaited: Awaitable[Any]):
    """Replaces ``loop.run_until_complete(awaited)`` in tests."""
    assert loop is _loop, "a test uses a loop of its own"
    return (yield awaited)


async def drive(test: Coroutine[Any, Any, Any]) -> Any:
    """Runs a test to its end."""
    step, argument = test.send, None
    while True:
        try:
            with no_loop():
                awaited = step(argument)
        except StopIteration as end:
            return end.value
        try:
            step, argument = test.send, await _complete(awaited)
        except BaseException as error:
            step, argument = test.throw, error


@contextlib.contextmanager
def no_loop():
    """Runs code for which, as far as Python can see, no loop is running."""
    loop = the_loop()
    # In this order: a task can be exchanged only while its loop is the running one.
    task = asyncio.tasks._swap_current_task(loop, None)
    asyncio.events._set_running_loop(None)
    try:
        yield
    finally:
        asyncio.events._set_running_loop(loop)
        asyncio.tasks._swap_current_task(loop, task)


async def _complete(awaited: Awaitable[Any]) -> Any:
    """Waits, as ``run_until_complete`` does: to the end, or until the loop is stopped."""
    loop = the_loop()
    future = asyncio.ensure_future(awaited, loop=loop)
    stopped = loop.create_future()

    def stop() -> None:
        if not stopped.done():
            stopped.set_result(None)

    loop.stop = stop  # type: ignore[method-assign]
    try:
        await asyncio.wait((future, stopped), return_when=asyncio.FIRST_COMPLETED)
        if not future.done():
            raise RuntimeError("Event loop stopped before Future completed.")
        return future.result()
    finally:
        del loop.stop
        stopped.cancel()
        await asyncio.sleep(0)
