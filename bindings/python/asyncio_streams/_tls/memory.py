"""The classes of `_ssl` that belong to sockets and to BIOs."""

from __future__ import annotations

from typing import Any

from .errors import SSLError


class MemoryBIO:
    """A buffer of bytes between a program and TLS, as OpenSSL's. Its user, `SSLContext.wrap_bio`, is not supported."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._ended = False

    @property
    def pending(self) -> int:
        """Returns how many bytes can be read."""
        return len(self._data)

    @property
    def eof(self) -> bool:
        """Returns whether everything was read and no more writes follow."""
        return self._ended and not self._data

    def read(self, size: int = -1) -> bytes:
        """Reads up to `size` bytes, or all."""
        if size < 0 or size > len(self._data):
            size = len(self._data)
        found = bytes(self._data[:size])
        del self._data[:size]
        return found

    def write(self, b: Any, /) -> int:
        """Appends bytes; returns how many. Raises SSLError after write_eof, TypeError for other types."""
        with memoryview(b) as view:
            if self._ended:
                raise SSLError("cannot write() after write_eof()")
            self._data += view.tobytes()
            return view.nbytes

    def write_eof(self) -> None:
        """Ends the writes."""
        self._ended = True


class SSLSession:
    """A session to resume. The component resumes sessions by itself and exposes none."""

    def __new__(cls, *args: Any, **kwds: Any) -> SSLSession:
        """Raises TypeError, as in CPython."""
        raise TypeError("cannot create '_ssl.SSLSession' instances: the component resumes sessions by itself")

    id = property(lambda self: b"")
    time = timeout = ticket_lifetime_hint = property(lambda self: 0)
    has_ticket = property(lambda self: False)


class Certificate:
    """A certificate of a peer's chain."""

    def __init__(self, der: bytes) -> None:
        self._der = der

    def __eq__(self, other: object) -> bool:
        return self._der == other._der if isinstance(other, Certificate) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._der)

    def get_info(self) -> dict[str, Any]:
        """Returns the fields, in the format of `getpeercert`."""
        from . import certificate

        return certificate.decode(self._der)

    def public_bytes(self, format: int = 1, /) -> Any:
        """Returns the certificate as PEM (1) or DER (2). Raises ValueError for other formats."""
        from . import pem

        if format == 2:
            return self._der
        if format == 1:
            return pem.encode(self._der)
        raise ValueError("Unsupported format")
