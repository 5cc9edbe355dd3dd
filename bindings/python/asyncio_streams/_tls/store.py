"""The certificates of a context: whom it trusts, and what it shows."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from .. import _bindings
from . import certificate, pem
from .errors import from_component, make


class Store:
    """Certificates that were loaded. They may be while the component is built."""

    def __init__(self) -> None:
        # Authorities as they were given, for the component; and one by one, to be shown.
        self.given: list[bytes] = []
        self.roots: list[bytes] = []
        # Chains, each with its key.
        self.chains: list[tuple[bytes, bytes]] = []

    def authorities(self) -> list[bytes]:
        """The loaded certificates that are authorities', as DER."""
        return [der for der in self.roots if certificate.is_authority(der)]

    def add_authorities(self, cafile: Any, capath: Any, cadata: Any) -> None:
        """Adds those of a file, of the files in a folder, and of data.

        Raises TypeError without any of them, OSError for files, SSLError for what is no certificate.
        """
        if cafile is None and capath is None and cadata is None:
            raise TypeError("cafile, capath and cadata cannot be all omitted")
        found = [] if cafile is None else [(_read(cafile), os.fsdecode(cafile))]
        if capath is not None:
            folder = os.fsdecode(capath)
            paths = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
            found += [(_read(path), path) for path in paths if os.path.isfile(path)]
        if cadata is not None:
            found.append((_cadata(cadata), "cadata"))
        for data, place in found:
            try:
                loaded = pem.certificates(data)
            except ValueError as reason:
                raise make("NO_CERTIFICATE_OR_CRL_FOUND", f"no certificate or crl found in {place}: {reason}") from None
            _ask(lambda data=data: _bindings.tls().ClientConfig().add_roots(data), "NO_CERTIFICATE_OR_CRL_FOUND")  # type: ignore[misc]
            self.given.append(data)
            self.roots += [der for der in loaded if der not in self.roots]

    def add_chain(self, certfile: Any, keyfile: Any) -> None:
        """Adds a chain and its key, of one file or of two.

        Raises OSError for files, SSLError for a key that does not fit, NotImplementedError for an encrypted one.
        """
        chain = _read(certfile)
        key = chain if keyfile is None else _read(keyfile)
        if b"ENCRYPTED" in key:
            raise NotImplementedError(
                f"{os.fsdecode(keyfile or certfile)}: encrypted keys cannot be read; decrypt it first, as by `openssl pkey`"
            )
        try:
            pem.certificates(chain)
        except ValueError as reason:
            raise make("NO_START_LINE", f"{os.fsdecode(certfile)}: {reason}") from None
        _ask(lambda: _bindings.tls().ClientConfig().set_certificate(chain, key), "KEY_VALUES_MISMATCH")
        self.chains.append((chain, key))


def _ask(call: Callable[[], object], reason: str) -> None:
    """Lets the component look at something, if it runs. While it is built, it looks at the first connection."""
    if _bindings.host_is_there():
        try:
            call()
        except Exception as error:
            raise from_component(error, reason) from None


def _read(path: Any) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _cadata(data: Any) -> bytes:
    if not isinstance(data, (str, bytes, bytearray, memoryview)):
        raise TypeError("cadata should be an ASCII string or a bytes-like object")
    if isinstance(data, str):
        if not data.isascii():
            raise TypeError("cadata should be an ASCII string or a bytes-like object")
        data = data.encode("ascii")
    if not data:
        raise ValueError("Empty certificate data")
    return bytes(data)
