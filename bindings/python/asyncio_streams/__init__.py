"""asyncio's streams inside a WebAssembly component.

`install()` makes asyncio's network functions work inside a Python component that is composed with the component
`asyncio:streams`: `open_connection`, `start_server`, readers, writers, servers, and `sleep`, `wait_for`, `timeout` and
everything else that needs a clock. `python -m asyncio_streams.build` makes such a component of a program without
changing the program.
"""

from __future__ import annotations

from ._outside import NotInComponentError

__all__ = ["NotInComponentError", "finish", "install", "installed", "uninstall"]
__version__ = "0.1.0"

_installed = False
_taken_over = False


def install() -> None:
    """Makes asyncio's functions use the component `asyncio:streams`. A second call does nothing.

    Raises NotInComponentError outside a component, and if its world lacks an import.
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
    """Restores asyncio's own classes and functions for new objects.

    The loop stays, because nothing else can wait here; so do its connections and servers. Without `install` before it
    does nothing.
    """
    global _installed
    if _installed:
        from . import _install

        _install.put_back()
        _installed = False


async def finish(seconds: float = 5.0) -> None:
    """Ends the program's tasks and connections. Await it at the end of an export such as `wasi:cli/run`.

    Cancels the remaining tasks, as asyncio.run does, closes the connections, and sends queued output for up to
    `seconds`; nothing is sent after the end of the program. Then it waits while peers that keep their side open could
    still lose output: 1 s after an answer, 5 s of silence without one, 35 s at most. The wait ends at once if the peers
    end too. A program built by `asyncio_streams.build` calls it automatically. Without `install` before it does
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
    """Returns whether `install` has run in this program."""
    return _installed
