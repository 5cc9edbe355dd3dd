"""asyncio's streams inside a WebAssembly component.

`install()` makes asyncio's network functions work inside a Python component that is composed with the component
`asyncio:streams`: `open_connection`, `start_server`, the readers, the writers, the servers, and with them `sleep`,
`wait_for`, `timeout` and everything else that needs a clock. `python -m asyncio_streams.build` makes such a component of
a program, which then needs no line of its own.
"""

from __future__ import annotations

from ._bindings import NotInComponentError

__all__ = ["NotInComponentError", "install", "installed"]
__version__ = "0.1.0"

_installed = False


def install() -> None:
    """Gives asyncio's functions to the component `asyncio:streams`. A second call does nothing.

    Raises NotInComponentError outside a component, and in one whose world lacks what is needed.
    """
    global _installed
    if _installed:
        return
    from . import _bindings

    _bindings.streams()
    from . import _install

    _install.install()
    _installed = True


def installed() -> bool:
    """Whether `install` has done its work in this program."""
    return _installed
