"""Opening connections: the loop's `create_connection`, on which asyncio.open_connection stands."""

from __future__ import annotations

import asyncio
import errno
import socket
import weakref
from collections.abc import Callable
from typing import Any

from . import _bindings, _errors
from ._calls import Call, cancellable, number_of
from ._transport import ComponentTransport

# What the loop is made of; its other parts have what is missing here.
_Base: Any = object

_LARGEST = (1 << 32) - 1


class Connecting(_Base):
    """The part of the loop that opens connections and knows which there are."""

    def __init__(self) -> None:
        super().__init__()
        self.streams: Any = _bindings.streams()
        self.types: Any = _bindings.types_of(self.streams)
        self.any_input = self.streams.Wanted_Any()
        reader, writer = self.streams.Reader, self.streams.Writer
        self.number_of_read = number_of(reader.read, 2)
        self.number_of_wait = number_of(reader.wait, 2)
        self.number_of_write = number_of(writer.write, 2)
        self._connections: weakref.WeakSet[ComponentTransport] = weakref.WeakSet()
        self._lingering: dict[int, Any] = {}
        self.just_closed = False

    def add_transport(self, transport: ComponentTransport) -> None:
        """Notes a connection, to be ended with the program."""
        self._connections.add(transport)

    def linger(self, writer: Any) -> None:
        """Keeps a closed connection until what it had queued has gone out, as the system does elsewhere."""
        key = id(writer)
        self._lingering[key] = writer

        def done(value: Any, error: BaseException | None) -> None:
            del self._lingering[key]

        Call(writer.wait_closed(), done).start()

    async def end_connections(self, seconds: float) -> None:
        """Closes what is open, gives what was written `seconds` to go out, and waits while peers could still lose it.

        A peer that goes on sending would, if the program ended. The component bounds that wait: 5 s of silence, 35 s in all.
        """
        for transport in list(self._connections):
            if not transport.is_closing():
                transport.close()
        end = self.time() + seconds
        # A transport that closes waits until what it had written is the component's to send, and then for that.
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
        """Opens a TCP connection, with TLS if `ssl` says so; arguments as asyncio's.

        A `sock` is one of Python's own, which is polled. Raises ValueError and TypeError for arguments that do not fit,
        OSError and its subclasses, among them socket.gaierror, for what the network says. Cancelling closes all attempts.
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
        options.set_max_queued(_LARGEST)
        options.set_close_deadline(None)
        options.set_happy_eyeballs_delay(None if happy_eyeballs_delay is None else _nanoseconds(happy_eyeballs_delay))
        if interleave is None:
            interleave = 0 if happy_eyeballs_delay is None else 1
        options.set_interleave(interleave)
        if local_addr is not None:
            for place in _local_addresses(local_addr):
                options.add_local_address(*place)
        context = None
        if ssl:
            name = host_name(server_hostname) if server_hostname else None
            context = self.protect_client(options, ssl, name, ssl_handshake_timeout, ssl_shutdown_timeout)
        number = port_number(port)
        # Without a host it is this machine, as for getaddrinfo.
        hosts = ["::1", "127.0.0.1"] if host is None else [host_name(host)]
        if host is None and family:
            hosts = ["::1" if family == socket.AF_INET6 else "127.0.0.1"]
        try:
            reader, writer = await self._open(hosts, number, options, all_errors)
        except Exception as reason:
            raise self.handshake_error(reason, ssl_handshake_timeout) from None
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
        # Later, since asyncio hands out a connection before the protocol is told of input.
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
            # As the system would say it; the component calls it a mistake.
            refused = OSError(errno.ECONNREFUSED, f"Connect call failed {(hosts[0], port)}")
            raise ExceptionGroup("create_connection failed", [refused]) if all_errors else refused
        attempts: list[Any] = []
        if self.just_closed:
            # A server that was closed in this turn listens until the component had one.
            self.just_closed = False
            await self.exports.host_turn()
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
            # Without it the exception's traceback would hold the exception.
            del failure

    def _family(self, family: int) -> Any:
        families = self.types.AddressFamily
        match int(family):
            case socket.AF_UNSPEC:
                return families.ANY
            case socket.AF_INET:
                return families.IPV4
            case socket.AF_INET6:
                return families.IPV6
        raise OSError(errno.EAFNOSUPPORT, f"address family {family} is not supported")


def host_name(host: str | bytes | None) -> str:
    """A host as the component takes it.

    Raises UnicodeError and ValueError for one that is no name, TypeError for what is no text.
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
    # As getaddrinfo does: labels that are empty or too long are UnicodeErrors.
    return host.encode("idna").decode("ascii")


def _local_addresses(address: Any) -> list[tuple[str, int]]:
    """What `local_addr` asks for: host and port, of which WASI needs no more.

    Raises TypeError and ValueError for what is no address, and what host_name and port_number raise.
    """
    host, port = address[:2]
    if isinstance(address, (str, bytes)) or len(address) > 4:
        raise TypeError(f"local_addr must be a tuple of a host and a port, not {address!r}")
    # Without a host it is this machine, as for getaddrinfo.
    hosts = ["127.0.0.1", "::1"] if host is None else [host_name(host)]
    return [(name, port_number(port)) for name in hosts]


def port_number(port: int | str | bytes | None) -> int:
    """A port as the component takes it; WASI knows no services by name.

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
        raise OverflowError("connect(): port must be 0-65535.")
    return port


def _nanoseconds(seconds: float) -> int:
    return max(0, min(int(seconds * 1e9), (1 << 63) - 1))


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
