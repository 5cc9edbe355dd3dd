"""asyncio's StreamReader and StreamWriter, faster where nothing has to wait.

They behave as asyncio's, including the private names that asyncio's own code and tests use. Rare cases call asyncio's
methods.
"""

from __future__ import annotations

import asyncio.streams
import io
from typing import Any

_StockReader: Any = asyncio.streams.StreamReader
_StockWriter: Any = asyncio.streams.StreamWriter

# The number of consecutive lines after which many are split at once; the most bytes of them; no lines.
_ROW = 8
_BLOCK = 1 << 16
_NONE = io.BytesIO()


class StreamReader(_StockReader):
    """asyncio's StreamReader. When a program reads line after line, many lines are split off the buffer at once."""

    # The bytes; and the lines split off their front, which are returned one by one. They stay in `_data` until
    # something accesses that.
    _data: bytearray
    _lines: io.BytesIO
    # The number of lines that were read in a row: after some of them it pays to split off all complete lines.
    _row: int
    _waiter: Any
    _paused: bool
    _transport: Any

    @property
    def _buffer(self) -> bytearray:
        lines = self._lines
        if lines is not _NONE:
            self._lines = _NONE
            self._row = 0
            del self._data[: lines.tell()]
        return self._data

    @_buffer.setter
    def _buffer(self, data: bytearray) -> None:
        self._data = data
        self._lines = _NONE
        self._row = 0

    def feed_data(self, data: bytes) -> None:
        """Adds received bytes."""
        assert not self._eof, "feed_data after feed_eof"
        if not data:
            return
        self._data += data
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.cancelled():
                waiter.set_result(None)
        most = 2 * self._limit
        if len(self._data) > most and not self._paused and self._transport is not None and len(self._buffer) > most:
            try:
                self._transport.pause_reading()
            except NotImplementedError:
                self._transport = None
            else:
                self._paused = True

    def set_exception(self, exc: BaseException) -> None:
        """Makes every later read raise `exc`."""
        # A running iteration has to notice it.
        self._buffer  # noqa: B018
        super().set_exception(exc)

    async def readline(self) -> bytes:
        """Reads one line, as asyncio's readline."""
        for line in self._lines:
            return line
        if self._exception is not None:
            raise self._exception
        self._row += 1
        if self._row > _ROW:
            lines = self._cut()
            if lines is not None:
                return next(lines)
        start = 0
        while True:
            data = self._data if self._lines is _NONE else self._buffer
            end = data.find(b"\n", start)
            if end > self._limit:
                del data[: end + 1]
                self._maybe_resume_transport()
                raise ValueError("Separator is found, but chunk is longer than limit")
            if end >= 0:
                end += 1
                line = bytes(data[:end])
                del data[:end]
                if self._paused:
                    self._maybe_resume_transport()
                return line
            # Others may have read during the wait; asyncio does not search again from the front either.
            start = max(start, len(data))
            if start > self._limit:
                data.clear()
                self._maybe_resume_transport()
                raise ValueError("Separator is not found, and chunk exceed the limit")
            if self._eof:
                rest = bytes(data)
                data.clear()
                return rest
            waiter = self._begin_wait("readuntil")
            try:
                await waiter
            finally:
                self._waiter = None

    async def read(self, n: int = -1) -> bytes:
        """Reads up to `n` bytes, or everything to the end, as asyncio's read."""
        if n <= 0 or self._exception is not None:
            return await super().read(n)
        data = self._data if self._lines is _NONE else self._buffer
        if not data and not self._eof:
            waiter = self._begin_wait("read")
            try:
                await waiter
            finally:
                self._waiter = None
            data = self._data if self._lines is _NONE else self._buffer
        if n >= len(data):
            found = bytes(data)
            data.clear()
        else:
            found = bytes(data[:n])
            del data[:n]
        if self._paused:
            self._maybe_resume_transport()
        return found

    async def readexactly(self, n: int) -> bytes:
        """Reads `n` bytes, as asyncio's readexactly."""
        data = self._data if self._lines is _NONE else self._buffer
        if n <= 0 or self._exception is not None:
            return await super().readexactly(n)
        while len(data) < n:
            if self._eof:
                return await super().readexactly(n)
            waiter = self._begin_wait("readexactly")
            try:
                await waiter
            finally:
                self._waiter = None
            data = self._data if self._lines is _NONE else self._buffer
        if n == len(data):
            found = bytes(data)
            data.clear()
        else:
            found = bytes(data[:n])
            del data[:n]
        if self._paused:
            self._maybe_resume_transport()
        return found

    async def readuntil(self, separator: Any = b"\n") -> bytes:
        """Reads up to a separator, as asyncio's readuntil."""
        if type(separator) is bytes and separator and self._exception is None:
            data = self._data if self._lines is _NONE else self._buffer
            end = data.find(separator)
            if 0 <= end <= self._limit:
                end += len(separator)
                found = bytes(data[:end])
                del data[:end]
                if self._paused:
                    self._maybe_resume_transport()
                return found
        return await super().readuntil(separator)

    async def _wait_for_data(self, func_name: str) -> None:
        """Waits for the next input, for asyncio's methods."""
        waiter = self._begin_wait(func_name)
        try:
            await waiter
        finally:
            self._waiter = None

    def _begin_wait(self, name: str) -> asyncio.Future[None]:
        """Returns a future for the next input, and sends first what the peer may be waiting for."""
        if self._waiter is not None:
            raise RuntimeError(f"{name}() called while another coroutine is already waiting for incoming data")
        assert not self._eof, "_wait_for_data after EOF"
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        # Other loops have no watch.
        watching = getattr(self._loop, "watching", None)
        if watching is not None and watching.written and watching.may_send:
            watching.send_early()
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._waiter = waiter
        return waiter

    async def __anext__(self) -> bytes:
        """Returns the next line; raises StopAsyncIteration at the end, and the errors of readline."""
        for line in self._lines:
            return line
        self._row = _ROW
        line = await self.readline()
        if not line:
            raise StopAsyncIteration
        return line

    def _cut(self) -> io.BytesIO | None:
        """Splits off complete lines; none if no complete line is within the limit."""
        data = self._buffer
        self._row = _ROW
        # Within these bounds no line exceeds the limit, and none makes the transport resume.
        most = min(_BLOCK, self._limit + 1)
        if self._paused:
            most = max(0, min(most, len(data) - self._limit - 1))
        end = data.rfind(b"\n", 0, most) + 1
        if not end:
            return None
        self._lines = lines = io.BytesIO(bytes(memoryview(data)[:end]))
        return lines


class StreamWriter(_StockWriter):
    """asyncio's StreamWriter."""

    async def drain(self) -> None:
        """Waits while too much is queued, as asyncio's drain."""
        protocol: Any = self._protocol
        if protocol._paused or protocol._connection_lost or self._transport.is_closing():
            await super().drain()
        elif self._reader is not None and self._reader._exception is not None:
            raise self._reader._exception
