"""What `install()` replaces."""

from __future__ import annotations

import asyncio
import asyncio.streams

from . import _loop, _reader


def install() -> None:
    """Puts the loop and the reader in their places."""
    _loop.take_over()
    asyncio.StreamReader = asyncio.streams.StreamReader = _reader.StreamReader  # type: ignore[misc]
