"""Endpoints for datagrams whose socket gets its address late, as in WASI."""

import asyncio
import errno
import select
import socket
import unittest
from unittest import mock

import asyncio_streams  # noqa: F401

from . import host

LOCAL = "127.0.0.1"
# More turns of the loop than a datagram takes: the system delivers it at once.
TURNS = 200


class WasiSocket(socket.socket):
    """A socket of WASI: it has no address before it is bound or has sent something."""

    is_bound = False
    # The system takes no datagrams while this is true.
    is_full = False

    def getsockname(self):
        if not self.is_bound:
            raise OSError(errno.EINVAL, "Invalid argument")
        return super().getsockname()

    def bind(self, address):
        self.is_bound = True
        super().bind(address)

    def sendto(self, data, address):
        if self.is_full:
            raise BlockingIOError
        if not self.is_bound:
            self.bind((LOCAL, 0))
        return super().sendto(data, address)

    def recvfrom(self, size):
        assert self.is_bound, "WASI refuses to read it"
        return super().recvfrom(size)


class Keep(asyncio.DatagramProtocol):
    """Stores what arrives; sends at once if it is told where to."""

    def __init__(self, greet=None):
        self.received, self.greet = [], greet

    def connection_made(self, transport):
        if self.greet is not None:
            transport.sendto(b"hello", self.greet)

    def datagram_received(self, data, address):
        self.received.append(data)


class Endpoints(unittest.TestCase):
    def setUp(self):
        made = host.component()
        self.host = made.__enter__()
        self.addCleanup(made.__exit__, None, None, None)
        from asyncio_streams import _sockets

        self.looks = 0
        self.wait = select.select
        for patch in (
            # The loop looks in each of its turns.
            mock.patch.object(_sockets, "_SOON", 0),
            mock.patch.object(_sockets, "_LATER", 0),
            mock.patch.object(select, "select", self.select),
        ):
            patch.start()
            self.addCleanup(patch.stop)
        self.sock = WasiSocket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.sock.close)
        self.peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.peer.close)
        self.peer.bind((LOCAL, 0))
        self.peer.setblocking(False)

    def select(self, readers, writers, others, timeout):
        """As WASI's: a socket without an address is readable."""
        self.looks += 1
        readable, writable, _ = self.wait(readers, writers, others, timeout)
        number = self.sock.fileno()
        if number in readers and not self.sock.is_bound:
            readable = [*readable, number]
        return readable, writable, []

    def run_(self, main):
        """Runs a test to its end."""
        failed = []

        async def program():
            try:
                await main()
            except BaseException as reason:
                failed.append(reason)

        self.assertTrue(self.host.call(program()).returned)
        for reason in failed:
            raise reason

    async def open(self, protocol):
        return await self.host.loop.create_datagram_endpoint(lambda: protocol, sock=self.sock)

    async def received(self, receive):
        """Returns the result of `receive` as soon as it has one."""
        for _ in range(TURNS):
            try:
                return receive()
            except (BlockingIOError, IndexError):
                await asyncio.sleep(0)
        self.fail("nothing was received")

    async def answered(self, protocol):
        """Answers a datagram of the endpoint, and returns what the endpoint receives."""
        data, address = await self.received(lambda: self.peer.recvfrom(100))
        self.peer.sendto(data.upper(), address)
        return await self.received(protocol.received.pop)

    def test_the_loop_does_not_look_at_an_endpoint_without_an_address(self):
        async def main():
            transport, protocol = await self.open(Keep())
            for _ in range(TURNS):
                await asyncio.sleep(0)
            self.assertEqual(self.looks, 0)
            for text in (b"one", b"two"):
                transport.sendto(text, self.peer.getsockname())
                self.assertEqual(await self.answered(protocol), text.upper())
            self.assertGreater(self.looks, 0)
            transport.abort()

        self.run_(main)

    def test_an_endpoint_that_is_bound_receives_at_once(self):
        async def main():
            self.sock.bind((LOCAL, 0))
            transport, protocol = await self.open(Keep())
            self.peer.sendto(b"first", self.sock.getsockname())
            self.assertEqual(await self.received(protocol.received.pop), b"first")
            transport.abort()

        self.run_(main)

    def test_an_endpoint_that_sends_at_once_receives(self):
        async def main():
            transport, protocol = await self.open(Keep(self.peer.getsockname()))
            self.assertEqual(await self.answered(protocol), b"HELLO")
            transport.abort()

        self.run_(main)

    def test_an_endpoint_that_gets_its_address_with_a_late_datagram_receives(self):
        self.sock.is_full = True

        async def main():
            transport, protocol = await self.open(Keep(self.peer.getsockname()))
            for _ in range(TURNS):
                await asyncio.sleep(0)
            self.sock.is_full = False
            self.assertEqual(await self.answered(protocol), b"HELLO")
            transport.abort()

        self.run_(main)

    def test_an_endpoint_that_was_closed_stays_closed(self):
        async def main():
            transport, _ = await self.open(Keep())
            transport.abort()
            transport.sendto(b"late", self.peer.getsockname())
            for _ in range(TURNS):
                await asyncio.sleep(0)
            self.assertEqual(self.host.loop._readers, {})

        self.run_(main)


if __name__ == "__main__":
    unittest.main()
