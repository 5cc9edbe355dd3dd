"""Runs a rewritten test in a loop that runs already, as ``run_until_complete`` would in one that does not.

A test is a coroutine that asks for ``until_complete(loop, x)`` again and again. Between two of these its lines run as they
do under unittest: no loop is running, none is current. While it waits, the real loop runs, and ``x`` in it.
"""

import asyncio
import contextlib
import types
from collections.abc import Awaitable, Coroutine
from typing import Any

_loop: asyncio.AbstractEventLoop | None = None


def use(loop: asyncio.AbstractEventLoop) -> None:
    """Lets all tests run in this loop."""
    global _loop
    _loop = loop
    # It belongs to whoever runs the tests: they can neither close it nor stop it.
    loop.close = lambda: None  # type: ignore[method-assign]


def the_loop() -> asyncio.AbstractEventLoop:
    """The one loop that there is."""
    assert _loop is not None
    return _loop


@types.coroutine
def until_complete(loop: asyncio.AbstractEventLoop, awaited: Awaitable[Any]):
    """What a test calls in the place of ``loop.run_until_complete(awaited)``."""
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
    """No loop is running, as far as Python can see."""
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
    """Waits, as ``run_until_complete`` does: to the end, or until the loop is told to stop."""
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
