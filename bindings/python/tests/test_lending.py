"""Which input of a server stays in the component for a handshake: only what comes once the program has a certificate."""

import importlib
import sys
import types
import unittest
from unittest import mock

import asyncio_streams  # noqa: F401

from . import host


class Reader:
    """The component's reader, whose input the test sets."""

    def __init__(self):
        self.input = b""

    def peek(self, _number, skip, most):
        return types.SimpleNamespace(bytes=self.input[skip : skip + most])

    def discard(self, count):
        self.input = self.input[count:]

    def exception(self):
        return None


class Lending(unittest.TestCase):
    def setUp(self):
        made = host.component()
        self.host = made.__enter__()
        self.addCleanup(made.__exit__, None, None, None)
        self.lending = importlib.import_module("asyncio_streams._lending")
        kind = importlib.import_module("asyncio_streams._receiving").Receiving
        self.transport = kind()
        self.transport._loop = mock.MagicMock(has_tls=True)
        self.transport._loop.watching = self.host.loop.watching
        self.transport._extra = {}
        self.transport._closing = self.transport._buffered = self.transport._of_streams = False
        self.transport._may_return = True
        self.transport._hand_over = lambda: None
        self.transport._reader, self.transport._writer = Reader(), object()
        self.host.loop.watching.peek = self.transport._reader.peek
        self.buffer = bytearray()
        received = types.SimpleNamespace(_buffer=self.buffer)
        self.transport._protocol = types.SimpleNamespace(data_received=self.buffer.extend, _stream_reader=received)
        self.transport._init_input(server_side=True)

    def receive(self, data):
        """Passes received bytes to the protocol."""
        if self.lending.possible or self.transport._lent:
            self.transport._reader.input += data
        else:
            self.host.input = data
        self.transport._readable()

    def test_without_a_certificate_input_is_taken(self):
        self.receive(b"plain")
        self.assertEqual((bytes(self.buffer), self.transport._lent), (b"plain", 0))
        self.assertEqual(self.transport._reader.input, b"")

    def test_with_a_certificate_unread_input_belongs_to_the_handshake(self):
        self.lending.possible = True
        self.receive(b"starttls\n\x16hello")
        del self.buffer[:9]
        self.transport.stop_reading(server_side=True)
        self.assertEqual((self.transport._reader.input, bytes(self.buffer)), (b"\x16hello", b""))

    def test_input_that_was_taken_before_refuses_the_handshake(self):
        self.receive(b"one\n\x16hello")
        self.lending.possible = True
        self.receive(b" more")
        del self.buffer[:4]
        errors = mock.MagicMock(make=lambda reason, text: ValueError(reason))
        with mock.patch.dict(sys.modules, {"asyncio_streams._tls.errors": errors}), self.assertRaises(ValueError):
            self.transport.stop_reading(server_side=True)
        self.assertEqual(bytes(self.buffer), b"\x16hello more")

    def test_input_that_was_taken_before_and_read_is_no_obstacle(self):
        self.receive(b"one\n")
        self.buffer.clear()
        self.lending.possible = True
        self.receive(b"two\n\x16hello")
        del self.buffer[:4]
        self.transport.stop_reading(server_side=True)
        self.assertEqual(self.transport._reader.input, b"\x16hello")
