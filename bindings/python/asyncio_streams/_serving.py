"""Listening: the loop's `create_server`, which asyncio.start_server uses, and its Server."""

from __future__ import annotations

import asyncio
import socket
from asyncio import base_events
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from . import _amounts, _calls, _errors
from ._calls import cancellable
from ._connecting import CLOSED_WITH_THE_PROGRAM, MOST_QUEUED, host_name, port_number
from ._sockets import ComponentSocket, take_address
from ._transport import ComponentTransport

if TYPE_CHECKING:
    from ._loop import ComponentLoop

# The most clients that are accepted at once. Others are accepted after other events had a turn.
_MOST_ACCEPTED = 100
# The largest backlog of systems, a C int.
_MOST_WAITING = (1 << 31) - 1
# The base of the loop; the other parts define the missing attributes.
_Base: Any = object


class ListeningSocket(ComponentSocket):
    """Represents one listening socket of a server."""

    def __init__(self, listener: Listener, address: Any) -> None:
        super().__init__(address)
        self._listener = listener

    def close(self) -> None:
        """Stops listening, on all sockets of the server."""
        self._listener.close()


class Listener:
    """The component's server, and the accepts of the loop."""

    def __init__(self, loop: ComponentLoop, server: Any) -> None:
        self._loop = loop
        self._server = server
        _calls.keep(self, server)
        self._number = loop.watching.of_server(server)
        # The key of the wait for clients, 0 without one.
        self._key = 0
        self._closed = False
        self._accept: Callable[[Any, Any, Any], None] | None = None
        self.sockets = [ListeningSocket(self, _errors.socket_address(address)) for address in server.sockets()]

    def __del__(self) -> None:
        _calls.let_go(self)

    def start(self, accept: Callable[[Any, Any, Any], None]) -> None:
        """Starts listening, and passes the reader, the writer and the numbers of each client to `accept`.

        Raises OSError if the system refuses.
        """
        try:
            self._server.start_serving()
        except Exception as reason:
            raise _errors.to_exception(reason) from None
        self._accept = accept
        self._wait()

    def close(self) -> None:
        """Stops listening. Clients continue; a second call does nothing."""
        if not self._closed:
            self._closed = True
            self._stop_waiting()
            self._server.close()
            self._loop.just_closed = True

    def _wait(self) -> None:
        watching = self._loop.watching
        self._key = watching.add(self._number, watching.connection, self._ready)

    def _stop_waiting(self) -> BaseException | None:
        key, self._key = self._key, 0
        return self._loop.watching.remove(key)

    def _ready(self) -> None:
        """Called when clients wait, or the wait has failed."""
        assert self._accept is not None
        try_accept = self._loop.watching.try_accept
        for count in range(_MOST_ACCEPTED):
            try:
                accepted = try_accept(self._number)
                if accepted is None:
                    if not count:
                        self._check_wait()
                    return
            except Exception as reason:
                self._failed(reason)
                return
            self._accept(*accepted)
            if self._closed:
                return

    def _check_wait(self) -> None:
        """Called when an event had no client: reports the error of the wait, if there is one, and waits anew."""
        error = self._stop_waiting()
        if error is None or not self._failed(error):
            self._wait()

    def _failed(self, reason: BaseException) -> bool:
        """Reports an error; returns whether no more clients will come."""
        self._loop.call_exception_handler({"message": "socket.accept() failed", "exception": _errors.to_exception(reason)})
        over = _errors.case_of(reason) == "Closed"
        if over:
            self._stop_waiting()
        return over


_Server: Any = base_events.Server


class ComponentServer(_Server):
    """asyncio's Server, which listens by the component."""

    _serving: bool

    def __init__(self, listener: Listener, *args: Any) -> None:
        super().__init__(*args)
        self._listener = listener

    def _start_serving(self) -> None:
        if self._serving:
            return
        if self._sockets is None:
            raise RuntimeError(f"server {self!r} is closed")
        self._serving = True
        self._listener.start(self._accepted)

    def _accepted(self, reader: Any, writer: Any, client: Any) -> None:
        loop = self._loop
        try:
            protocol = self._protocol_factory()
            extra = loop.tls_extra(writer, self._ssl_context, True)
            ComponentTransport(loop, reader, writer, protocol, server=self, client=client, extra=extra)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as reason:
            writer.abort()
            if loop.get_debug():
                loop.call_exception_handler(
                    {"message": "Error on transport creation for incoming connection", "exception": reason}
                )


