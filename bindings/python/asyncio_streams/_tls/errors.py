"""The exceptions of `_ssl`."""

from __future__ import annotations

from typing import Any

from .. import _errors

__all__ = [
    "SSLCertVerificationError",
    "SSLEOFError",
    "SSLError",
    "SSLSyscallError",
    "SSLWantReadError",
    "SSLWantWriteError",
    "SSLZeroReturnError",
]

# OpenSSL's number and text for each fault of a certificate.
_VERIFY = {
    "EXPIRED": (10, "certificate has expired"),
    "NOT_YET_VALID": (9, "certificate is not yet valid"),
    "NAME_MISMATCH": (62, "Hostname mismatch, certificate is not valid for the name"),
    "UNKNOWN_ISSUER": (20, "unable to get local issuer certificate"),
    "WRONG_USAGE": (26, "unsupported certificate purpose"),
    "REVOKED": (23, "certificate revoked"),
    "REQUIRED": (1, "certificate required"),
    "OTHER": (1, "unspecified certificate verification error"),
}
_FAILURES = {
    "Handshake": "HANDSHAKE_FAILURE",
    "Truncated": "UNEXPECTED_EOF_WHILE_READING",
    "Protocol": "PROTOCOL_ERROR",
    "PlaintextPending": "PLAINTEXT_PENDING",
}


class SSLError(OSError):
    """A failure of TLS; `reason` names it."""

    library = "SSL"
    reason = ""

    def __str__(self) -> str:
        return str(self.strerror or (self.args[-1] if self.args else ""))


class SSLCertVerificationError(SSLError, ValueError):
    """A certificate was refused; `verify_code` and `verify_message` are OpenSSL's for the fault."""

    verify_code = 1
    verify_message = ""


class SSLEOFError(SSLError):
    """The connection ended inside TLS."""


class SSLZeroReturnError(SSLError):
    """The peer has ended TLS. asyncio's streams never raise it."""


class SSLWantReadError(SSLError):
    """For sockets and BIOs; asyncio's streams never raise it."""


class SSLWantWriteError(SSLError):
    """For sockets and BIOs; asyncio's streams never raise it."""


class SSLSyscallError(SSLError):
    """For sockets and BIOs; asyncio's streams never raise it."""


def make(reason: str, message: str, number: int = 1) -> SSLError:
    """Returns an SSLError for a fault found on this side."""
    error = SSLError(number, f"[SSL: {reason}] {message}")
    error.reason = reason
    return error


def from_tls(value: Any) -> SSLError:
    """Returns the exception for a `tls-error` of the interface."""
    failure = value.failure
    name = type(failure).__name__.removeprefix("TlsFailure_")
    if name == "Certificate":
        code, text = _VERIFY.get(failure.value.name, _VERIFY["OTHER"])
        found = SSLCertVerificationError(
            1, f"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {text} ({value.message})"
        )
        found.reason = "CERTIFICATE_VERIFY_FAILED"
        found.verify_code = code
        found.verify_message = text
        return found
    if name == "Truncated":
        ended = SSLEOFError(8, f"[SSL: UNEXPECTED_EOF_WHILE_READING] {value.message}")
        ended.reason = "UNEXPECTED_EOF_WHILE_READING"
        return ended
    return make(_FAILURES.get(name, "TLS_ERROR"), value.message)


def from_component(error: BaseException, reason: str) -> BaseException:
    """Returns the exception for the component's error about a configuration; `reason` is OpenSSL's name for it."""
    case = _errors.case_of(error)
    value: Any = getattr(error, "value", None)
    if case == "InvalidArgument":
        return make(reason, value.value)
    if case == "NotSupported":
        return NotImplementedError(f"{value.value}; compose the program with streams-tls.wasm")
    return _errors.to_exception(error)
