"""Output that the component refuses, and arguments of start_tls."""

import asyncio
import functools
import importlib
import unittest
from unittest import mock

import asyncio_streams  # noqa: F401

from . import host


class Refused(unittest.TestCase):
    def setUp(self):
        made = host.component()
        self.host = made.__enter__()
        self.addCleanup(made.__exit__, None, None, None)
        self.later = []
        patch = mock.patch.object(self.host.loop, "call_later", lambda delay, call: self.later.append(call))
        patch.start()
        self.addCleanup(patch.stop)
        kind = importlib.import_module("asyncio_streams._transport").ComponentTransport
        self.writer = mock.MagicMock()
        self.writer.write_buffer_size.return_value = 0
        self.transport = kind(self.host.loop, mock.MagicMock(), self.writer, asyncio.Protocol())
        self.transport._writer_number = 7
        self.addCleanup(self.transport.abort)

    def test_output_is_offered_again_until_it_is_taken(self):
        self.host.refuses = True
        self.transport.write(b"first ")
        self.transport.write(b"second")
        self.transport.write_eof()
        self.assertEqual((len(self.later), self.host.output), (1, []))
        self.later.pop()()
        self.assertEqual((len(self.later), self.host.output), (1, []))
        self.host.refuses = False
        self.later.pop()()
        self.assertEqual((self.later, self.host.output), ([], [b"first second"]))
        self.assertEqual(self.writer.write_eof.call_count, 1)

    def test_refused_output_above_the_mark_waits_by_time(self):
        # The connection's own queue is empty, so the event of a short queue is there at once, again and again.
        self.host.refuses = True
        protocol = mock.MagicMock()
        self.transport.set_protocol(protocol)
        self.transport.write(b"x" * 200_000)
        self.assertEqual((len(self.later), self.host.watches, protocol.pause_writing.call_count), (1, {}, 1))
        self.later.pop()()
        self.assertEqual((len(self.later), self.host.watches), (1, {}))
        self.host.refuses = False
        self.writer.write_buffer_size.return_value = 200_000
        self.later.pop()()
        self.assertEqual((len(self.later), len(self.host.watches), protocol.resume_writing.call_count), (0, 1, 0))
        self.writer.write_buffer_size.return_value = 0
        self.transport._drained()
        self.assertEqual((self.host.watches, protocol.resume_writing.call_count), ({}, 1))

    def test_refused_output_leaves_before_the_end(self):
        self.host.refuses = True
        self.transport.write(b"last words")
        self.transport.close()
        self.transport._drained()
        self.assertEqual((len(self.later), self.host.watches, self.writer.close.call_count), (1, {}, 0))
        self.host.refuses = False
        self.later.pop()()
        self.assertEqual((len(self.host.watches), self.host.output), (1, [b"last words"]))
        self.transport._drained()
        self.assertEqual((self.host.watches, self.writer.close.call_count), ({}, 1))

    def test_output_during_a_handshake_is_refused_by_its_call(self):
        # The component is busy then.
        self.host.refuses = self.transport._upgrading = True
        for call, arguments in ((self.transport.write, (b"early",)), (self.transport.write_eof, ())):
            with self.assertRaisesRegex(RuntimeError, r"while start_tls\(\) is pending"):
                call(*arguments)
        self.assertEqual((self.later, self.transport.is_closing()), ([], False))

    def test_a_lost_connection_offers_nothing(self):
        self.host.refuses = True
        self.transport.write(b"lost")
        self.transport.abort()
        self.host.refuses = False
        self.later.pop()()
        self.assertEqual((self.later, self.host.output), ([], []))


class Names(unittest.TestCase):
    def setUp(self):
        made = host.component()
        made.__enter__()
        self.addCleanup(made.__exit__, None, None, None)

    def test_the_servers_name_is_text_or_bytes_that_a_name_can_be(self):
        upgrading = importlib.import_module("asyncio_streams._upgrading").Upgrading
        name = functools.partial(upgrading._name, mock.MagicMock(), mock.MagicMock(), mock.MagicMock())
        self.assertEqual([name("localhost"), name(b"localhost")], ["localhost", "localhost"])
        self.assertRaises(TypeError, name, 5)
        for wrong in ("\udc80", "a..b"):
            self.assertRaises(UnicodeError, name, wrong)


if __name__ == "__main__":
    unittest.main()
