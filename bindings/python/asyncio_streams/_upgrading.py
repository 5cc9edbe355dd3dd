"""Protects connections by TLS: the loop's part of `ssl=` and `start_tls`."""

from __future__ import annotations

import asyncio
from typing import Any

from . import _bindings, _errors, _outside
from ._calls import cancellable
from ._connecting import host_name
from ._transport import ComponentTransport

# The base of the loop; the other parts define the missing attributes.
_Base: Any = object

_HANDSHAKE = 60.0
# Nothing connects there.
_NAMELESS = "0.0.0.0"
_WITHOUT = "this component was built without TLS: build it by `python -m asyncio_streams.build --with-tls`"


class Upgrading(_Base):
    """The part of the loop that supports TLS."""

    def __init__(self) -> None:
        super().__init__()
        try:
            _bindings.tls()
            self.has_tls = hasattr(self.streams.ConnectOptions, "set_tls")
        except _outside.NotInComponentError:
            self.has_tls = False
        self._default_context: Any = None

    def protect_client(
        self, options: Any, ssl: Any, name: str | None, handshake: float | None, shutdown: float | None
    ) -> Any:
        """Sets a client's `ssl=` in `options`; returns the context.

        Raises TypeError for other types, RuntimeError without TLS, ValueError for invalid timeouts.
        """
        context = self._context(ssl, handshake, shutdown)
        try:
            options.set_tls(context.client_config(handshake, shutdown), name or None)
        except Exception as reason:
            raise _errors.to_exception(reason) from None
        return context

    def protect_server(self, options: Any, ssl: Any, handshake: float | None, shutdown: float | None) -> None:
        """Sets a server's `ssl=` in `options`; raises the errors of protect_client."""
        context = self._context(ssl, handshake, shutdown)
        try:
            options.set_tls(context.server_config(handshake, shutdown))
        except Exception as reason:
            raise _errors.to_exception(reason) from None

    def tls_extra(self, writer: Any, context: Any, server_side: bool) -> dict[str, Any] | None:
        """Returns the values of `get_extra_info` for a connection's TLS; None if it has none."""
        if not context:
            return None
        from ._tls import connection

        info = writer.tls_info()
        return None if info is None else connection.extra(context, info, server_side)

    async def start_tls(
        self,
        transport: Any,
        protocol: asyncio.BaseProtocol,
        sslcontext: Any,
        *,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
    ) -> ComponentTransport:
        """Protects a connection from here on; returns the transport, which stays the same.

        A client must have read all earlier input. A server's belongs to the handshake. Raises TypeError for connections
        that cannot be upgraded, RuntimeError while another start_tls is pending, the errors of host_name for the name,
        SSLError and OSError for failures. After a failure or a cancel the connection is closed.
        """
        context = self._context(sslcontext, ssl_handshake_timeout, ssl_shutdown_timeout, default=False)
        if not isinstance(transport, ComponentTransport):
            raise TypeError(f"transport {transport!r} is not supported by start_tls()")
        if transport.is_upgrading():
            raise RuntimeError("start_tls is pending on this connection")
        timeouts = (ssl_handshake_timeout, ssl_shutdown_timeout)
        name = "" if server_side else self._name(context, transport, server_hostname)
        try:
            reader, writer = transport.stop_reading(server_side)
            if server_side:
                call = writer.start_tls_server(reader, context.server_config(*timeouts))
            else:
                call = writer.start_tls(reader, context.client_config(*timeouts), name)
            try:
                await cancellable(call, writer.abort)
            except Exception as reason:
                raise self.handshake_error(reason, ssl_handshake_timeout) from None
        except BaseException:
            transport.abort()
            raise
        transport.protected(self.tls_extra(writer, context, server_side) or {}, protocol)
        return transport

    def handshake_error(self, reason: BaseException, timeout: float | None) -> BaseException:
        """Returns the exception for a call that ended in the handshake."""
        if _errors.case_of(reason) == "DeadlineExceeded":
            seconds = _HANDSHAKE if timeout is None else timeout
            return ConnectionAbortedError(f"SSL handshake is taking longer than {seconds} seconds: aborting the connection")
        return _errors.to_exception(reason)

    def _context(self, ssl: Any, handshake: float | None, shutdown: float | None, *, default: bool = True) -> Any:
        if not self.has_tls:
            raise RuntimeError(_WITHOUT)
        from ._tls.context import SSLContext

        if ssl is True and default:
            if self._default_context is None:
                import ssl as module

                self._default_context = module.create_default_context()
            ssl = self._default_context
        if not isinstance(ssl, SSLContext):
            raise TypeError(f"sslcontext is expected to be an instance of ssl.SSLContext, got {ssl!r}")
        for name, value in (("ssl_handshake_timeout", handshake), ("ssl_shutdown_timeout", shutdown)):
            if value is not None and not value > 0:
                raise ValueError(f"{name} should be a positive number, got {value}")
        return ssl

    def _name(self, context: Any, transport: ComponentTransport, server_hostname: str | bytes | None) -> str:
        if server_hostname:
            return host_name(server_hostname)
        if context.verify_mode:
            raise ValueError(
                "start_tls() of a client needs server_hostname: without it anybody with a certificate could answer"
            )
        peer = transport.get_extra_info("peername")
        return str(peer[0]) if isinstance(peer, tuple) else _NAMELESS

    def nameless(self, ssl: Any) -> str:
        """Returns the name for a server without one: an address, which the handshake does not show to it.

        Raises ValueError if the context would check the name.
        """
        if self._context(ssl, None, None).verify_mode:
            raise ValueError("check_hostname requires server_hostname; the component also checks the name without it")
        return _NAMELESS
