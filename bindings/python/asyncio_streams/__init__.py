"""asyncio's streams inside a WebAssembly component.

`install()` makes asyncio's network functions work inside a Python component that is composed with the component
`asyncio:streams`: `open_connection`, `start_server`, the readers, the writers, the servers, and with them `sleep`,
`wait_for`, `timeout` and everything else that needs a clock. `python -m asyncio_streams.build` makes such a component of
a program, which then needs no line of its own.
"""

from __future__ import annotations

from ._bindings import NotInComponentError

__all__ = ["NotInComponentError", "finish", "install", "installed", "uninstall"]
__version__ = "0.1.0"

_installed = False
_taken_over = False


def install() -> None:
    """Gives asyncio's functions to the component `asyncio:streams`. A second call does nothing.

    Raises NotInComponentError outside a component, and in one whose world lacks what is needed.
    """
    global _installed, _taken_over
    if _installed:
        return
    from . import _bindings

    _bindings.streams()
    from . import _install

    if _taken_over:
        _install.replace_readers()
    else:
        _install.install()
    _installed = _taken_over = True


def uninstall() -> None:
    """Puts asyncio's own classes and functions back, for what is made from now on.

    The loop stays, since nothing else can wait here, and with it the connections that it opens and the servers that it
    makes. Without `install` before it does nothing.
    """
    global _installed
    if _installed:
        from . import _install

        _install.put_back()
        _installed = False


async def finish(seconds: float = 5.0) -> None:
    """Ends what is left, to be awaited at the end of an export that ends the program, such as `wasi:cli/run`.

    Cancels the tasks that are left, as asyncio.run does, closes the connections, and gives what was written `seconds` to
    go out: when the program has ended, nothing does that. Then it waits while peers that keep their side open could still
    lose some of it: 1 s after an answer, 5 s of silence without one, 35 s at most; peers that end when this side does end
    that wait at once. A program that `asyncio_streams.build` has built does it by itself. Without `install` before it does
    nothing.
    """
    if _taken_over:
        import asyncio

        from . import _running

        loop = _running.component_loop()
        task = asyncio.current_task()
        await _running.finish(loop, spared=task)
        await loop.end_connections(seconds)


def installed() -> bool:
    """Whether `install` has done its work in this program."""
    return _installed
