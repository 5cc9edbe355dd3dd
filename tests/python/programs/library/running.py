"""Entry points like those of uvicorn, aiohttp and anyio: plain functions that run a loop internally."""

import asyncio
import contextlib
import functools

from . import lazy

_finished = []


def serve(coroutine):
    """As uvicorn.run."""
    server = Server(coroutine)
    server.run()
    return server.result


class Server:
    __count = 0

    def __init__(self, coroutine):
        self.coroutine = coroutine
        self.result = None

    def run(self):
        Server.__count += 1
        with self.signals():
            self.result = asyncio.run(self.work()), self.__count

    async def work(self):
        return await self.coroutine

    @contextlib.contextmanager
    def signals(self):
        try:
            yield
        finally:
            _finished.append("signals restored")


def run_app(coroutine):
    """As aiohttp.web.run_app."""
    loop = asyncio.new_event_loop()
    try:
        asyncio.set_event_loop(loop)
        main = loop.create_task(coroutine)
        try:
            return loop.run_until_complete(main)
        finally:
            _cancel(loop)
            loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()
        _finished.append("loop closed")


def _cancel(loop):
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))


class Backend:
    @classmethod
    def run(cls, function, arguments):
        async def wrapper():
            return await function(*arguments)

        with asyncio.Runner(debug=False) as runner:
            return runner.run(wrapper())


def retried(function):
    @functools.wraps(function)
    def call(*args, **kwds):
        for _ in range(2):
            try:
                return function(*args, **kwds)
            except KeyError:
                _finished.append("again")
        return None

    return call


@retried
def run(function, *arguments, backend=Backend):
    """As anyio.run, and once more if it fails."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return backend.run(function, arguments)
    raise RuntimeError("already running")


def finished():
    return lazy.show("none", b"x"), _finished


def call(function, *arguments):
    """Calls a function of the program."""
    return function(*arguments)


class Commands:
    """Functions of the program, as commands."""

    def __init__(self):
        self._functions = []

    def add(self, function):
        """Adds a command."""
        self._functions.append(function)

    def __call__(self):
        """Runs the last command."""
        return self._run()

    def _run(self):
        return self._functions[-1]()
