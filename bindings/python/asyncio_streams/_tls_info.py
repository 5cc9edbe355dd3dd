"""What a protected connection has agreed on, as asyncio's `get_extra_info` shows it."""

from __future__ import annotations

from typing import Any

from . import _certificate

_VERSIONS = {"TLS12": "TLSv1.2", "TLS13": "TLSv1.3"}


class SSLObject:
    """What `get_extra_info("ssl_object")` gives: the handshake's results, and nothing to do with them."""

    def __init__(self, context: Any, info: Any, server_side: bool) -> None:
        self.context = context
        self.server_side = server_side
        self.server_hostname: str | None = info.server_name
        self.session = None
        self.session_reused: bool = info.resumed
        self._info = info

    def version(self) -> str:
        """The version of TLS: "TLSv1.2" or "TLSv1.3"."""
        return _VERSIONS[self._info.version.name]

    def cipher(self) -> tuple[str, str, int]:
        """The suite by OpenSSL's name, the version, the bits of its key."""
        suite = self._info.suite
        return openssl_name(suite), self.version(), 128 if "AES_128" in suite else 256

    def selected_alpn_protocol(self) -> str | None:
        """The application protocol, if one was agreed on."""
        protocol: str | None = self._info.alpn
        return protocol

    def selected_npn_protocol(self) -> None:
        """None: NPN is no more."""

    def compression(self) -> None:
        """None: there is none."""

    def shared_ciphers(self) -> None:
        """None: the component does not tell."""

    def getpeercert(self, binary_form: bool = False) -> Any:
        """The peer's certificate as DER, or as a dict, which is empty if it was not verified; None if it showed none."""
        chain = self._info.peer_certificates
        if not chain:
            return None
        if binary_form:
            return chain[0]
        return _certificate.decode(chain[0]) if self.context.verify_mode else {}

    def get_verified_chain(self) -> list[bytes]:
        """The peer's certificates as DER, its own first."""
        return list(self._info.peer_certificates)

    get_unverified_chain = get_verified_chain


def openssl_name(suite: str) -> str:
    """What OpenSSL calls a suite of IANA's registry."""
    if "_WITH_" not in suite:
        return suite.removeprefix("TLS13_") if suite.startswith("TLS13_") else suite
    exchange, _, cipher = suite.removeprefix("TLS_").partition("_WITH_")
    if cipher.startswith("CHACHA20"):
        cipher = "CHACHA20-POLY1305"
    return f"{exchange}-{cipher}".replace("AES_128_", "AES128-").replace("AES_256_", "AES256-").replace("_", "-")


def extra(context: Any, info: Any, server_side: bool) -> dict[str, Any]:
    """What asyncio's transports of TLS know beside the addresses."""
    made = SSLObject(context, info, server_side)
    found = {"sslcontext": context, "ssl_object": made, "cipher": made.cipher(), "compression": None}
    certificate = made.getpeercert()
    if certificate is not None:
        found["peercert"] = certificate
    return found
