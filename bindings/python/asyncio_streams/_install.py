"""Replaces and restores attributes of modules."""

from __future__ import annotations

import _thread
import asyncio
import asyncio.streams
import socket
import sys
import threading
from collections.abc import Iterable
from typing import Any

from componentize_py_types import Err

from . import _absent, _executor, _locks, _loop, _reader, _signals, _sockets, _system, _unix, _unix_socket

_replaced: list[tuple[Any, str, Any]] = []


def install() -> None:
    """Installs the loop and the reader. The loop stays for good."""
    _signals.install(_loop.take_over().signals)
    # Frozen, it would make unittest and contextlib fail, which set the tracebacks of exceptions.
    Err.__setattr__ = Exception.__setattr__
    socket.socketpair = _sockets.connected_pair
    python_socket: Any = socket.socket
    python_socket.__repr__ = _sockets.describe
    _unix_socket.install()
    _locks.install()
    _system.install()
    sys.modules.setdefault("_multiprocessing", _absent.multiprocessing_module())
    for module in (_thread, threading):
        for name in ("start_new_thread", "start_joinable_thread", "_start_new_thread", "_start_joinable_thread"):
            if hasattr(module, name):
                setattr(module, name, _executor.refuse_thread)
    for module in (asyncio, asyncio.streams):
        for name in ("open_unix_connection", "start_unix_server"):
            # Without Unix sockets, asyncio does not define them, and a program would get an AttributeError.
            if not hasattr(module, name):
                setattr(module, name, getattr(_unix, name))
    replace_readers()


def replace_readers() -> None:
    """Makes the package's reader asyncio's reader."""
    replace(
        (module, name, getattr(_reader, name))
        for module in (asyncio, asyncio.streams)
        for name in ("StreamReader", "StreamWriter")
    )


def replace(replacements: Iterable[tuple[Any, str, Any]]) -> None:
    """Sets attributes of modules, and stores the previous values."""
    for where, name, what in replacements:
        _replaced.append((where, name, getattr(where, name, None)))
        setattr(where, name, what)


def put_back() -> None:
    """Undoes every `replace`."""
    while _replaced:
        where, name, what = _replaced.pop()
        setattr(where, name, what)
