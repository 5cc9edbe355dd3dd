"""Certificates in files: PEM (RFC 7468), or DER as it is."""

from __future__ import annotations

import base64
import binascii
import re

from . import certificate

_BLOCK = re.compile(
    rb"-----BEGIN (?P<label>(?:X509 |TRUSTED )?CERTIFICATE)-----\s*(?P<body>.*?)-----END (?P=label)-----", re.DOTALL
)


def certificates(data: bytes) -> list[bytes]:
    """The DER of every certificate in `data`, which is PEM or one certificate's DER.

    Raises ValueError for what is neither, and for what is no certificate.
    """
    if data[:1] == b"\x30":
        found = [data]
    else:
        try:
            found = [base64.b64decode(b"".join(block["body"].split()), validate=True) for block in _BLOCK.finditer(data)]
        except binascii.Error as reason:
            raise ValueError(f"the base64 of a certificate is damaged: {reason}") from None
        if not found:
            raise ValueError("no start line: there is no -----BEGIN CERTIFICATE-----")
    for der in found:
        certificate.check(der)
    return found


def encode(der: bytes) -> str:
    """A certificate as PEM."""
    text = base64.standard_b64encode(der).decode("ascii")
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----"]) + "\n"
