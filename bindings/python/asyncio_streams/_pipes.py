"""Standard input and output as pipes of the loop: `connect_read_pipe` and `connect_write_pipe`, over WASI's streams.

Only these three descriptors are pipes inside a component. The transports behave like asyncio's for pipes on Unix.
"""

from __future__ import annotations

import asyncio
import errno
import io
import sys
from asyncio import futures, transports
from collections.abc import Callable
from typing import Any

from . import _bindings
from ._calls import Call

# The base of the loop; the other parts define the missing attributes.
_Base: Any = object
_FlowControl: Any = transports._FlowControlMixin
_Transport: Any = asyncio.BaseTransport

# The largest number of bytes that one read returns; asyncio's own number.
_MOST = 256 * 1024
_OTHERS = (
    "{} takes only the standard input and output of a component, as sys.stdin, sys.stdout and sys.stderr: WASI has no other "
    "pipes. Use a TCP connection, or asyncio.Queue between the tasks of one program"
)

_NOT_IMPORTED = (
    "pipes: add `import wasi:cli/stdin@0.3.0;`, and the same for stdout and stderr, to the world of this component"
)


class Pipes(_Base):
    """The part of the loop that reads the standard input and writes the standard outputs."""

    def __init__(self) -> None:
        super().__init__()
        self._pipes: set[WritePipe] = set()
        self._standard = {number: _bindings.cli(name) for number, name in enumerate(("stdin", "stdout", "stderr"))}

    async def connect_read_pipe(self, protocol_factory: Callable[[], Any], pipe: Any) -> tuple[Any, Any]:
        """Reads from the standard input. Raises NotImplementedError for other files."""
        module = self._interface_of(pipe, "connect_read_pipe", (0,))
        protocol = protocol_factory()
        return await self._connected(ReadPipe(self, pipe, protocol, module)), protocol

    async def connect_write_pipe(self, protocol_factory: Callable[[], Any], pipe: Any) -> tuple[Any, Any]:
        """Writes to the standard output, or the standard error output. Raises NotImplementedError for other files."""
        module = self._interface_of(pipe, "connect_write_pipe", (1, 2))
        protocol = protocol_factory()
        return await self._connected(WritePipe(self, pipe, protocol, module, self._pipes)), protocol

    async def _connected(self, transport: ReadPipe | WritePipe) -> Any:
        """Waits until the protocol knows its transport, as asyncio does. Closes the transport if that is cancelled."""
        connected = self.create_future()
        self.call_soon(futures._set_result_unless_cancelled, connected, None)  # type: ignore[attr-defined]
        try:
            await connected
        except BaseException:
            transport.close()
            raise
        return transport

    async def end_pipes(self, seconds: float) -> None:
        """Writes queued output for up to `seconds`."""
        end = self.time() + seconds
        for pipe in list(self._pipes):
            pipe.close()
        while self._pipes and self.time() < end:
            await asyncio.sleep(0.001)

    def _interface_of(self, pipe: Any, method: str, numbers: tuple[int, ...]) -> Any:
        """Returns the bindings of WASI's interface for a file."""
        try:
            number = pipe.fileno()
        except (AttributeError, OSError, ValueError, io.UnsupportedOperation):
            number = -1
        if number not in numbers:
            raise NotImplementedError(_OTHERS.format(method))
        module = self._standard[number]
        if module is None:
            raise NotImplementedError(_NOT_IMPORTED)
        return module


class _Pipe(_Transport):
    """The common part of both kinds of pipes: a protocol, which is called with the bytes, or for the end."""

    def __init__(self, pipe: Any, protocol: Any, *flow_control: Any) -> None:
        super().__init__({"pipe": pipe}, *flow_control)
        self._protocol = protocol
        self._closing = False

    def set_protocol(self, protocol: Any) -> None:
        """Makes another protocol hear of the pipe."""
        self._protocol = protocol

    def get_protocol(self) -> Any:
        """Returns the protocol."""
        return self._protocol

    def is_closing(self) -> bool:
        """Returns whether it was closed, or has ended."""
        return self._closing


