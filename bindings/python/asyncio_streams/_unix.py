"""Unix sockets: the loop's `create_unix_connection` and `create_unix_server`, and the functions of asyncio that use them.

CPython for WASI has no AF_UNIX, so asyncio defines nothing of it. A host that grants paths provides the sockets.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from typing import Any

from . import _errors, _unix_calls
from ._calls import cancellable
from ._connecting import CLOSED_WITH_THE_PROGRAM, MOST_QUEUED
from ._serving import ComponentServer
from ._unix_socket import UnixSocket

# The base of the loop; the other parts define the missing attributes.
_Base: Any = object

_LIMIT = 2**16


class UnixSockets(_Base):
    """The part of the loop that opens connections over Unix sockets, and listens on them."""

    async def create_unix_connection(
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        path: Any = None,
        *,
        ssl: Any = None,
        sock: Any = None,
        server_hostname: str | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """Connects to a Unix socket, with TLS if `ssl` is set; the arguments are asyncio's.

        The path is one of the host; a `sock` is one that `sock_connect` has connected. Raises ValueError and TypeError
        for invalid arguments, OSError and its subclasses for network errors, NotImplementedError where there are no Unix
        sockets. Cancelling closes everything that was opened.
        """
        if ssl:
            if server_hostname is None:
                raise ValueError("you have to pass server_hostname when using ssl")
        else:
            _refuse_without_ssl(server_hostname, "server_hostname")
            _refuse_without_ssl(ssl_handshake_timeout, "ssl_handshake_timeout")
            _refuse_without_ssl(ssl_shutdown_timeout, "ssl_shutdown_timeout")
        _check_choice(path, sock, "no path and sock were specified")
        if path is None:
            if ssl:
                self._make_ssl_transport()
            return await self.hand_over(*sock.take_connection(), protocol_factory, None)
        options = self._connect_options()
        context = None
        if ssl:
            name = server_hostname or self.nameless(ssl)
            context = self.protect_client(options, ssl, name, ssl_handshake_timeout, ssl_shutdown_timeout)
        reader, writer = await self._connect_unix(path, options, ssl_handshake_timeout)
        return await self.hand_over(reader, writer, protocol_factory, context)

    async def sock_connect(self, sock: Any, address: Any) -> None:
        """Connects one of Python's sockets, also one of the family AF_UNIX, to a path. Raises OSError."""
        if not isinstance(sock, UnixSocket):
            await super().sock_connect(sock, address)
            return
        sock.check_connectable()
        try:
            sock.connected(await self._connect_unix(address, self._connect_options(), None))
        except NotImplementedError as reason:
            raise OSError(errno.ENOTSUP, str(reason)) from None

    def _connect_options(self) -> Any:
        options = self.streams.ConnectOptions()
        options.set_max_queued(MOST_QUEUED)
        options.set_close_deadline(CLOSED_WITH_THE_PROGRAM)
        return options

    async def _connect_unix(self, path: Any, options: Any, handshake_timeout: float | None) -> tuple[Any, Any]:
        place = _unix_calls.place(path)
        await self.let_servers_close()
        try:
            call = _unix_calls.interface().open_unix_connection(place, options)
            pair: tuple[Any, Any] = await cancellable(call, options.cancel)
            return pair
        except Exception as reason:
            raise _unix_calls.failure(self.handshake_error(reason, handshake_timeout), path) from None

    async def create_unix_server(
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        path: Any = None,
        *,
        sock: Any = None,
        backlog: int = 100,
        ssl: Any = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        start_serving: bool = True,
        cleanup_socket: bool = True,
    ) -> ComponentServer:
        """Listens on a Unix socket, with TLS if `ssl` is set; the arguments are asyncio's.

        A socket that is there already is replaced. The server takes over the name of a bound `sock`. Raises ValueError
        and TypeError for invalid arguments, OSError and its subclasses if the path cannot be bound, NotImplementedError
        where there are no Unix sockets.
        """
        if isinstance(ssl, bool):
            raise TypeError("ssl argument must be an SSLContext or None")
        if not ssl:
            _refuse_without_ssl(ssl_handshake_timeout, "ssl_handshake_timeout")
            _refuse_without_ssl(ssl_shutdown_timeout, "ssl_shutdown_timeout")
        _check_choice(path, sock, "path was not specified, and no sock specified")
        if path is None:
            path = sock.take_name()
        place = _unix_calls.place(path)
        options = self.server_options(backlog, ssl, ssl_handshake_timeout, ssl_shutdown_timeout)
        try:
            call = _unix_calls.interface().start_unix_server(place, None, bool(cleanup_socket), options)
            made = await cancellable(call, options.cancel)
        except Exception as reason:
            raise _unix_calls.failure(_errors.to_exception(reason), path) from None
        timeouts = (ssl_handshake_timeout, ssl_shutdown_timeout)
        return await self.serve(made, protocol_factory, ssl, backlog, timeouts, start_serving)


async def open_unix_connection(
    path: Any = None, *, limit: int = _LIMIT, **kwds: Any
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """asyncio's function: returns a reader and a writer of a connection to a Unix socket."""
    loop: Any = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=limit, loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    transport, _ = await loop.create_unix_connection(lambda: protocol, path, **kwds)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


async def start_unix_server(
    client_connected_cb: Any, path: Any = None, *, limit: int = _LIMIT, **kwds: Any
) -> asyncio.AbstractServer:
    """asyncio's function: calls `client_connected_cb` with a reader and a writer for each client of a Unix socket."""
    loop: Any = asyncio.get_running_loop()

    def protocol() -> asyncio.BaseProtocol:
        return asyncio.StreamReaderProtocol(asyncio.StreamReader(limit=limit, loop=loop), client_connected_cb, loop=loop)

    server: asyncio.AbstractServer = await loop.create_unix_server(protocol, path, **kwds)
    return server


def _refuse_without_ssl(value: Any, name: str) -> None:
    if value is not None:
        raise ValueError(f"{name} is only meaningful with ssl")


def _check_choice(path: Any, sock: Any, neither: str) -> None:
    """Checks that there is a path or a socket of the family AF_UNIX; raises ValueError with asyncio's text."""
    if path is None and sock is None:
        raise ValueError(neither)
    if path is not None and sock is not None:
        raise ValueError("path and sock can not be specified at the same time")
    if sock is not None and not isinstance(sock, UnixSocket):
        raise ValueError(f"A UNIX Domain Stream Socket was expected, got {sock!r}")
