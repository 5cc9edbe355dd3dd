"""The component's errors as Python's exceptions.

WASI merges errors that POSIX distinguishes. `CODES` maps each of them to an errno; README.md has the table.
"""

from __future__ import annotations

import contextlib
import errno
import re
import socket
from collections.abc import Iterator
from typing import Any

# Maps each code of `network` to the most common errno of those that WASI merges.
CODES: dict[str, int] = {
    "ACCESS_DENIED": errno.EACCES,
    "ADDRESS_IN_USE": errno.EADDRINUSE,
    "ADDRESS_NOT_AVAILABLE": errno.EADDRNOTAVAIL,
    "CONNECTION_REFUSED": errno.ECONNREFUSED,
    "CONNECTION_RESET": errno.ECONNRESET,
    "CONNECTION_ABORTED": errno.ECONNABORTED,
    "BROKEN_PIPE": errno.EPIPE,
    "UNREACHABLE": errno.EHOSTUNREACH,
    "TIMED_OUT": errno.ETIMEDOUT,
    "OUT_OF_RESOURCES": errno.ENOBUFS,
    "INVALID_STATE": errno.EINVAL,
    "NO_SUCH_FILE": errno.ENOENT,
    "OTHER": errno.EIO,
}

# The codes of the name service, whose numbers are a separate family.
NAME_CODES: dict[str, int] = {
    "NAME_NOT_FOUND": socket.EAI_NONAME,
    "NAME_LOOKUP_FAILED": socket.EAI_AGAIN,
}


_BIND = re.compile(r"bind to (?P<host>\[.*\]|[0-9.]+):(?P<port>[0-9]+): (?P<reason>.*)", re.DOTALL)
UNGRANTED = (
    "a component has the network that it is granted: by `asyncio-streams run` and `streams run` with --allow-connect "
    "HOST:PORT, --allow-listen ADDR:PORT or --allow-network, by `wasmtime run` with -S inherit-network"
)


def case_of(error: BaseException) -> str:
    """Returns the case of the interface's `error`: "Network", "Closed"...; empty for other exceptions."""
    value = getattr(error, "value", None)
    name = type(value).__name__
    return name.removeprefix("Error_") if name.startswith("Error_") else ""


def from_network(value: Any, message: str | None = None) -> OSError:
    """Returns the exception for a `network-error`, with `message` instead of its own text.

    A note of an error that a grant avoids names the options.
    """
    text = value.message if message is None else message
    code = value.code.name
    if code in NAME_CODES:
        return socket.gaierror(NAME_CODES[code], text)
    error = OSError(CODES.get(code, errno.EIO), text)
    if isinstance(error, PermissionError):
        error.add_note(UNGRANTED)
    return error


def to_exception(error: BaseException) -> BaseException:
    """Returns the exception that asyncio would raise for an exception of the bindings.

    Other exceptions are returned unchanged.
    """
    case = case_of(error)
    if not case:
        return error
    payload: Any = getattr(error.value, "value", None)  # type: ignore[attr-defined]
    match case:
        case "Network":
            return from_network(payload)
        case "Connect":
            return from_attempts(payload, all_errors=False)
        case "Tls":
            from ._tls import errors

            return errors.from_tls(payload)
        case "DeadlineExceeded":
            return TimeoutError(errno.ETIMEDOUT, "the deadline has passed")
        case "InvalidArgument":
            return ValueError(payload)
        case "NotSupported":
            return NotImplementedError(payload)
        case "Busy":
            return RuntimeError("another call that excludes this one is pending")
        case "WriteAfterEof":
            return RuntimeError("Cannot call write() after write_eof()")
        case "BufferFull":
            return OSError(errno.ENOBUFS, "too many bytes wait to be sent")
        case "TooLarge":
            return OSError(errno.EMSGSIZE, f"the result would have {payload} bytes")
        case "Closed":
            return ConnectionResetError("Connection lost")
        case "Other":
            return OSError(errno.EIO, f"{payload.code}: {payload.message}")
        case _:
            return OSError(errno.EIO, case)


def from_attempts(attempts: Any, *, all_errors: bool) -> BaseException:
    """Returns the exception for a connection whose addresses all failed, as asyncio's create_connection makes it."""
    found = [_attempt(attempt) for attempt in attempts]
    if all_errors:
        return ExceptionGroup("create_connection failed", found)
    if len({str(error) for error in found}) == 1:
        return found[0]
    whole = OSError("Multiple exceptions: {}".format(", ".join(str(error) for error in found)))
    for note in dict.fromkeys(note for error in found for note in getattr(error, "__notes__", ())):
        whole.add_note(note)
    return whole


def with_reason(error: Exception, reason: str) -> Exception:
    """Adds the component's text as a note, which tracebacks show; asyncio's text stays unchanged."""
    if reason and reason not in str(error):
        error.add_note(f"asyncio:streams: {reason}")
    return error


@contextlib.contextmanager
def advising() -> Iterator[None]:
    """Adds a note to errors of Python's own sockets that a grant avoids."""
    try:
        yield
    except PermissionError as reason:
        if UNGRANTED not in getattr(reason, "__notes__", ()):
            reason.add_note(UNGRANTED)
        raise


def socket_address(address: Any) -> tuple[Any, ...] | str | bytes | None:
    """Converts an address of the interface to the format of the `socket` module."""
    if address is None:
        return None
    value = address.value
    if isinstance(value, str):
        # As in Python, abstract names are bytes.
        return value.encode() if value.startswith("\0") else value
    if ":" in value.host:
        return (value.host, value.port, value.flow_info, value.scope_id)
    return (value.host, value.port)


def _attempt(attempt: Any) -> Exception:
    found = attempt.error
    # The component's texts for the two failures that come from a local address.
    local = _BIND.match(found.message)
    if local is not None:
        text = f"error while attempting to bind on address {_local_address(local)!r}: {local['reason']}"
    elif found.message.endswith(": no local address of its family"):
        family = "AF_INET6" if ":" in attempt.address.value.host else "AF_INET"
        return OSError(f"no matching local address with family={getattr(socket, family)!r} found")
    else:
        text = f"Connect call failed {socket_address(attempt.address)!r}"
    return with_reason(from_network(found, text), found.message)


def _local_address(found: re.Match[str]) -> tuple[Any, ...]:
    """Returns an address of the component's text in the format of the `socket` module."""
    host, port = found["host"], int(found["port"])
    return (host.strip("[]"), port, 0, 0) if host.startswith("[") else (host, port)
