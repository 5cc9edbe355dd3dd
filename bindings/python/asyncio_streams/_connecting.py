"""Opens connections: the loop's `create_connection`, which asyncio.open_connection uses."""

from __future__ import annotations

import asyncio
import errno
import socket
import weakref
from collections.abc import Callable
from typing import Any

from . import _amounts, _bindings, _errors
from ._calls import Call, cancellable
from ._transport import ComponentTransport

# The base of the loop; the other parts define the missing attributes.
_Base: Any = object

# The component's queue stands for the system's buffer, and is bounded by asyncio's marks.
MOST_QUEUED = (1 << 32) - 1
# A close has no deadline of its own: the end of the program has one.
CLOSED_WITH_THE_PROGRAM = None


class Connecting(_Base):
    """The part of the loop that opens connections and keeps the set of open ones."""

    def __init__(self) -> None:
        super().__init__()
        self.streams: Any = _bindings.streams()
        self.types: Any = _bindings.types_of(self.streams)
        self._connections: weakref.WeakSet[ComponentTransport] = weakref.WeakSet()
        self._lingering: dict[int, Any] = {}
        # Whether a server was closed since the last connect, and the wait for the end of its socket.
        self.just_closed = False
        self._closing_servers: asyncio.Task[None] | None = None

    def add_transport(self, transport: ComponentTransport) -> None:
        """Adds a connection, so that it ends with the program."""
        self._connections.add(transport)

    def linger(self, writer: Any, number: int) -> None:
        """Keeps a closed connection until its queue was sent, as the system does natively."""

        def done() -> None:
            # Ignore an error: the connection is closed either way.
            self.watching.remove(key)
            del self._lingering[key]

        key = self.watching.add(number, self.watching.closed, done)
        self._lingering[key] = writer

    async def end_connections(self, seconds: float) -> None:
        """Closes open connections, sends queued output for up to `seconds`, and waits while peers could lose output.

        A peer that still sends could lose it at the end of the program. The wait is bounded: 5 s of silence, 35 s in
        all.
        """
        for transport in list(self._connections):
            if not transport.is_closing():
                transport.close()
        end = self.time() + seconds
        # A closing transport waits until its output is in the component's queue, and then until the queue was sent.
        while self._is_sending() and self.time() < end:
            await asyncio.sleep(0.001)
        lingering = self.create_future()

        def done(value: Any, error: BaseException | None) -> None:
            lingering.set_result(None)

        Call(self.streams.linger(), done).start()
        await lingering

    def _is_sending(self) -> bool:
        return bool(self._lingering) or any(not transport._conn_lost for transport in list(self._connections))

    async def create_connection(
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str | bytes | None = None,
        port: int | str | bytes | None = None,
        *,
        ssl: Any = None,
        family: int = 0,
        proto: int = 0,
        flags: int = 0,
        sock: Any = None,
        local_addr: Any = None,
        server_hostname: str | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        happy_eyeballs_delay: float | None = None,
        interleave: int | None = None,
        all_errors: bool = False,
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """Opens a TCP connection, with TLS if `ssl` is set; the arguments are asyncio's.

        A `sock` is one of Python's own sockets, which is polled. Raises ValueError and TypeError for invalid arguments,
        and OSError and its subclasses, such as socket.gaierror, for network errors. Cancelling closes all attempts.
        """
        _check_tls_arguments(ssl, host, server_hostname, ssl_handshake_timeout, ssl_shutdown_timeout)
        if host is None and port is None:
            if sock is None:
                raise ValueError("host and port was not specified and no sock specified")
            return await self._over_socket(sock, protocol_factory, ssl)
        if sock is not None:
            raise ValueError("host/port and sock can not be specified at the same time")
        options = self.streams.ConnectOptions()
        options.set_family(self._family(family))
        options.set_max_queued(MOST_QUEUED)
        options.set_close_deadline(CLOSED_WITH_THE_PROGRAM)
        if happy_eyeballs_delay is None:
            options.set_happy_eyeballs_delay(None)
        else:
            options.set_happy_eyeballs_delay(_amounts.nanoseconds(happy_eyeballs_delay, "happy_eyeballs_delay"))
        if interleave is None:
            interleave = 0 if happy_eyeballs_delay is None else 1
        options.set_interleave(_amounts.count(interleave))
        if local_addr is not None:
            for place in _local_addresses(local_addr):
                options.add_local_address(*place)
        context = None
        if ssl:
            name = host_name(server_hostname) if server_hostname else None
            context = self.protect_client(options, ssl, name, ssl_handshake_timeout, ssl_shutdown_timeout)
        number = port_number(port)
        # Without a host, connect to this machine, as getaddrinfo does.
        hosts = ["::1", "127.0.0.1"] if host is None else [host_name(host)]
        if host is None and family:
            hosts = ["::1" if family == socket.AF_INET6 else "127.0.0.1"]
        try:
            reader, writer = await self._open(hosts, number, options, all_errors)
        except Exception as reason:
            raise self.handshake_error(reason, ssl_handshake_timeout) from None
        return await self.hand_over(reader, writer, protocol_factory, context)

    async def hand_over(
        self, reader: Any, writer: Any, protocol_factory: Callable[[], asyncio.BaseProtocol], context: Any
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """Makes the transport of an open connection, and returns it once the protocol knows it."""
        protocol = protocol_factory()
        waiter = self.create_future()
        extra = self.tls_extra(writer, context, False)
        transport = ComponentTransport(self, reader, writer, protocol, waiter=waiter, extra=extra)
        try:
            await waiter
            await self.exports.host_turn()
        except BaseException:
            transport.close()
            raise
        # Start later: asyncio hands out a connection before the protocol receives input.
        self.call_soon(transport.begin)
        return transport, protocol

    async def _over_socket(
        self, sock: Any, protocol_factory: Callable[[], asyncio.BaseProtocol], ssl: Any
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        if sock.type != socket.SOCK_STREAM:
            raise ValueError(f"A Stream Socket was expected, got {sock!r}")
        if ssl:
            self._make_ssl_transport()
        protocol = protocol_factory()
        waiter = self.create_future()
        transport = self._make_socket_transport(sock, protocol, waiter)
        try:
            await waiter
        except BaseException:
            transport.close()
            raise
        return transport, protocol

    async def _open(self, hosts: list[str], port: int, options: Any, all_errors: bool) -> tuple[Any, Any]:
        if not port:
            # The system's error; for the component it is an invalid argument.
            refused = OSError(errno.ECONNREFUSED, f"Connect call failed {(hosts[0], port)}")
            raise ExceptionGroup("create_connection failed", [refused]) if all_errors else refused
        attempts: list[Any] = []
        await self.let_servers_close()
        for host in hosts:
            call = self.streams.open_connection(host, port, options)
            try:
                pair: tuple[Any, Any] = await cancellable(call, options.cancel)
                return pair
            except Exception as reason:
                if _errors.case_of(reason) != "Connect":
                    raise
                attempts.extend(reason.value.value)  # type: ignore[attr-defined]
        failure = _errors.from_attempts(attempts, all_errors=all_errors)
        try:
            raise failure
        finally:
            # Otherwise the exception's traceback would hold the exception itself.
            del failure

    async def let_servers_close(self) -> None:
        """Waits for the end of servers that were just closed: their sockets accept no client any more."""
        if self.just_closed:
            self.just_closed = False
            self._closing_servers = asyncio.Task(self._close_servers(), loop=self)
        if self._closing_servers is not None and not self._closing_servers.done():
            await asyncio.shield(self._closing_servers)

    async def _close_servers(self) -> None:
        # One turn of the host ends their accepts in the component, the next one their sockets.
        await self.exports.host_turn()
        await self.exports.host_turn()

    def _family(self, family: int) -> Any:
        families = self.types.AddressFamily
        match int(family):
            case socket.AF_UNSPEC:
                return families.ANY
            case socket.AF_INET:
                return families.IPV4
            case socket.AF_INET6:
                return families.IPV6
        raise socket.gaierror(socket.EAI_FAMILY, "ai_family not supported")


def host_name(host: str | bytes | None) -> str:
    """Converts a host to the component's format.

    Raises UnicodeError and ValueError for invalid names, TypeError for other types than text.
    """
    if host is None:
        return ""
    if isinstance(host, (bytes, bytearray)):
        host = bytes(host).decode("ascii")
    if not isinstance(host, str):
        raise TypeError(f"host must be a string, not {type(host).__name__!r}")
    if not host:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    if "\0" in host:
        raise ValueError("embedded null character")
    # As in getaddrinfo, empty and over-long labels are UnicodeErrors.
    return host.encode("idna").decode("ascii")


def _local_addresses(address: Any) -> list[tuple[str, int]]:
    """Converts `local_addr`: its host and port, which are all that WASI needs.

    Raises TypeError, ValueError and socket.gaierror for invalid addresses, and the errors of host_name and port_number.
    """
    host, port = address[:2]
    wrong = f"local_addr must be a tuple of a host and a port, not {address!r}"
    if len(address) > 4:
        raise TypeError(wrong)
    if isinstance(address, str):
        # asyncio looks up its first letter as the host, and the second one as the port.
        raise socket.gaierror(socket.EAI_SERVICE, wrong)
    # Without a host, use this machine, as getaddrinfo does.
    hosts = ["127.0.0.1", "::1"] if host is None else [host_name(host)]
    return [(name, port_number(port, "bind")) for name in hosts]


def port_number(port: int | str | bytes | None, call: str = "connect") -> int:
    """Converts a port for a call of the system to the component's format; WASI has no names of services.

    Raises OverflowError, TypeError, socket.gaierror.
    """
    if port is None or port in ("", b""):
        return 0
    if isinstance(port, (str, bytes)):
        try:
            port = int(port)
        except ValueError:
            raise socket.gaierror(socket.EAI_SERVICE, "WASI knows no services by name: use the port's number") from None
    if not isinstance(port, int):
        raise TypeError(f"port must be a number, not {type(port).__name__!r}")
    if not 0 <= port <= 65535:
        raise OverflowError(f"{call}(): port must be 0-65535.")
    return port


def _check_tls_arguments(
    ssl: Any, host: Any, server_hostname: Any, handshake_timeout: float | None, shutdown_timeout: float | None
) -> None:
    if server_hostname is not None and not ssl:
        raise ValueError("server_hostname is only meaningful with ssl")
    if server_hostname is None and ssl and not host:
        raise ValueError("You must set server_hostname when using ssl without a host")
    if handshake_timeout is not None and not ssl:
        raise ValueError("ssl_handshake_timeout is only meaningful with ssl")
    if shutdown_timeout is not None and not ssl:
        raise ValueError("ssl_shutdown_timeout is only meaningful with ssl")
