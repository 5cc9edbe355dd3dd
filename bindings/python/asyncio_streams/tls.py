"""The module `ssl` of a program: CPython's own, over the component's TLS instead of OpenSSL.

`install` installs a module `_ssl`, as `--with-tls` does. README.md lists the differences from OpenSSL.
"""

from __future__ import annotations

import os
import sys
import types
from typing import Any

from . import _bindings
from ._tls import ciphers, constants, errors
from ._tls.context import SSLContext
from ._tls.memory import Certificate, MemoryBIO, SSLSession

_FILE, _FOLDER = "/etc/ssl/cert.pem", "/etc/ssl/certs"


def install() -> None:
    """Makes `import ssl` work in the program. It may be called before or after such an import.

    Raises NotInComponentError if the world does not import the component's TLS.
    """
    _bindings.tls()
    sys.modules["_ssl"] = module()


def module() -> types.ModuleType:
    """Returns the module `_ssl`."""
    made = types.ModuleType("_ssl", "OpenSSL's functions over the component's TLS.")
    tables: list[dict[str, Any]] = [constants.ABILITIES]
    tables += (constants.PROTOCOLS, constants.VERSIONS, constants.OPTIONS, constants.VERIFY, constants.CERTIFICATES)
    tables += (constants.ERRORS, constants.ALERTS, constants.HOST_FLAGS, constants.ENCODINGS)
    for table in tables:
        vars(made).update(table)
    for name in errors.__all__:
        setattr(made, name, _called(getattr(errors, name), "ssl"))
    contents: dict[str, Any] = {
        "_SSLContext": SSLContext,
        "_DEFAULT_CIPHERS": ":".join((*ciphers.OF_1_3, *ciphers.OF_1_2)),
        "_OPENSSL_API_VERSION": (3, 0, 0, 0, 0),
        "OPENSSL_VERSION": "asyncio:streams (rustls)",
        "OPENSSL_VERSION_INFO": (3, 0, 0, 0, 0),
        "OPENSSL_VERSION_NUMBER": 0x30000000,
        "Certificate": _called(Certificate, "_ssl"),
        "MemoryBIO": _called(MemoryBIO, "_ssl"),
        "SSLSession": _called(SSLSession, "_ssl"),
        "RAND_add": lambda data, entropy, /: None,
        "RAND_bytes": _random,
        "RAND_status": lambda: True,
        "get_default_verify_paths": lambda: ("SSL_CERT_FILE", _FILE, "SSL_CERT_DIR", _FOLDER),
        "nid2obj": lambda number, /: _object(0, number),
        "txt2obj": lambda txt, name=False: _object(3, txt) if not name else _named(txt),
    }
    vars(made).update(contents)
    return made


def _called(kind: type, module: str) -> type:
    """Makes tracebacks and pickles show a class by the name that it has in CPython."""
    kind.__module__ = module
    return kind


def _random(n: int, /) -> bytes:
    if n < 0:
        raise ValueError("num must be positive")
    return os.urandom(n)


def _object(column: int, key: Any) -> tuple[int, str, str, str]:
    for found in constants.OBJECTS:
        if found[column] == key:
            return found
    raise ValueError(f"unknown {'NID' if column == 0 else 'object'} {key!r}: only serverAuth and clientAuth are known here")


def _named(text: str) -> tuple[int, str, str, str]:
    for found in constants.OBJECTS:
        if text in found[1:]:
            return found
    raise ValueError(f"unknown object {text!r}: only serverAuth and clientAuth are known here")
