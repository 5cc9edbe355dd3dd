"""Methods that a loop inside a component does not support: each error has the reason and the alternative."""

from __future__ import annotations

import types
from typing import Any, NoReturn

from . import _system

# The base of the loop; the other parts define the missing attributes.
_Base: Any = object

_NO_PROCESSES = _system.NO_PROCESSES
_NO_TLS_OVER_SOCKETS = (
    "TLS over a socket of Python's own is not possible inside a component: give host and port instead of sock, "
    "or connect without ssl= and use start_tls"
)


class Absent(_Base):
    """The unsupported methods of the loop."""

    async def subprocess_exec(self, *args: Any, **kwds: Any) -> NoReturn:
        """Raises NotImplementedError."""
        raise NotImplementedError(_NO_PROCESSES)

    async def subprocess_shell(self, *args: Any, **kwds: Any) -> NoReturn:
        """Raises NotImplementedError."""
        raise NotImplementedError(_NO_PROCESSES)

    def _make_ssl_transport(self, *args: Any, **kwds: Any) -> NoReturn:
        raise NotImplementedError(_NO_TLS_OVER_SOCKETS)


class SemLock:
    """Replaces `_multiprocessing.SemLock`, which CPython for WASI lacks: packages name such classes in annotations."""

    SEM_VALUE_MAX = (1 << 31) - 1

    def __new__(cls, *args: Any, **kwds: Any) -> NoReturn:
        """Raises NotImplementedError."""
        raise NotImplementedError(_NO_PROCESSES)


def multiprocessing_module() -> types.ModuleType:
    """Returns the module `_multiprocessing`, so that `multiprocessing` and its submodules can be imported."""
    module = types.ModuleType("_multiprocessing")
    module.__dict__.update(SemLock=SemLock, sem_unlink=SemLock, flags={})
    return module
