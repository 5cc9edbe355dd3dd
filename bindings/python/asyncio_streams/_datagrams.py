"""Datagrams over Python's own sockets: the loop's `create_datagram_endpoint`, `sock_recvfrom` and `sock_recvfrom_into`."""

from __future__ import annotations

import asyncio
import socket
from asyncio import selector_events
from typing import Any

from . import _errors

# The base of the loop; the other parts define the missing attributes.
_Base: Any = object

# Many of the used names are private to asyncio.
_selector_events: Any = selector_events
_Selecting: Any = selector_events.BaseSelectorEventLoop

_NO_BROADCAST = "allow_broadcast: WASI sends no broadcasts. Leave it out, and send to the address of each receiver"


class Datagrams(_Base):
    """The part of the loop for datagrams."""

    async def create_datagram_endpoint(
        self, *args: Any, allow_broadcast: bool | None = None, **kwds: Any
    ) -> tuple[asyncio.DatagramTransport, Any]:
        """Opens an endpoint for datagrams, as asyncio does. Raises NotImplementedError for `allow_broadcast`."""
        if allow_broadcast:
            raise NotImplementedError(_NO_BROADCAST)
        with _errors.advising():
            made: tuple[asyncio.DatagramTransport, Any] = await super().create_datagram_endpoint(*args, **kwds)
            return made

    def _make_datagram_transport(
        self, sock: Any, protocol: Any, address: Any = None, waiter: Any = None, extra: Any = None
    ) -> asyncio.DatagramTransport:
        made: asyncio.DatagramTransport = _DatagramTransport(self, sock, protocol, address, waiter, extra)
        return made

    _sock_recvfrom, _sock_recvfrom_into = _Selecting._sock_recvfrom, _Selecting._sock_recvfrom_into

    async def sock_recvfrom(self, sock: Any, bufsize: int) -> tuple[bytes, Any]:
        """Receives bytes, and the address from which they come; of a connection it is None."""
        if sock.type == socket.SOCK_STREAM:
            # WASI's recvfrom refuses connections.
            return await self.sock_recv(sock, bufsize), None
        received: tuple[bytes, Any] = await _Selecting.sock_recvfrom(self, sock, bufsize)
        return received

    async def sock_recvfrom_into(self, sock: Any, buf: Any, nbytes: int = 0) -> tuple[int, Any]:
        """Receives bytes into a buffer; returns their number, and the address from which they come, as `sock_recvfrom`."""
        if sock.type == socket.SOCK_STREAM:
            return await self.sock_recv_into(sock, memoryview(buf)[: nbytes or None]), None
        received: tuple[int, Any] = await _Selecting.sock_recvfrom_into(self, sock, buf, nbytes)
        return received


class _DatagramTransport(_selector_events._SelectorDatagramTransport):
    """asyncio's transport for datagrams, over a socket of WASI.

    WASI reports a socket without an address as readable, and refuses to read it. So the loop looks at such a socket only
    after it got an address, by the first datagram that it sends.
    """

    _is_watched = False

    def sendto(self, data: Any, addr: Any = None) -> None:
        """Sends a datagram, as asyncio does."""
        super().sendto(data, addr)
        self._watch()

    def _sendto_ready(self) -> None:
        super()._sendto_ready()
        self._watch()

    def _watch(self) -> None:
        if not self._is_watched:
            self._add_reader(self._sock_fd, self._read_ready)

    def _add_reader(self, fd: Any, callback: Any, *args: Any) -> None:
        if self.is_closing():
            return
        try:
            self._sock.getsockname()
        except OSError:
            return
        self._is_watched = True
        super()._add_reader(fd, callback, *args)
