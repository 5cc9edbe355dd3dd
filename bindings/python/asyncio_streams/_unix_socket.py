"""Python's sockets of the family AF_UNIX, which CPython for WASI lacks: the parts of them that asyncio uses.

A socket has a name that a server takes over, or a connection that the loop has opened. Calls that would have to wait
raise an error with the alternatives: only the loop can wait in a component.
"""

from __future__ import annotations

import errno
import socket
from typing import Any, NoReturn

from . import _errors, _unix_calls
from ._sockets import AF_UNIX, ComponentSocket

_Socket: Any = socket.socket
_new = _Socket.__new__
_INSTEAD = (
    "a socket of the family AF_UNIX cannot wait inside a component: use asyncio.open_unix_connection, "
    "asyncio.start_unix_server, or the loop's sock_connect and then open_unix_connection with sock="
)


class UnixSocket(_Socket):
    """A socket of the family AF_UNIX and the type SOCK_STREAM, without a descriptor."""

    def __init__(self, family: int = -1, type: int = -1, proto: int = -1, fileno: Any = None) -> None:
        if fileno is not None:
            raise OSError(errno.ENOTSUP, "sockets of the family AF_UNIX have no descriptors inside a component")
        if type not in (-1, socket.SOCK_STREAM):
            raise OSError(errno.EPROTONOSUPPORT, "a component has no sockets of the family AF_UNIX except SOCK_STREAM")
        self._io_refs = 0
        self._closed = False
        self._timeout: float | None = socket.getdefaulttimeout()
        self._options = ComponentSocket("")
        # The component's server of a bound socket; the reader and the writer of a connected one.
        self._of_component: Any = None

    family = property(lambda self: AF_UNIX)
    type = property(lambda self: socket.SOCK_STREAM)
    proto = property(lambda self: 0)
    timeout = property(lambda self: self._timeout)

    def bind(self, address: Any) -> None:
        """Binds to a path, as bytes or text. A socket that is there already is replaced.

        Raises OSError if the socket is not new, or the path cannot be bound.
        """
        self._check_new()
        server = _unix_calls.bind(address)
        self._of_component = server
        self._options = ComponentSocket(_errors.socket_address(server.sockets()[0]))

    def listen(self, backlog: int = 0) -> None:
        """Does nothing: asyncio's server listens. Raises OSError without a name."""
        self._check_bound()

    def connected(self, pair: tuple[Any, Any]) -> None:
        """Makes it the socket of the component's reader and writer. Raises OSError if it was closed meanwhile."""
        if self._closed:
            pair[1].close()
            self._check_new()
        self._of_component = pair
        ends = (_errors.socket_address(end) for end in (pair[1].sockname(), pair[1].peername()))
        self._options = ComponentSocket(*ends)

    def take_connection(self) -> tuple[Any, Any]:
        """Returns the reader and the writer, and closes the socket. Raises OSError if it has none."""
        if not isinstance(self._of_component, tuple):
            raise OSError(errno.ENOTCONN, "the socket is not connected: await the loop's sock_connect first")
        pair, self._of_component = self._of_component, None
        self.close()
        return pair

    def take_name(self) -> Any:
        """Returns the name to listen on, and closes the socket. Raises OSError if it has none."""
        self._check_bound()
        self.close()
        return self.getsockname()

    def check_connectable(self) -> None:
        """Raises OSError if the socket is bound, connected or closed."""
        self._check_new()

    def close(self) -> None:
        """Frees the name, or closes the connection. The file of a name stays, as natively."""
        self._closed = True
        had, self._of_component = self._of_component, None
        if isinstance(had, tuple):
            had[1].close()
        elif had is not None:
            had.close()

    def getsockname(self) -> Any:
        """Returns the path to which it was bound; empty without one."""
        return self._options.getsockname()

    def getpeername(self) -> Any:
        """Returns the path of the other end. Raises OSError if it is not connected."""
        return self._options.getpeername()

    def getsockopt(self, level: int, option: int, size: int = 0) -> Any:
        """Returns an option, as ComponentSocket does."""
        return self._options.getsockopt(level, option, size)

    def setsockopt(self, level: int, option: int, value: Any, size: Any = None) -> None:
        """Stores an option, as ComponentSocket does."""
        self._options.setsockopt(level, option, value)

    def settimeout(self, value: float | None) -> None:
        """Stores the time; nothing waits for it."""
        self._timeout = value

    def gettimeout(self) -> float | None:
        """Returns the stored time."""
        return self._timeout

    def setblocking(self, flag: bool) -> None:
        """Stores whether calls may wait."""
        self._timeout = None if flag else 0.0

    def getblocking(self) -> bool:
        """Returns whether calls may wait."""
        return self._timeout != 0.0

    def _check_new(self) -> None:
        if self._closed:
            raise OSError(errno.EBADF, "the socket is closed")
        if self._of_component is not None:
            raise OSError(errno.EINVAL, "the socket is bound or connected already")

    def _check_bound(self) -> None:
        if self._of_component is None or isinstance(self._of_component, tuple):
            raise OSError(errno.EINVAL, "the socket is not bound: call bind with a path first")

    def _refuse(self, *args: Any, **kwds: Any) -> NoReturn:
        """Raises OSError: only the loop can wait."""
        raise OSError(errno.ENOTSUP, _INSTEAD)

    accept = connect = connect_ex = detach = dup = makefile = shutdown = _refuse
    recv = recv_into = recvfrom = recvfrom_into = recvmsg = send = sendall = sendfile = sendmsg = sendto = _refuse


def install() -> None:
    """Makes `socket.socket` create these sockets, and defines `socket.AF_UNIX`, if Python has none of its own."""
    module: Any = socket
    if not hasattr(module, "AF_UNIX"):
        module.AF_UNIX = AF_UNIX
        _Socket.__new__ = _make


def _make(cls: Any, family: int = -1, *args: Any, **kwds: Any) -> Any:
    return _new(UnixSocket if cls is _Socket and family == AF_UNIX else cls)
