"""Objects that represent the component's sockets, and support for Python's own sockets.

Python's `socket` module in a component uses WASI's sockets of an earlier version, which cannot be waited for together
with the component's calls. So connections over them are polled: enough for programs that have a `socket.socketpair()`,
but not for traffic.
"""

from __future__ import annotations

import asyncio
import errno
import select
import socket
import weakref
from asyncio import events, selector_events
from collections.abc import Callable
from typing import Any, NoReturn

from . import _datagrams, _errors

# The base of the loop; the other parts define the missing attributes.
_Base: Any = object

# Many of the used names are private to asyncio.
_selector_events: Any = selector_events
_Selecting: Any = selector_events.BaseSelectorEventLoop

_pair = socket.socketpair


def _af_unix() -> Any:
    """Returns `socket.AF_UNIX`. CPython for WASI has no name for it; 3 is the number of WASI's C library."""
    family: Any = socket.AddressFamily
    if "AF_UNIX" in family.__members__:
        return family.AF_UNIX
    made = int.__new__(family, 3)
    made._name_, made._value_ = "AF_UNIX", 3
    # An enumeration cannot be extended; this suffices for its name, and for `family(3)`.
    family._value2member_map_[3] = made
    return made


AF_UNIX: Any = _af_unix()

# The first and the longest interval at which sockets are polled.
_SOON = 0.001
_LATER = 0.010

# Options that only advise: WASI has none of them, and they are stored without effect.
_ADVICE: dict[tuple[int, int], int] = {
    (getattr(socket, level), getattr(socket, option)): value
    for level, option, value in (
        ("SOL_SOCKET", "SO_SNDBUF", 65536),
        ("SOL_SOCKET", "SO_RCVBUF", 65536),
        ("SOL_SOCKET", "SO_KEEPALIVE", 0),
        ("SOL_SOCKET", "SO_REUSEADDR", 1),
        ("IPPROTO_TCP", "TCP_NODELAY", 0),
        ("IPPROTO_TCP", "TCP_KEEPIDLE", 7200),
        ("IPPROTO_TCP", "TCP_KEEPINTVL", 75),
        ("IPPROTO_TCP", "TCP_KEEPCNT", 9),
    )
    if hasattr(socket, level) and hasattr(socket, option)
}


class ComponentSocket:
    """A socket of the component for `get_extra_info("socket")` and `Server.sockets`, without a descriptor."""

    type = socket.SOCK_STREAM
    proto = socket.IPPROTO_TCP

    def __init__(self, sockname: Any, peername: Any = None) -> None:
        self._sockname = sockname
        self._peername = peername
        self._advice = dict(_ADVICE)
        if isinstance(sockname, (str, bytes)):
            self.family = AF_UNIX
            self.proto = 0
        else:
            self.family = socket.AF_INET6 if len(sockname or ()) == 4 else socket.AF_INET

    def fileno(self) -> int:
        """Returns -1: there is no descriptor."""
        return -1

    def getsockname(self) -> Any:
        """Returns the address of this end."""
        return self._sockname

    def getpeername(self) -> Any:
        """Returns the address of the other end. Raises OSError if there is none."""
        if self._peername is None:
            raise OSError(errno.ENOTCONN, "the socket is not connected")
        return self._peername

    def getsockopt(self, level: int, option: int, size: int = 0) -> int:
        """Returns the value that was set, or a default. Raises OSError for options that do more than advise."""
        if (level, option) == (socket.SOL_SOCKET, socket.SO_ERROR):
            return 0
        try:
            return self._advice[level, option]
        except KeyError:
            raise OSError(errno.ENOPROTOOPT, "WASI has no such socket option") from None

    def setsockopt(self, level: int, option: int, value: Any) -> None:
        """Stores the value, without effect. Raises OSError for options that do more than advise."""
        if (level, option) not in self._advice:
            raise OSError(errno.ENOPROTOOPT, "WASI has no such socket option")
        self._advice[level, option] = int(value)

    def shutdown(self, how: int) -> None:
        """Raises OSError: use write_eof and close."""
        raise OSError(errno.ENOTSUP, "use write_eof or close")


