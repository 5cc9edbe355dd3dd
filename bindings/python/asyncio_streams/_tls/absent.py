"""Features of OpenSSL's contexts that the component lacks: each error names the alternative."""

from __future__ import annotations

from typing import Any

from .constants import HOST_FLAGS, PROTOCOLS

_CLIENT = PROTOCOLS["PROTOCOL_TLS_CLIENT"]
_NAMES_ONLY = HOST_FLAGS["HOSTFLAG_NEVER_CHECK_SUBJECT"]
_NO_SOCKETS = (
    "TLS over a socket or a BIO of the program's own is not possible inside a component: "
    "use asyncio's open_connection or start_server with ssl=, or start_tls"
)


class Absent:
    """The part of `SSLContext` that is not supported, or stored without effect."""

    protocol: Any
    _after_handshake: bool

    @property
    def _host_flags(self) -> int:
        return _NAMES_ONLY

    @_host_flags.setter
    def _host_flags(self, flags: int) -> None:
        if not int(flags) & _NAMES_ONLY:
            raise NotImplementedError(
                "a certificate's common name is never taken for a host's: the certificate needs a subjectAltName"
            )

    @property
    def security_level(self) -> int:
        """Returns 2, because the component's level is at least that high."""
        return 2

    @property
    def post_handshake_auth(self) -> bool:
        """Returns whether a client allows a request for a certificate after the handshake. Stored without effect."""
        return self._after_handshake

    @post_handshake_auth.setter
    def post_handshake_auth(self, on: bool) -> None:
        self._after_handshake = bool(on)

    @property
    def keylog_filename(self) -> None:
        """Returns None. Setting another value raises NotImplementedError: the component exposes no keys."""

    @keylog_filename.setter
    def keylog_filename(self, name: Any) -> None:
        if name is not None:
            raise NotImplementedError("the component writes no key log: unset SSLKEYLOGFILE, or leave keylog_filename alone")

    @property
    def sni_callback(self) -> None:
        """Returns None: a server with several certificates chooses by the name that the client requests."""

    @sni_callback.setter
    def sni_callback(self, callback: Any) -> None:
        if self.protocol == _CLIENT:
            raise ValueError("sni_callback cannot be set on TLS_CLIENT context")
        if callback is not None:
            raise NotImplementedError("load several chains by load_cert_chain: the component chooses by the client's name")

    def load_dh_params(self, path: Any, /) -> None:
        """Raises NotImplementedError."""
        raise NotImplementedError("the component exchanges keys by elliptic curves only: leave load_dh_params out")

    def set_ecdh_curve(self, name: Any, /) -> None:
        """Raises NotImplementedError."""
        raise NotImplementedError("the component chooses its curves, X25519 first: leave set_ecdh_curve out")

    def set_psk_client_callback(self, callback: Any) -> None:
        """Raises NotImplementedError, unless `callback` is None."""
        if callback is not None:
            raise NotImplementedError("the component has no pre-shared keys (ssl.HAS_PSK is False): use certificates")

    def set_psk_server_callback(self, callback: Any, identity_hint: Any = None) -> None:
        """Raises NotImplementedError, unless `callback` is None."""
        self.set_psk_client_callback(callback)

    def _wrap_socket(self, *args: Any, **kwds: Any) -> Any:
        raise NotImplementedError(_NO_SOCKETS)

    def _wrap_bio(self, *args: Any, **kwds: Any) -> Any:
        raise NotImplementedError(_NO_SOCKETS)
