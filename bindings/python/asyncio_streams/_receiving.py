"""The receiving half of the transport: asks the component for input, and passes it to the protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import componentize_py_runtime as runtime
from componentize_py_types import Err, Ok

from . import _errors, _lending

# The most bytes that a server keeps for a handshake that may begin with them.
_MOST_LENT = 1 << 20
_call = runtime.call_import


class Receiving:
    """The input of ComponentTransport. The other half has the connection and the output."""

    max_size = 256 * 1024

    _loop: Any
    _reader: Any
    _writer: Any
    _protocol: Any
    _extra: dict[str, Any]
    _buffered: bool
    _of_streams: bool
    _may_return: bool
    _closing: bool
    _conn_lost: int
    _hand_over: Callable[[], None]
    _fatal_error: Callable[[BaseException, str], None]
    close: Callable[[], None]
    set_protocol: Callable[[asyncio.BaseProtocol], None]

    def _init_input(self, *, server_side: bool) -> None:
        # The reader's number, 0 until it is needed; the key of the wait for input, 0 without one.
        self._reader_number = 0
        self._watched = 0
        self._paused = False
        self._input_ended = False
        self._begun = False
        # True while a handshake uses the input.
        self._upgrading = False
        # The number of bytes in the reader that were passed to the protocol, and may have to go to a handshake instead.
        # It is None if the reader drops bytes when it passes them: only protocols with a stream reader can return some.
        plain = self._loop.has_tls and "sslcontext" not in self._extra
        self._lent = 0 if plain and server_side else None

    def is_reading(self) -> bool:
        """Returns whether input is taken."""
        return not self._closing and not self._paused

    def pause_reading(self) -> None:
        """Stops taking input until resume_reading."""
        if self.is_reading():
            self._paused = True
            self._stop_watching()

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
        """Makes `settle` wait for input before the loop waits."""
        if not self._closing:
            self._loop.unsettled.append(self)

    def settle(self) -> None:
        """Called by the loop before it waits."""
        if not self._watched:
            self._watch()

    def _watch(self) -> None:
        if self._paused or self._closing or self._input_ended or self._upgrading or not self._begun:
            return
        watching = self._loop.watching
        if not self._reader_number:
            self._reader_number = watching.of_reader(self._reader)
        want = watching.readable
        if self._lent:
            self._give_back()
            if self._lent:
                want = watching.readable_after(self._lent)
        self._watched = watching.add(self._reader_number, want, self._readable)

    def _stop_watching(self) -> BaseException | None:
        """Ends the wait for input; returns its error, if it has failed."""
        key, self._watched = self._watched, 0
        error: BaseException | None = self._loop.watching.remove(key)
        return error

    def _readable(self) -> None:
        """Called when input can be taken, or the wait for it has failed."""
        if self._buffered:
            self._fill_buffer()
            return
        # Most messages come here, so few calls are made.
        if self._lent is None or not (self._lent or (self._may_return and _lending.possible)):
            result = _call(self._loop.watching.try_read, [self._reader_number, self.max_size])
            data = result.value if type(result) is Ok else None
            if not data:
                self._take_none(result)
                return
        else:
            data = self._take_lent(self.max_size)
            if not data:
                return
        try:
            if self._of_streams:
                # As the protocol's data_received, with fewer calls.
                reference = self._protocol._stream_reader_wr
                reader = reference() if reference is not None else None
                if reader is not None:
                    reader.feed_data(data)
            else:
                self._protocol.data_received(data)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as reason:
            self._fatal_error(reason, "Fatal error: protocol.data_received() call failed.")

    def _fill_buffer(self) -> None:
        """Takes input into the buffer of a protocol that has one."""
        buffer = self._next_buffer()
        if buffer is None or self._conn_lost:
            return
        most = min(self.max_size, buffer.nbytes)
        data = self._take(most) if not self._lent else self._take_lent(most)
        if data:
            self._fill(buffer, data)

    def _take(self, most: int) -> bytes:
        """Takes received bytes; returns none after it has handled the end or an error."""
        result = _call(self._loop.watching.try_read, [self._reader_number, most])
        data: bytes | None = result.value if type(result) is Ok else None
        if data:
            return data
        self._take_none(result)
        return b""

    def _take_none(self, result: Any) -> None:
        """Handles a result of `try_read` without bytes."""
        if type(result) is not Ok:
            self._fail(result)
        elif result.value is None:
            self._check_wait()
        else:
            self._receive_end()

    def _take_lent(self, most: int) -> bytes:
        """Does the same with bytes that stay in the reader, so that a handshake finds them."""
        assert self._lent is not None
        data: bytes = self._loop.watching.peek(self._reader_number, self._lent, most).bytes
        if not data:
            failure = self._reader.exception()
            if failure is None:
                self._receive_end()
            else:
                self._fail(Err(failure))
            return b""
        self._lent += len(data)
        # The next wait is for more than these bytes.
        self._stop_watching()
        self._ask()
        return data

    def _check_wait(self) -> None:
        """Called when an event had no input: handles the error of the wait, if there is one, and else waits anew."""
        error = self._stop_watching()
        if error is None:
            self._ask()
        else:
            self._fail(error)

    def _fail(self, reason: BaseException) -> None:
        if _is_truncation(reason):
            self._receive_end()
        else:
            self._fatal_error(_errors.to_exception(reason), "Fatal read error on socket transport")

    def _unread(self) -> int:
        """Returns how many of the bytes passed to the protocol were not read."""
        reader: Any = getattr(self._protocol, "_stream_reader", None)
        # The type stubs do not contain its buffer.
        buffer: bytearray = getattr(reader, "_buffer", None) or bytearray()
        return len(buffer)

    def _give_back(self) -> None:
        """Makes the component's reader discard bytes that were read."""
        assert self._lent is not None
        # Bytes that were taken before the first certificate was loaded may be unread too.
        unread = min(self._unread(), self._lent)
        if self._lent > _MOST_LENT:
            unread = 0
        if self._lent > unread:
            self._reader.discard(self._lent - unread)
        self._lent = None if self._lent > _MOST_LENT else unread

    def is_upgrading(self) -> bool:
        """Returns whether a handshake is pending."""
        return self._upgrading

    def stop_reading(self, server_side: bool) -> tuple[Any, Any]:
        """Leaves the input to a handshake; returns the component's reader and writer.

        Raises ConnectionResetError if the connection has ended, SSLError if plaintext received before TLS is unread and
        could look protected.
        """
        self._hand_over()
        if self._closing or self._upgrading:
            raise ConnectionResetError("Connection lost")
        self._upgrading = True
        self._stop_watching()
        if server_side and self._lent is not None:
            self._give_back()
        unread = self._unread()
        if unread:
            if not server_side or unread != self._lent:
                from ._tls import errors

                raise errors.make("PLAINTEXT_PENDING", "bytes that came before TLS have not been read")
            self._protocol._stream_reader._buffer.clear()
        return self._reader, self._writer

    def protected(self, extra: dict[str, Any], protocol: asyncio.BaseProtocol) -> None:
        """Continues to read after a handshake."""
        self._extra.update(extra)
        self.set_protocol(protocol)
        self._lent = None
        self._upgrading = self._paused = False
        self._ask()

    def _next_buffer(self) -> memoryview | None:
        """Returns the buffer of a BufferedProtocol for the next bytes, None after an error."""
        try:
            buffer = memoryview(self._protocol.get_buffer(-1)).cast("B")
            if not buffer:
                raise RuntimeError("get_buffer() returned an empty buffer")
            return buffer
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as reason:
            self._fatal_error(reason, "Fatal error: protocol.get_buffer() call failed.")
            return None

    def _fill(self, buffer: memoryview, data: bytes) -> None:
        try:
            buffer[: len(data)] = data
            self._protocol.buffer_updated(len(data))
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as reason:
            self._fatal_error(reason, "Fatal error: protocol.buffer_updated() call failed.")

    def _receive_end(self) -> None:
        self._input_ended = True
        self._stop_watching()
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
