"""The parameters of a protected connection, in the format of asyncio's `get_extra_info`."""

from __future__ import annotations

from typing import Any, NoReturn

from . import certificate, ciphers
from .memory import Certificate

_VERSIONS = {"TLS12": "TLSv1.2", "TLS13": "TLSv1.3"}


class Connection:
    """Implements `_ssl._SSLSocket`: the results of a handshake, for CPython's `ssl.SSLObject`."""

    def __init__(self, context: Any, info: Any, server_side: bool) -> None:
        self.context = context
        self.server_side = server_side
        self.server_hostname: str | None = info.server_name
        self.session = None
        self.session_reused: bool = info.resumed
        self._info = info

    def version(self) -> str:
        """Returns the version of TLS: "TLSv1.2" or "TLSv1.3"."""
        return _VERSIONS[self._info.version.name]

    def cipher(self) -> tuple[str, str, int]:
        """Returns the suite by OpenSSL's name, the version, and the bits of its key."""
        suite = self._info.suite
        return ciphers.openssl_name(suite), self.version(), 128 if "AES_128" in suite else 256

    def selected_alpn_protocol(self) -> str | None:
        """Returns the application protocol, if one was agreed on."""
        protocol: str | None = self._info.alpn
        return protocol

    def compression(self) -> None:
        """Returns None: there is no compression."""

    def shared_ciphers(self) -> None:
        """Returns None: the component does not report it."""

    def group(self) -> NoReturn:
        """Raises NotImplementedError: the component does not report the group."""
        raise NotImplementedError("the component does not tell which curve a handshake has used")

    def getpeercert(self, der: bool = False, /) -> Any:
        """Returns the peer's certificate as DER, or as a dict, empty if it was not verified; None without one."""
        chain = self._info.peer_certificates
        if not chain:
            return None
        if der:
            return chain[0]
        return certificate.decode(chain[0]) if self.context.verify_mode else {}

    def get_unverified_chain(self) -> list[Certificate] | None:
        """Returns the peer's certificates, its own first."""
        return [Certificate(der) for der in self._info.peer_certificates] or None

    get_verified_chain = get_unverified_chain

    def pending(self) -> int:
        """Returns 0: received bytes are in the stream's reader."""
        return 0

    def get_channel_binding(self, cb_type: str = "tls-unique") -> NoReturn:
        """Raises NotImplementedError: `ssl.CHANNEL_BINDING_TYPES` is empty."""
        raise NotImplementedError(
            "the component has no channel bindings: authenticate without them (SCRAM-SHA-256, no -PLUS)"
        )

    def _use_the_stream(self, *args: Any) -> NoReturn:
        raise NotImplementedError(
            "the connection is driven by asyncio's transport: read and write by its stream, close it to end TLS"
        )

    read = write = do_handshake = shutdown = verify_client_post_handshake = _use_the_stream


def extra(context: Any, info: Any, server_side: bool) -> dict[str, Any]:
    """Returns the values that asyncio's TLS transports have besides the addresses."""
    import ssl

    # As in ssl.SSLObject._create; its constructor raises.
    made = ssl.SSLObject.__new__(ssl.SSLObject)
    inner: Any = Connection(context, info, server_side)
    made._sslobj = inner  # type: ignore[attr-defined]
    found = {"sslcontext": context, "ssl_object": made, "cipher": made.cipher(), "compression": None}
    shown = made.getpeercert()
    if shown is not None:
        found["peercert"] = shown
    return found