class Polling(_datagrams.Datagrams):
    """The part of the loop that polls Python's own sockets."""

    def __init__(self) -> None:
        super().__init__()
        # The names are asyncio's, because its transport for sockets uses them.
        self._transports: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
        self._selector = _NoSelector()
        self._readers: dict[int, asyncio.Handle] = {}
        self._writers: dict[int, asyncio.Handle] = {}
        self._next_look: asyncio.TimerHandle | None = None
        self._pause = _SOON

    def add_reader(self, fd: Any, callback: Callable[..., object], *args: Any) -> None:
        """Calls `callback` when Python's own socket `fd` is readable, some milliseconds late."""
        self._add_reader(fd, callback, *args)

    def remove_reader(self, fd: Any) -> bool:
        """Ends add_reader."""
        return self._remove_reader(fd)

    def add_writer(self, fd: Any, callback: Callable[..., object], *args: Any) -> None:
        """Calls `callback` when Python's own socket `fd` is writable, some milliseconds late."""
        self._add_writer(fd, callback, *args)

    def remove_writer(self, fd: Any) -> bool:
        """Ends add_writer."""
        return self._remove_writer(fd)

    # asyncio's own transports over Python's sockets, for connect_accepted_socket and create_datagram_endpoint of
    # BaseEventLoop; and asyncio's own sock_ methods with the methods that they call.

    def _make_socket_transport(
        self, sock: Any, protocol: Any, waiter: Any = None, *, extra: Any = None, server: Any = None
    ) -> asyncio.Transport:
        sock.setblocking(False)
        made: asyncio.Transport = _selector_events._SelectorSocketTransport(self, sock, protocol, waiter, extra, server)
        return made

    async def sock_connect(self, sock: Any, address: Any) -> None:
        """Connects one of Python's sockets, as asyncio does."""
        with _errors.advising():
            await _Selecting.sock_connect(self, sock, address)

    async def _sendfile_native(self, transport: Any, file: Any, offset: int, count: int | None) -> NoReturn:
        self._check_sendfile_params(transport.get_extra_info("socket"), file, offset, count)
        raise asyncio.SendfileNotAvailableError("WASI has no sendfile")

    async def _sock_sendfile_native(self, sock: Any, file: Any, offset: int, count: int | None) -> NoReturn:
        # asyncio's own message shows the socket, and WASI's getpeername ends the program if the peer is gone.
        raise asyncio.SendfileNotAvailableError("WASI has no sendfile")

    _ensure_fd_no_transport = _Selecting._ensure_fd_no_transport
    _sock_read_done = _Selecting._sock_read_done
    _sock_write_done = _Selecting._sock_write_done
    sock_accept, _sock_accept = _Selecting.sock_accept, _Selecting._sock_accept
    _sock_connect, _sock_connect_cb = _Selecting._sock_connect, _Selecting._sock_connect_cb
    sock_recv, _sock_recv = _Selecting.sock_recv, _Selecting._sock_recv
    sock_recv_into, _sock_recv_into = _Selecting.sock_recv_into, _Selecting._sock_recv_into
    sock_sendall, _sock_sendall = _Selecting.sock_sendall, _Selecting._sock_sendall
    sock_sendto, _sock_sendto = _Selecting.sock_sendto, _Selecting._sock_sendto

    def _add_reader(self, fd: Any, callback: Callable[..., object], *args: Any) -> asyncio.Handle:
        return self._watch(self._readers, fd, callback, args)

    def _add_writer(self, fd: Any, callback: Callable[..., object], *args: Any) -> asyncio.Handle:
        return self._watch(self._writers, fd, callback, args)

    def _remove_reader(self, fd: Any) -> bool:
        return _forget(self._readers, fd)

    def _remove_writer(self, fd: Any) -> bool:
        return _forget(self._writers, fd)

    def _watch(
        self, table: dict[int, asyncio.Handle], fd: Any, callback: Callable[..., object], args: Any
    ) -> asyncio.Handle:
        number = _number(fd)
        _forget(table, number)
        table[number] = handle = events.Handle(callback, args, self, None)
        self._pause = _SOON
        if self._next_look is not None:
            self._next_look.cancel()
        self._next_look = self.call_later(0, self._look)
        return handle

    def _look(self) -> None:
        self._next_look = None
        if not self._readers and not self._writers:
            return
        try:
            readable, writable, _ = select.select(list(self._readers), list(self._writers), [], 0)
        except (OSError, ValueError):
            # One of them was closed while it was watched, or cannot be waited for. Its owner notices when it uses it.
            readable = [number for number in self._readers if _is_ready([number], [])]
            writable = [number for number in self._writers if _is_ready([], [number])]
        for table, ready in ((self._readers, readable), (self._writers, writable)):
            for number in ready:
                self._queue(table[number])
        self._pause = _SOON if readable or writable else min(self._pause * 2, _LATER)
        self._next_look = self.call_later(self._pause, self._look)


