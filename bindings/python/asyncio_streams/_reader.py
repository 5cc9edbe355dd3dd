"""asyncio's StreamReader, quicker where the answer is in the buffer."""

from __future__ import annotations

import asyncio.streams
from collections.abc import AsyncIterator

_Stock = asyncio.streams.StreamReader


class StreamReader(_Stock):
    """asyncio's StreamReader: whatever it does not answer from its buffer at once is left to that."""

    async def readline(self) -> bytes:
        """Reads one line, as asyncio's readline."""
        buffer = self._buffer
        end = buffer.find(b"\n")
        if 0 <= end <= self._limit and self._exception is None:
            end += 1
            line = bytes(buffer[:end])
            del buffer[:end]
            if self._paused:
                self._maybe_resume_transport()
            return line
        return await super().readline()