class ReadPipe(_Pipe, asyncio.ReadTransport):
    """The standard input, which passes its bytes to a protocol."""

    def __init__(self, loop: Any, pipe: Any, protocol: Any, stdin: Any) -> None:
        super().__init__(pipe, protocol)
        self._loop = loop
        self._stream, self._result = stdin.read_via_stream()
        self._paused = self._reading = False
        # Bytes that arrived while reading was paused.
        self._kept: bytes | None = None
        loop.call_soon(protocol.connection_made, self)
        loop.call_soon(self._read)

    def is_reading(self) -> bool:
        """Returns whether it passes on bytes."""
        return not self._closing and not self._paused

    def pause_reading(self) -> None:
        """Stops passing on bytes. At most one more piece is read."""
        self._paused = self._paused or not self._closing

    def resume_reading(self) -> None:
        """Continues."""
        if self._paused and not self._closing:
            self._paused = False
            kept, self._kept = self._kept, None
            if kept is not None:
                self._loop.call_soon(self._pass_on, kept)
            else:
                self._read()

    def close(self) -> None:
        """Ends it. Bytes that a pending read returns are lost, since it cannot be cancelled."""
        if not self._closing:
            self._end(None)

    def _read(self) -> None:
        if not self._reading and not self._paused and not self._closing:
            self._reading = True
            Call(self._stream.read(_MOST), self._arrived).start()

    def _arrived(self, data: Any, error: BaseException | None) -> None:
        self._reading = False
        if self._closing:
            self._drop()
        elif error is not None:
            self._end(error)
        elif self._paused:
            self._kept = data
        else:
            self._loop.call_soon(self._pass_on, data)

    def _pass_on(self, data: bytes) -> None:
        if self._closing:
            return
        if self._paused:
            self._kept = data
        elif data:
            self._protocol.data_received(data)
            self._next()
        elif self._stream.writer_dropped:
            self._closing = True
            self._loop.call_soon(self._protocol.eof_received)
            self._loop.call_soon(self._lost, None)
        else:
            self._next()

    def _next(self) -> None:
        if self._stream.writer_dropped and not self._closing:
            # The last bytes and the end came together.
            self._loop.call_soon(self._pass_on, b"")
        else:
            self._read()

    def _end(self, error: BaseException | None) -> None:
        self._closing = True
        self._loop.call_soon(self._lost, error)

    def _lost(self, error: BaseException | None) -> None:
        try:
            self._protocol.connection_lost(error)
        finally:
            if not self._reading:
                self._drop()

    def _drop(self) -> None:
        self._stream.__exit__(None, None, None)
        self._result.__exit__(None, None, None)


class WritePipe(_Pipe, _FlowControl):
    """The standard output or the standard error output, which a protocol writes to."""

    def __init__(self, loop: Any, pipe: Any, protocol: Any, output: Any, open_pipes: set[WritePipe]) -> None:
        super().__init__(pipe, protocol, loop)
        import wit_world

        self._open = open_pipes
        self._writer, reader = wit_world.byte_stream()
        self._result = output.write_via_stream(reader)
        self._queue = bytearray()
        self._writing = self._ended = False
        open_pipes.add(self)
        # The print function writes by itself; keep the order.
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        loop.call_soon(protocol.connection_made, self)

    def get_write_buffer_size(self) -> int:
        """Returns the number of bytes that the host has not taken."""
        return len(self._queue)

    def can_write_eof(self) -> bool:
        """Returns True: closing ends the output."""
        return True

    def write(self, data: Any) -> None:
        """Writes bytes, in the background."""
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"data argument must be a bytes-like object, not {type(data).__name__!r}")
        if data and not self._closing:
            self._queue += data
            self._write()
            self._maybe_pause_protocol()

    def write_eof(self) -> None:
        """Closes it after the queued bytes."""
        self.close()

    def close(self) -> None:
        """Closes it after the queued bytes."""
        if not self._closing:
            self._closing = True
            self._write()

    def abort(self) -> None:
        """Closes it, and drops queued bytes."""
        self._queue.clear()
        self.close()

    def _write(self) -> None:
        if self._writing or self._ended:
            return
        if self._queue:
            self._writing = True
            Call(self._writer.write(bytes(self._queue)), self._written).start()
        elif self._closing:
            self._ended = True
            self._writer.__exit__(None, None, None)
            # All bytes have been written when this call returns.
            Call(self._result.read(), self._lost).start()

    def _written(self, count: Any, error: BaseException | None) -> None:
        self._writing = False
        if error is not None or self._writer.reader_dropped:
            self._queue.clear()
            self._closing = True
        else:
            del self._queue[:count]
            self._maybe_resume_protocol()
        self._write()

    def _lost(self, result: Any, error: BaseException | None) -> None:
        if error is None:
            error = _error_of(result)
        self._loop.call_soon(self._gone, error)

    def _gone(self, error: BaseException | None) -> None:
        self._open.discard(self)
        self._protocol.connection_lost(error)


def _error_of(result: Any) -> BaseException | None:
    """Returns the exception for the result of an output."""
    code = getattr(getattr(result, "value", None), "name", None)
    if code is None:
        return None
    if code == "PIPE":
        return BrokenPipeError(errno.EPIPE, "Broken pipe")
    return OSError(errno.EIO, "the host cannot write this output")
