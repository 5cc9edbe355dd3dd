"""The transport: asyncio's half of a connection, over the component's reader and writer.

asyncio's own protocols, readers and writers use it unchanged, so they behave as everywhere. The component's queue
corresponds to the system's send buffer: up to the high-water mark a write counts as sent, above it as buffered.
"""

from __future__ import annotations

import asyncio
import warnings
from asyncio import constants, futures, transports, trsock
from asyncio.log import logger
from typing import TYPE_CHECKING, Any

import componentize_py_runtime as runtime
from componentize_py_types import Ok

from . import _amounts, _calls, _errors
from ._receiving import Receiving
from ._sockets import ComponentSocket

if TYPE_CHECKING:
    from ._loop import ComponentLoop

_Constants: Any = constants
_FlowControl: Any = transports._FlowControlMixin

# The most bytes that cross to the component at once.
_PIECE = 1 << 24
# The time in seconds after which output that the component refused is offered again.
_RETRY = 0.1
_call = runtime.call_import
_RECEIVED = asyncio.StreamReaderProtocol.data_received


class ComponentTransport(Receiving, _FlowControl, asyncio.Transport):
    """A TCP connection, with or without TLS."""

    _start_tls_compatible = True
    # `_sendfile_native` of the loop checks the arguments.
    _sendfile_compatible = _Constants._SendfileMode.TRY_NATIVE

    def __init__(
        self,
        loop: ComponentLoop,
        reader: Any,
        writer: Any,
        protocol: asyncio.BaseProtocol,
        *,
        waiter: asyncio.Future[None] | None = None,
        extra: dict[str, Any] | None = None,
        server: Any = None,
        client: Any = None,
    ) -> None:
        super().__init__(extra, loop)  # type: ignore[call-arg]
        self._reader = reader
        self._writer = writer
        _calls.keep(self, reader, writer)
        self._server = server
        # Written bytes for which the component had no room, and the most bytes that it has queued.
        self._out: list[bytes] = []
        self._out_size = 0
        self._queued = 0
        # The writer's number, 0 until it is needed; the key of the wait for output, 0 without one.
        self._writer_number = client.writer if client is not None else 0
        self._draining = 0
        # The key of the wait that reports a loss while no input is awaited, 0 without one.
        self._flushing = 0
        self._conn_lost = 0
        self._closing = False
        self._eof = False
        self._eof_sent = False
        # Whether refused output is offered again later.
        self._retrying = False
        self._init_input(server_side=server is not None)
        if client is not None:
            self._reader_number = client.reader
        self.set_protocol(protocol)
        if server is not None:
            server._attach(self)
        loop.add_transport(self)
        loop.call_soon(protocol.connection_made, self)
        if waiter is None:
            loop.call_soon(self.begin)
        else:
            loop.call_soon(futures._set_result_unless_cancelled, waiter, None)  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        info = [type(self).__name__]
        if self._writer is None:
            info.append("closed")
        elif self._closing:
            info.append("closing")
        info.append(f"bufsize={self.get_write_buffer_size()}")
        return f"<{' '.join(info)}>"

    def __del__(self, _warn: Any = warnings.warn) -> None:
        _calls.let_go(self)
        if getattr(self, "_writer", None) is not None and not self._conn_lost and not self._closing:
            _warn(f"unclosed transport {self!r}", ResourceWarning, source=self)
            if self._server is not None:
                self._server._detach(self)

    # The connection.

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Returns `peername`, `sockname` and `socket`, also after the end; with TLS also asyncio's values for it."""
        if name not in self._extra and self._writer is not None:
            if name == "peername":
                self._extra[name] = _errors.socket_address(self._writer.peername())
            elif name == "sockname":
                self._extra[name] = _errors.socket_address(self._writer.sockname())
            elif name == "socket":
                made = ComponentSocket(self.get_extra_info("sockname"), self.get_extra_info("peername"))
                self._extra[name] = trsock.TransportSocket(made)  # type: ignore[arg-type]
        return self._extra.get(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Passes later input to `protocol`."""
        self._protocol: Any = protocol
        kind = type(protocol)
        self._of_streams = kind is asyncio.StreamReaderProtocol and kind.data_received is _RECEIVED
        self._buffered = isinstance(protocol, asyncio.BufferedProtocol)
        # Whether bytes that were passed to the protocol, and not read, can go to a handshake instead.
        self._may_return = hasattr(protocol, "_stream_reader")

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Returns the protocol that receives input."""
        protocol: asyncio.BaseProtocol = self._protocol
        return protocol

    def is_closing(self) -> bool:
        """Returns whether the connection is closing, closed or lost."""
        return self._closing

    def close(self) -> None:
        """Closes the connection after its output was sent. A second call does nothing."""
        if self._closing:
            return
        self._closing = True
        self._stop_watching()
        self._hand_over()
        if self._conn_lost:
            return
        if self._protocol_paused or self._out:
            # More than the system would take at once: the end follows the output, and until then writes count.
            self._wait_for_drain()
        else:
            self._finish(None)

    def abort(self) -> None:
        """Closes the connection at once; unsent output is lost."""
        self._force_close(None)

    def _finish(self, reason: BaseException | None) -> None:
        self._conn_lost += 1
        self._end_draining()
        self._end_flushing()
        self._writer.close()
        if self._queued:
            self._loop.linger(self._writer, self._number())
        self._loop.call_soon(self._call_connection_lost, reason)

    def _fatal_error(self, reason: BaseException, message: str = "Fatal error on transport") -> None:
        if isinstance(reason, OSError):
            if self._loop.get_debug():
                logger.debug("%r: %s", self, message, exc_info=True)
        else:
            self._loop.call_exception_handler(
                {"message": message, "exception": reason, "transport": self, "protocol": self._protocol}
            )
        self._force_close(reason)

    def _force_close(self, reason: BaseException | None) -> None:
        if self._conn_lost:
            return
        self._out.clear()
        self._out_size = 0
        self._closing = True
        self._conn_lost += 1
        self._stop_watching()
        self._end_draining()
        self._end_flushing()
        self._writer.abort()
        self._loop.call_soon(self._call_connection_lost, reason)

    def _call_connection_lost(self, reason: BaseException | None) -> None:
        for name in ("peername", "sockname", "socket"):
            self.get_extra_info(name)
        try:
            self._protocol.connection_lost(reason)
        finally:
            self._reader = self._writer = self._protocol = None
            _calls.let_go(self)
            self._loop = None
            server, self._server = self._server, None
            if server is not None:
                server._detach(self)

    # Output.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Queues `data`; never waits.

        Raises TypeError for other types, RuntimeError after write_eof and while start_tls is pending. After a loss it does
        nothing.
        """
        if type(data) is not bytes:
            if not isinstance(data, (bytes, bytearray, memoryview)):
                raise TypeError(f"data argument must be a bytes-like object, not {type(data).__name__!r}")
            data = bytes(data)
        if self._eof:
            raise RuntimeError("Cannot call write() after write_eof()")
        if not data:
            return
        if self._conn_lost:
            self._count_loss()
            return
        size = len(data)
        if not self._out and size <= _PIECE:
            # Most messages are passed on here, so few calls are made.
            watching = self._loop.watching
            result = _call(watching.write, [self._writer_number or self._number(), data])
            if type(result) is Ok:
                watching.written = True
                self._queued = queued = self._queued + size
                if queued > self._high_water or self._paused or self._input_ended:
                    self._hand_over()
                return
        self._check_upgrade("write")
        self._out.append(data)
        self._out_size += size
        if not self._draining:
            self._hand_over()

    def writelines(self, list_of_data: Any) -> None:
        """Queues a whole list; nothing if one item has a wrong type.

        Raises the errors of write.
        """
        if self._eof:
            raise RuntimeError("Cannot call writelines() after write_eof()")
        if not list_of_data:
            return
        data = b"".join([memoryview(item) for item in list_of_data])
        if data:
            self.write(data)

    def can_write_eof(self) -> bool:
        """Returns whether the output can end while input continues: yes, except with TLS 1.2."""
        return self._writer is None or bool(self._writer.can_write_eof())

    def write_eof(self) -> None:
        """Ends the output after the written bytes.

        Raises NotImplementedError if can_write_eof is False, RuntimeError while start_tls is pending.
        """
        if self._closing or self._eof:
            return
        if not self.can_write_eof():
            raise NotImplementedError("TLS 1.2 cannot end one side alone")
        self._check_upgrade("write_eof")
        self._eof = True
        self._hand_over()

    def _check_upgrade(self, call: str) -> None:
        """Refuses output that would come into a handshake."""
        if self._upgrading and not self._conn_lost:
            raise RuntimeError(f"Cannot call {call}() while start_tls() is pending")

    def get_write_buffer_size(self) -> int:
        """Returns how many written bytes have not left the component."""
        if self._queued and self._writer is not None:
            self._queued = self._writer.write_buffer_size()
        return self._out_size + self._queued

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Sets the marks for drain; 65,536 and 16,384 unless set.

        Raises ValueError if high < low or low < 0.
        """
        self._set_write_buffer_limits(high=high, low=low)
        if self._writer is not None:
            # asyncio also takes fractions.
            high, low = (int(min(mark, _amounts.LARGEST_U32)) for mark in (self._high_water, self._low_water))
            self._writer.set_write_buffer_limits(high, low)
            self._hand_over()

    def _count_loss(self) -> None:
        if self._conn_lost >= constants.LOG_THRESHOLD_FOR_CONNLOST_WRITES:
            logger.warning("socket.send() raised exception.")
        self._conn_lost += 1

    def _hand_over(self) -> None:
        """Passes written bytes to the component, and pauses the protocol if that is too much."""
        if self._conn_lost:
            return
        try:
            out = self._out
            if out and not self._retrying:
                if self._out_size > _PIECE:
                    self._give_pieces()
                else:
                    if len(out) > 1:
                        out[:] = [b"".join(out)]
                    if self._give(out[0]):
                        out.clear()
                        self._out_size = 0
            if self._eof and not self._eof_sent and not self._out:
                self._eof_sent = True
                self._writer.write_eof()
        except Exception as reason:
            self._fatal_error(_errors.to_exception(reason), "Fatal write error on socket transport")
            return
        if self._out and not (self._draining or self._retrying):
            # All connections of the component together hold too much. No event tells when they hold less: this
            # connection's own queue may be empty.
            self._retrying = True
            self._loop.call_later(_RETRY, self._retry)
        if self._out_size + self._queued > self._high_water and not self._draining:
            if self.get_write_buffer_size() > self._high_water:
                self._maybe_pause_protocol()
                # The protocol may have aborted.
                if not (self._retrying or self._conn_lost):
                    self._wait_for_drain()
        if (self._paused or self._input_ended) and self._queued and not (self._flushing or self._draining or self._closing):
            # As the system's `send`, the output reports a loss that no read would notice.
            watching = self._loop.watching
            self._flushing = watching.add(self._number(), watching.flushed, self._flushed)

    def _retry(self) -> None:
        self._retrying = False
        self._hand_over()
        if (self._protocol_paused or self._closing) and not (self._retrying or self._conn_lost):
            self._wait_for_drain()

    def _number(self) -> int:
        if not self._writer_number:
            self._writer_number = self._loop.watching.of_writer(self._writer)
        return self._writer_number

    def _give(self, data: bytes) -> bool:
        """Passes bytes to the component; returns False if its queue is full. Raises its other errors."""
        watching = self._loop.watching
        result = _call(watching.write, [self._writer_number or self._number(), data])
        if type(result) is not Ok:
            if _errors.case_of(result) != "BufferFull":
                raise result
            return False
        watching.written = True
        self._queued += len(data)
        return True

    def _give_pieces(self) -> None:
        data = self._out[0] if len(self._out) == 1 else b"".join(self._out)
        for start in range(0, len(data), _PIECE):
            if not self._give(data[start : start + _PIECE]):
                # Keep the rest here until the component has room.
                self._out = [data[start:]]
                self._out_size = len(self._out[0])
                return
        self._out.clear()
        self._out_size = 0

    def _wait_for_drain(self) -> None:
        if not self._draining:
            watching = self._loop.watching
            event = watching.flushed if self._closing else watching.drained
            self._draining = watching.add(self._number(), event, self._drained)

    def _end_draining(self) -> BaseException | None:
        """Ends the wait for output; returns its error, if it has failed."""
        key, self._draining = self._draining, 0
        error: BaseException | None = self._loop.watching.remove(key)
        return error

    def _end_flushing(self) -> BaseException | None:
        """Ends the wait that reports a loss; returns its error, if it has failed."""
        key, self._flushing = self._flushing, 0
        error: BaseException | None = self._loop.watching.remove(key)
        return error

    def _flushed(self) -> None:
        """Called when the output was sent, or the connection has failed."""
        error = self._end_flushing()
        if error is not None:
            self._fatal_error(_errors.to_exception(error), "Fatal write error on socket transport")

    def _drained(self) -> None:
        """Called when the queue is short enough, or the connection has failed."""
        error = self._end_draining()
        if error is not None:
            self._fatal_error(_errors.to_exception(error), "Fatal write error on socket transport")
            return
        self._queued = self._writer.write_buffer_size()
        self._hand_over()
        if self._draining or self._retrying or self._conn_lost:
            return
        if self._protocol_paused:
            self._resume_protocol()
        if self._closing and not self._conn_lost:
            if self._out or self._queued:
                self._wait_for_drain()
            else:
                self._finish(None)

    def _resume_protocol(self) -> None:
        self._protocol_paused = False
        try:
            self._protocol.resume_writing()
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as reason:
            self._loop.call_exception_handler(
                {
                    "message": "protocol.resume_writing() failed",
                    "exception": reason,
                    "transport": self,
                    "protocol": self._protocol,
                }
            )