def _is_ready(readers: list[int], writers: list[int]) -> bool:
    """Returns whether one of the sockets is ready or fails."""
    try:
        return any(select.select(readers, writers, [], 0))
    except (OSError, ValueError):
        return True


def connected_pair(*args: Any, **kwds: Any) -> tuple[socket.socket, socket.socket]:
    """Replaces socket.socketpair: waits until both ends are connected, because WASI's second end connects late."""
    first, second = _pair(*args, **kwds)
    select.select([], [second], [], 1.0)
    return first, second


def describe(sock: Any) -> str:
    """Returns the repr of a socket without its peer: WASI's getpeername ends the program if the peer is gone."""
    state = "[closed] " if sock.fileno() < 0 else ""
    return (
        f"<{type(sock).__module__}.{type(sock).__qualname__} {state}fd={sock.fileno()}, family={sock.family}, "
        f"type={sock.type}, proto={sock.proto}>"
    )


class TakenSocket(socket.socket):
    """A bound socket of Python whose address the component has taken over: closed, but it keeps its address and options."""

    __slots__ = ()

    def getsockname(self) -> Any:
        """Returns the address to which it was bound."""
        return _taken[self].getsockname()

    def getsockopt(self, level: int, option: int, size: int = 0) -> Any:
        """Returns an option, as ComponentSocket does."""
        return _taken[self].getsockopt(level, option, size)

    def setsockopt(self, level: int, option: int, value: Any, size: Any = None) -> None:
        """Stores an option, as ComponentSocket does."""
        _taken[self].setsockopt(level, option, value)


# The sockets of the component that stand for them.
_taken: weakref.WeakKeyDictionary[TakenSocket, ComponentSocket] = weakref.WeakKeyDictionary()


def take_address(sock: Any) -> tuple[str, int]:
    """Closes a bound socket of Python, so that the component can listen there. Raises ValueError for other sockets."""
    if sock.type != socket.SOCK_STREAM:
        raise ValueError(f"A Stream Socket was expected, got {sock!r}")
    try:
        address = sock.getsockname()
    except OSError:
        # Listening binds a socket to any port; in WASI it has no address before.
        sock.bind(("", 0))
        address = sock.getsockname()
    sock.close()
    if type(sock) is socket.socket:
        sock.__class__ = TakenSocket
        _taken[sock] = ComponentSocket(address)  # type: ignore[index]
    return address[0], address[1]


class _NoSelector:
    """The methods that asyncio's transports call for their repr."""

    def get_key(self, fd: Any) -> Any:
        raise KeyError(fd)


def _number(fd: Any) -> int:
    try:
        number = fd if isinstance(fd, int) else int(fd.fileno())
    except (AttributeError, TypeError, ValueError):
        raise ValueError(f"Invalid file object: {fd!r}") from None
    if number < 0:
        raise ValueError(f"Invalid file descriptor: {number}")
    return number


def _forget(table: dict[int, asyncio.Handle], fd: Any) -> bool:
    handle = table.pop(_number(fd), None)
    if handle is not None:
        handle.cancel()
    return handle is not None
