"""Certificates as `getpeercert()` shows them: the DER of X.509 (RFC 5280) as a dict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_NAMES = {
    "2.5.4.3": "commonName",
    "2.5.4.4": "surname",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "countryName",
    "2.5.4.7": "localityName",
    "2.5.4.8": "stateOrProvinceName",
    "2.5.4.9": "streetAddress",
    "2.5.4.10": "organizationName",
    "2.5.4.11": "organizationalUnitName",
    "2.5.4.12": "title",
    "2.5.4.42": "givenName",
    "1.2.840.113549.1.9.1": "emailAddress",
    "0.9.2342.19200300.100.1.25": "domainComponent",
}
_ALTERNATIVES = {1: "email", 2: "DNS", 6: "URI"}
_SUBJECT_ALTERNATIVE_NAME = "2.5.29.17"
_BASIC_CONSTRAINTS = "2.5.29.19"
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_SEQUENCE, _SET, _INTEGER, _OID, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0x31, 0x02, 0x06, 0x17, 0x18


def decode(der: bytes) -> dict[str, Any]:
    """Returns the fields of `ssl.SSLSocket.getpeercert`.

    Raises ValueError for data that is not a certificate.
    """
    try:
        return _decode(der)
    except (IndexError, StopIteration, UnicodeDecodeError) as reason:
        raise ValueError("not an X.509 certificate") from reason


def check(der: bytes) -> None:
    """Raises ValueError if the outer structure is not that of a certificate."""
    try:
        _, fields = _fields(der)
    except IndexError as reason:
        raise ValueError("not an X.509 certificate") from reason
    if len(fields) < 6:
        raise ValueError("not an X.509 certificate")


def is_authority(der: bytes) -> bool:
    """Returns whether a certificate may sign others: by its extension, or because its version has no extensions.

    Returns False for data that is not a certificate.
    """
    try:
        version, fields = _fields(der)
        for oid, content in _extensions(fields):
            if oid == _BASIC_CONSTRAINTS:
                (_, constraints), *_ = _items(content)
                return (0x01, b"\xff") in _items(constraints)
    except (IndexError, ValueError):
        return False
    return version == 1


def _fields(der: bytes) -> tuple[int, list[tuple[int, bytes]]]:
    """Returns the version of a certificate, and its fields from the serial number on."""
    (_, certificate), *_ = _items(der)
    (_, body), *_ = _items(certificate)
    fields = list(_items(body))
    version = 1
    if fields[0][0] == 0xA0:
        (_, number), *_ = _items(fields.pop(0)[1])
        version = int.from_bytes(number, "big") + 1
    return version, fields


def _extensions(fields: list[tuple[int, bytes]]) -> Iterator[tuple[str, bytes]]:
    """Yields the extensions: OID and value."""
    for tag, content in fields[6:]:
        if tag == 0xA3:
            (_, extensions), *_ = _items(content)
            for _, extension in _items(extensions):
                parts = list(_items(extension))
                yield _oid(parts[0][1]), parts[-1][1]


def _decode(der: bytes) -> dict[str, Any]:
    version, fields = _fields(der)
    serial, _, issuer, validity, subject, _, *rest = [content for _, content in fields]
    (before_tag, before), (after_tag, after) = _items(validity)
    found: dict[str, Any] = {
        "subject": _name(subject),
        "issuer": _name(issuer),
        "version": version,
        "serialNumber": _serial(serial),
        "notBefore": _time(before_tag, before),
        "notAfter": _time(after_tag, after),
    }
    for oid, content in _extensions(fields):
        if oid == _SUBJECT_ALTERNATIVE_NAME:
            names = _alternative_names(content)
            if names:
                found["subjectAltName"] = names
    return found


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yields the consecutive values in `data`: tag and content."""
    at = 0
    while at < len(data):
        tag, size = data[at], data[at + 1]
        at += 2
        if size & 0x80:
            count = size & 0x7F
            if not 1 <= count <= 4:
                raise ValueError("a length of DER is out of range")
            size = int.from_bytes(data[at : at + count], "big")
            at += count
        if at + size > len(data):
            raise ValueError("a value of DER is cut short")
        yield tag, data[at : at + size]
        at += size


def _oid(data: bytes) -> str:
    numbers = []
    value = 0
    for byte in data:
        value = (value << 7) | (byte & 0x7F)
        if not byte & 0x80:
            numbers.append(value)
            value = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, [first, numbers[0] - 40 * first, *numbers[1:]]))


def _name(data: bytes) -> tuple[tuple[tuple[str, str], ...], ...]:
    found = []
    for _, relative in _items(data):
        parts = []
        for _, pair in _items(relative):
            (_, oid), (tag, text) = _items(pair)
            parts.append((_NAMES.get(_oid(oid), _oid(oid)), _text(tag, text)))
        found.append(tuple(parts))
    return tuple(found)


def _text(tag: int, data: bytes) -> str:
    if tag == 0x1E:
        return data.decode("utf-16-be")
    return data.decode("utf-8" if tag == 0x0C else "latin-1")


def _serial(data: bytes) -> str:
    digits = f"{int.from_bytes(data, 'big'):X}"
    return digits if len(digits) % 2 == 0 else "0" + digits


def _time(tag: int, data: bytes) -> str:
    text = data.decode("ascii")
    if tag == _UTC_TIME:
        text = ("19" if int(text[:2]) >= 50 else "20") + text
    year, month, day = text[:4], int(text[4:6]), int(text[6:8])
    return f"{_MONTHS[month - 1]} {day:2} {text[8:10]}:{text[10:12]}:{text[12:14]} {year} GMT"


def _alternative_names(data: bytes) -> tuple[tuple[str, str], ...]:
    found = []
    (_, names), *_ = _items(data)
    for tag, content in _items(names):
        kind = tag & 0x1F
        if kind in _ALTERNATIVES:
            found.append((_ALTERNATIVES[kind], content.decode("latin-1")))
        elif kind == 7 and len(content) in (4, 16):
            found.append(("IP Address", _address(content)))
    return tuple(found)


def _address(data: bytes) -> str:
    if len(data) == 4:
        return ".".join(map(str, data))
    return ":".join(f"{int.from_bytes(data[at : at + 2], 'big'):X}" for at in range(0, 16, 2))
