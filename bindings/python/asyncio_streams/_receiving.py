"""The receiving half of the transport: asks the component for input, and passes it to the protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from componentize_py_types import Err, Ok

from . import _errors
from ._calls import Repeated

# The most bytes that a server keeps for a handshake that may begin with them.
_MOST_LENT = 1 << 20


class Receiving:
    """The input of ComponentTransport. The other half has the connection and the output."""

    max_size = 256 * 1024

    _loop: Any
    _reader: Any
    _writer: Any
    _protocol: Any
    _extra: dict[str, Any]
    _out: list[bytes]
    _buffered: bool
    _of_streams: bool
    _closing: bool
    _conn_lost: int
    _hand_over: Callable[[], None]
    _fatal_error: Callable[[BaseException, str], None]
    close: Callable[[], None]
    set_protocol: Callable[[asyncio.BaseProtocol], None]

    def _init_input(self, *, server_side: bool) -> None:
        loop = self._loop
        self._waiting = False
        self._paused = False
        self._input_ended = False
        self._begun = False
        # True while a handshake uses the input; and the future that waits until the input is free.
        self._upgrading = False
        self._stopped: asyncio.Future[None] | None = None
        # How many bytes in the reader were passed to the protocol, but may have to be passed to a handshake instead.
        # None: passed bytes are consumed.
        plain = loop.has_tls and "sslcontext" not in self._extra
        self._lent = 0 if plain and server_side else None
        # A connection that may still be upgraded waits for input without taking it, so that a handshake finds it.
        self._read: Repeated | None = None if plain else Repeated(loop.number_of_read, self._received)
        self._wait = Repeated(loop.number_of_wait, self._readable) if plain else None
        self._held: Any = None

    def is_reading(self) -> bool:
        """Returns whether input is taken."""
        return not self._closing and not self._paused

    def pause_reading(self) -> None:
        """Stops taking input until resume_reading."""
        if self.is_reading():
            self._paused = True

    def resume_reading(self) -> None:
        """Takes input again."""
        if self._closing or not self._paused:
            return
        self._paused = False
        self._ask()

    def begin(self) -> None:
        """Begins to read; a `waiter` is for its owner."""
        self._begun = True
        self._ask()

    def _ask(self) -> None:
        """Makes `settle` ask for input before the loop waits: bytes written until then are sent with it."""
        if self._begun and not (self._waiting or self._paused or self._closing or self._input_ended):
            self._loop.before_waiting(self)

    def settle(self) -> None:
        """Called by the loop before it waits."""
        if self._out:
            self._hand_over()
        if self._waiting or self._paused or self._closing or self._input_ended or self._upgrading or not self._begun:
            return
        self._waiting = True
        if self._read is not None:
            if self._held is not None:
                held, self._held = self._held, None
                self._received(held)
            else:
                self._read.start(self._reader, self.max_size)
            return
        assert self._wait is not None
        want = self._loop.any_input
        if self._lent:
            self._give_back()
            if self._lent:
                want = self._loop.streams.Wanted_Exactly(self._lent + 1)
        self._wait.start(self._reader, want)

    def _received(self, result: Any) -> None:
        """Called when input was taken."""
        self._waiting = False
        if self._closing or self._loop is None:
            return
        if self._paused:
            self._held = result
            return
        if isinstance(result, Err):
            if not _is_truncation(result):
                self._fatal_error(_errors.to_exception(result), "Fatal read error on socket transport")
                return
            self._receive_end()
        elif result.value:
            self._receive(result.value)
        else:
            self._receive_end()
        if self._loop is not None:
            self._ask()

    def _readable(self, result: Any) -> None:
        """Called when input can be taken, or a handshake wants to take it."""
        self._waiting = False
        stopped, self._stopped = self._stopped, None
        if stopped is not None and not stopped.done():
            stopped.set_result(None)
        if self._closing or self._paused or self._upgrading or self._loop is None:
            return
        try:
            data = self._take()
        except Err as reason:
            self._received(reason)
            return
        if data is None:
            self._ask()
        else:
            self._received(Ok(data))

    def _take(self) -> bytes | None:
        """Returns received bytes: None if there are none, empty at the end."""
        if self._lent is None:
            taken: bytes | None = self._reader.try_read(self.max_size)
            return taken
        data: bytes = self._reader.peek(self._lent + self.max_size)[self._lent :]
        if not data:
            failure = self._reader.exception()
            if failure is not None:
                raise Err(failure)
        self._lent += len(data)
        return data

    def _unread(self) -> int:
        """Returns how many of the bytes passed to the protocol were not read."""
        reader: Any = getattr(self._protocol, "_stream_reader", None)
        # The type stubs do not contain its buffer.
        buffer: bytearray = getattr(reader, "_buffer", None) or bytearray()
        return len(buffer)

    def _give_back(self) -> None:
        """Makes the component's reader discard bytes that were read."""
        assert self._lent is not None
        unread = self._unread()
        if self._lent > _MOST_LENT:
            unread = 0
        if self._lent > unread:
            self._reader.discard(self._lent - unread)
        self._lent = None if self._lent > _MOST_LENT else unread

    async def stop_reading(self, server_side: bool) -> tuple[Any, Any]:
        """Leaves the input to a handshake; returns the component's reader and writer.

        Raises ConnectionResetError if the connection has ended, SSLError if plaintext received before TLS is unread and
        could look protected.
        """
        self._hand_over()
        if self._closing or self._upgrading:
            raise ConnectionResetError("Connection lost")
        self._upgrading = True
        if self._waiting:
            self._stopped = self._loop.create_future()
            self._reader.cancel()
            await self._stopped
        if self._conn_lost:
            raise ConnectionResetError("Connection lost")
        if server_side and self._lent is not None:
            self._give_back()
        if self._unread():
            if not server_side or not self._lent:
                from ._tls import errors

                raise errors.make("PLAINTEXT_PENDING", "bytes that came before TLS have not been read")
            self._protocol._stream_reader._buffer.clear()
        return self._reader, self._writer

    def protected(self, extra: dict[str, Any], protocol: asyncio.BaseProtocol) -> None:
        """Continues to read after a handshake."""
        self._extra.update(extra)
        self.set_protocol(protocol)
        self._lent = self._wait = None
        self._read = Repeated(self._loop.number_of_read, self._received)
        self._upgrading = self._paused = False
        self._ask()

    def _receive(self, data: bytes) -> None:
        try:
            if self._of_streams:
                # As the protocol's data_received, with fewer calls.
                reference = self._protocol._stream_reader_wr
                reader = reference() if reference is not None else None
                if reader is not None:
                    reader.feed_data(data)
            elif self._buffered:
                _fill(self._protocol, data)
            else:
                self._protocol.data_received(data)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as reason:
            name = "buffer_updated" if self._buffered else "data_received"
            self._fatal_error(reason, f"Fatal error: protocol.{name}() call failed.")

    def _receive_end(self) -> None:
        self._input_ended = True
        try:
            keep_open = self._protocol.eof_received()
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as reason:
            self._fatal_error(reason, "Fatal error: protocol.eof_received() call failed.")
            return
        if not keep_open:
            self.close()


def _is_truncation(error: Any) -> bool:
    """Returns whether TLS ended without close_notify, which asyncio treats as the end."""
    return _errors.case_of(error) == "Tls" and type(error.value.value.failure).__name__ == "TlsFailure_Truncated"


def _fill(protocol: Any, data: bytes) -> None:
    """Passes `data` to a BufferedProtocol, through its own buffers."""
    rest = memoryview(data)
    while rest:
        buffer = protocol.get_buffer(len(rest))
        size = min(len(buffer), len(rest))
        if not size:
            raise RuntimeError("get_buffer() returned an empty buffer")
        memoryview(buffer)[:size] = rest[:size]
        rest = rest[size:]
        protocol.buffer_updated(size)
