"""Calls of the component's interface `unix`: paths, and errors that say how a component gets Unix sockets."""

from __future__ import annotations

import errno
import os
from typing import Any

from . import _bindings, _errors, _outside
from ._calls import Call, the_loop

_ABSENT = (
    "this component, or its host, has no Unix sockets: use TCP, with host and port, or run by `asyncio-streams run` or "
    "`streams run` with --allow-unix-connect PATH or --allow-unix-listen PATH, composed with streams-unix.wasm"
)
_UNGRANTED = (
    "a component has the Unix sockets that it is granted: by `asyncio-streams run` and `streams run` with "
    "--allow-unix-connect PATH and --allow-unix-listen PATH"
)
# The backlog of a name that is only bound.
_BACKLOG = 100


def place(path: Any) -> bytes:
    """Returns a path as the host's: absolute, from the program's working folder; abstract names stay as they are.

    Raises TypeError for other types than paths.
    """
    name: bytes = os.fsencode(path)
    return name if not name or name.startswith(b"\0") else os.path.abspath(name)


def interface() -> Any:
    """Returns the bindings of `asyncio:streams/unix`. Raises NotImplementedError where there are none."""
    try:
        return _bindings.unix()
    except _outside.NotInComponentError as reason:
        raise NotImplementedError(str(reason)) from None


def failure(error: BaseException, path: Any) -> BaseException:
    """Returns the exception for a failed call, with asyncio's text if it has one, and with advice."""
    if isinstance(error, NotImplementedError):
        return NotImplementedError(_ABSENT)
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return _errors.with_reason(OSError(errno.EADDRINUSE, f"Address {path!r} is already in use"), error.strerror or "")
    if isinstance(error, PermissionError):
        # Without the note about grants of addresses.
        error = PermissionError(error.errno, error.strerror)
        error.add_note(_UNGRANTED)
    return error


def bind(path: Any) -> Any:
    """Returns a server of the component that has the name and does not listen. Its file stays when it is closed.

    Raises OSError if the path cannot be bound, also where there are no Unix sockets.
    """
    name = place(path)
    if not _bindings.host_is_there():
        raise OSError(errno.ENOTSUP, "a component that is being built has no sockets: bind when the program runs")
    results: list[Any] = []
    try:
        options = the_loop().server_options(_BACKLOG, None, None, None)
        call = interface().start_unix_server(name, None, False, options)
        Call(call, lambda value, error: results.append(value if error is None else error)).start()
    except NotImplementedError as reason:
        raise OSError(errno.ENOTSUP, str(reason)) from None
    if not results:
        options.cancel()
        raise OSError(errno.EAGAIN, "the host is busy: bind again in a later turn of the loop")
    (result,) = results
    if not isinstance(result, BaseException):
        return result
    found = failure(_errors.to_exception(result), path)
    if isinstance(found, NotImplementedError):
        # As for a family that the system does not have.
        raise OSError(errno.ENOTSUP, str(found)) from None
    raise found from None