class Serving(_Base):
    """The part of the loop that creates servers."""

    async def create_server(
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str | Iterable[str] | None = None,
        port: int | str | None = None,
        *,
        family: int = socket.AF_UNSPEC,
        flags: int = 0,
        sock: Any = None,
        backlog: int = 100,
        ssl: Any = None,
        reuse_address: bool | None = None,
        reuse_port: bool | None = None,
        keep_alive: bool | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        start_serving: bool = True,
    ) -> ComponentServer:
        """Creates a TCP server, with TLS if `ssl` is set; the arguments are asyncio's.

        A `sock` is one of Python's own sockets; the server takes over its address. Raises ValueError and TypeError for
        invalid arguments, OSError if an address cannot be bound. Cancelling closes bound sockets.
        """
        if isinstance(ssl, bool):
            raise TypeError("ssl argument must be an SSLContext or None")
        if ssl_handshake_timeout is not None and ssl is None:
            raise ValueError("ssl_handshake_timeout is only meaningful with ssl")
        if ssl_shutdown_timeout is not None and ssl is None:
            raise ValueError("ssl_shutdown_timeout is only meaningful with ssl")
        if host is None and port is None:
            if sock is None:
                raise ValueError("Neither host/port nor sock were specified")
            host, port = take_address(sock)
        elif sock is not None:
            raise ValueError("host/port and sock can not be specified at the same time")
        if reuse_port:
            raise ValueError("reuse_port not supported by socket module")
        hosts = _hosts(host)
        options = self.server_options(backlog, ssl, ssl_handshake_timeout, ssl_shutdown_timeout)
        options.set_family(self._family(family))
        options.set_keep_alive(bool(keep_alive))
        number = port_number(port, "bind")
        try:
            made = await cancellable(self.streams.start_server(hosts, number, options), options.cancel)
        except Exception as reason:
            raise _bind_error(reason, hosts, number) from None
        timeouts = (ssl_handshake_timeout, ssl_shutdown_timeout)
        return await self.serve(made, protocol_factory, ssl, backlog, timeouts, start_serving)

    def server_options(self, backlog: int, ssl: Any, handshake: float | None, shutdown: float | None) -> Any:
        """Returns the component's options of a server that does not listen yet, with TLS if `ssl` is set."""
        options = self.streams.ServerOptions()
        options.set_max_queued(MOST_QUEUED)
        options.set_close_deadline(CLOSED_WITH_THE_PROGRAM)
        if backlog > _MOST_WAITING:
            raise OverflowError(f"backlog must be at most {_MOST_WAITING}, not {backlog}")
        options.set_backlog(_amounts.count(backlog, 1))
        options.set_start_serving(False)
        if ssl is not None:
            self.protect_server(options, ssl, handshake, shutdown)
        return options

    async def serve(  # noqa: PLR0917
        self,
        made: Any,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        ssl: Any,
        backlog: int,
        timeouts: tuple[float | None, float | None],
        start_serving: bool,
    ) -> ComponentServer:
        """Makes asyncio's server of the component's."""
        listener = Listener(self, made)
        server = ComponentServer(listener, self, listener.sockets, protocol_factory, ssl, backlog, *timeouts)
        if start_serving:
            server._start_serving()
            await asyncio.sleep(0)
        return server

    def _stop_serving(self, sock: ListeningSocket) -> None:
        sock.close()


def _hosts(host: Any) -> list[str]:
    """Returns the hosts to listen on; none means all interfaces."""
    if host is None or host == "":
        return []
    if isinstance(host, str):
        return [host_name(host)]
    if not isinstance(host, Iterable):
        raise TypeError(f"host must be a string or some of them, not {type(host).__name__!r}")
    hosts = [host_name(one) if one else "" for one in host]
    if not hosts:
        raise OSError("could not bind on any address out of []")
    return hosts


def _bind_error(reason: BaseException, hosts: list[str], port: int) -> BaseException:
    if _errors.case_of(reason) != "Network":
        return _errors.to_exception(reason)
    found = reason.value.value  # type: ignore[attr-defined]
    if found.code.name in _errors.NAME_CODES:
        return _errors.from_network(found)
    if found.code.name == "ADDRESS_NOT_AVAILABLE":
        refused = OSError(f"could not bind on any address out of {[(host, port) for host in hosts]!r}")
        return _errors.with_reason(refused, found.message)
    return _errors.from_network(
        found, f"error while attempting to bind on address {(hosts[0] if hosts else '', port)!r}: {found.message}"
    )
