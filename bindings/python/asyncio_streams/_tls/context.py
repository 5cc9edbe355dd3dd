"""`_ssl._SSLContext`: how connections are protected. CPython's `ssl.SSLContext` is derived from it.

A feature of OpenSSL that the component lacks raises NotImplementedError, with the alternative. Contexts may be created
and filled during the build: the component's TLS is first used at run time.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

from .. import _amounts, _bindings, _lending
from . import certificate, ciphers
from .absent import Absent
from .constants import OPTIONS, PROTOCOLS, VERIFY, VERSIONS
from .errors import SSLError, from_component, make
from .store import Store

_CLIENT, _SERVER = PROTOCOLS["PROTOCOL_TLS_CLIENT"], PROTOCOLS["PROTOCOL_TLS_SERVER"]
_OLDEST, _NEWEST = VERSIONS["PROTO_MINIMUM_SUPPORTED"], VERSIONS["PROTO_MAXIMUM_SUPPORTED"]
_TLS_1_2, _TLS_1_3 = VERSIONS["PROTO_TLSv1_2"], VERSIONS["PROTO_TLSv1_3"]
_NONE, _OPTIONAL, _REQUIRED = range(3)
_DEFAULT_OPTIONS = (
    OPTIONS["OP_ALL"]
    | OPTIONS["OP_NO_SSLv3"]
    | OPTIONS["OP_CIPHER_SERVER_PREFERENCE"]
    | OPTIONS["OP_NO_COMPRESSION"]
    | OPTIONS["OP_ENABLE_MIDDLEBOX_COMPAT"]
    | OPTIONS["OP_IGNORE_UNEXPECTED_EOF"]
)
_Timeouts = tuple["float | None", "float | None"]


class SSLContext(Absent):
    """The trusted authorities and own certificates. One context serves any number of clients and servers."""

    def __new__(cls, protocol: int = 2, /) -> Any:
        """Raises ValueError for an invalid protocol, NotImplementedError for TLS 1.0 and 1.1."""
        if protocol not in PROTOCOLS.values():
            raise ValueError("invalid or unsupported protocol version")
        if protocol in (PROTOCOLS["PROTOCOL_TLSv1"], PROTOCOLS["PROTOCOL_TLSv1_1"]):
            raise NotImplementedError(
                "TLS 1.0 and 1.1 are insecure and not there: use PROTOCOL_TLS_CLIENT or PROTOCOL_TLS_SERVER"
            )
        self = super().__new__(cls)
        self._set_up(int(protocol))
        return self

    def _set_up(self, protocol: int) -> None:
        client = protocol == _CLIENT
        only_1_2 = protocol == PROTOCOLS["PROTOCOL_TLSv1_2"]
        self._protocol = protocol
        self._options = _DEFAULT_OPTIONS
        self._verify_flags = VERIFY["VERIFY_X509_TRUSTED_FIRST"]
        self._check_hostname = client
        self._verify_mode = _REQUIRED if client else _NONE
        self._minimum = _TLS_1_2
        self._maximum = _TLS_1_2 if only_1_2 else _NEWEST
        self._tickets = 2
        self._after_handshake = False
        self._suites = list(ciphers.OF_1_2)
        self._built_in = False
        self._store = Store()
        self._alpn: list[str] = []
        self._made: dict[tuple[bool, _Timeouts], Any] = {}

    # Verification.

    @property
    def protocol(self) -> int:
        """Returns one of the PROTOCOL_ constants."""
        return self._protocol

    @property
    def check_hostname(self) -> bool:
        """Returns whether a server's name is checked. It always is while certificates are checked."""
        return self._check_hostname

    @check_hostname.setter
    def check_hostname(self, on: bool) -> None:
        self._changed()
        self._check_hostname = bool(on)
        if on and self._verify_mode == _NONE:
            self._verify_mode = _REQUIRED

    @property
    def verify_mode(self) -> int:
        """Returns whether certificates are checked. Setting CERT_NONE while check_hostname is on raises ValueError."""
        return self._verify_mode

    @verify_mode.setter
    def verify_mode(self, mode: int) -> None:
        if mode not in (_NONE, _OPTIONAL, _REQUIRED):
            raise ValueError("invalid value for verify_mode")
        if mode == _NONE and self._check_hostname:
            raise ValueError("Cannot set verify_mode to CERT_NONE when check_hostname is enabled.")
        self._changed()
        self._verify_mode = int(mode)

    @property
    def verify_flags(self) -> int:
        """Returns OpenSSL's flags, which are stored without effect.

        Setting flags about revocation lists raises NotImplementedError.
        """
        return self._verify_flags

    @verify_flags.setter
    def verify_flags(self, flags: int) -> None:
        if int(flags) & VERIFY["VERIFY_CRL_CHECK_CHAIN"]:
            raise NotImplementedError(
                "the component knows no revocation lists: leave VERIFY_CRL_CHECK_LEAF and VERIFY_CRL_CHECK_CHAIN out, "
                "or check the peer's certificate yourself, by getpeercert(True)"
            )
        self._verify_flags = int(flags)

    # Versions and suites.

    @property
    def minimum_version(self) -> int:
        """Returns the oldest allowed version; versions before 1.2 count as 1.2."""
        return self._minimum

    @minimum_version.setter
    def minimum_version(self, version: int) -> None:
        self._minimum = self._version(version)

    @property
    def maximum_version(self) -> int:
        """Returns the newest allowed version."""
        return self._maximum

    @maximum_version.setter
    def maximum_version(self, version: int) -> None:
        self._maximum = self._version(version)

    def _version(self, version: int) -> int:
        if version not in VERSIONS.values():
            raise ValueError(f"Unsupported TLS/SSL version 0x{version:x}")
        self._changed()
        return int(version)

    @property
    def options(self) -> int:
        """Returns OpenSSL's options. OP_NO_TLSv1_2, OP_NO_TLSv1_3 and OP_NO_TICKET have an effect, the others none."""
        return self._options

    @options.setter
    def options(self, options: int) -> None:
        if options < 0:
            raise ValueError("options must be non-negative")
        self._changed()
        self._options = int(options)

    @property
    def num_tickets(self) -> int:
        """Returns how many tickets a server sends. The component supports only 0, which disables resumption.

        Setting it raises ValueError if the number is negative, or the context is a client's.
        """
        return self._tickets

    @num_tickets.setter
    def num_tickets(self, number: int) -> None:
        if number < 0:
            raise ValueError("value must be non-negative")
        if self._protocol != _SERVER:
            raise ValueError("SSLContext is not a server context.")
        self._changed()
        self._tickets = int(number)

    def set_ciphers(self, text: str, /) -> None:
        """Selects suites of TLS 1.2 by OpenSSL's words. Without any of the component's suites, only TLS 1.3 is allowed.

        Warns if it leaves some of them out, because the component cannot. Raises SSLError if `text` selects nothing.
        """
        try:
            names = ciphers.chosen(text)
        except ValueError as reason:
            raise SSLError(str(reason)) from None
        self._changed()
        self._suites = list(ciphers.OF_1_2) if names else []
        if 0 < len(names) < len(ciphers.OF_1_2):
            left = ", ".join(name for name in ciphers.OF_1_2 if name not in names)
            warnings.warn(
                f"set_ciphers: the component cannot leave out single suites of TLS 1.2, so it may use these too: {left}. "
                "All of them have forward secrecy and authenticated encryption; minimum_version = TLSv1_3 avoids them",
                RuntimeWarning,
                stacklevel=2,
            )

    def get_ciphers(self) -> list[dict[str, Any]]:
        """Returns the suites that may be used, in the component's order."""
        oldest, newest = self._versions()
        names = [*(ciphers.OF_1_3 if newest == "TLS13" else ()), *(self._suites if oldest == "TLS12" else ())]
        return ciphers.descriptions(names)

    def _set_alpn_protocols(self, wire: Any, /) -> None:
        names, data = [], bytes(wire)
        while data:
            names.append(data[1 : 1 + data[0]].decode("utf-8"))
            data = data[1 + data[0] :]
        self._changed()
        self._alpn = names

    # Certificates.

    def set_default_verify_paths(self) -> None:
        """Trusts the built-in roots, which are Mozilla's; or those of SSL_CERT_FILE, if it names a file."""
        place = os.environ.get("SSL_CERT_FILE")
        if place and os.path.isfile(place):
            self.load_verify_locations(place)
            return
        self._changed()
        self._built_in = True

    def load_verify_locations(self, cafile: Any = None, capath: Any = None, cadata: Any = None) -> None:
        """Trusts the authorities in a file, in the files of a folder, or in an argument: PEM, or DER as bytes.

        Raises TypeError without any of them, OSError for files, SSLError for invalid certificates.
        """
        self._changed()
        self._store.add_authorities(cafile, capath, cadata)

    def load_cert_chain(self, certfile: Any, keyfile: Any = None, password: Any = None) -> None:
        """Adds a certificate: a PEM file with its chain, its own first, and one with its key, if that is another.

        Of several, a server uses the first that matches the name. Raises OSError for files, SSLError for a key that
        does not match, NotImplementedError for an encrypted one.
        """
        self._changed()
        self._store.add_chain(certfile, keyfile)
        _lending.possible = True

    def get_ca_certs(self, binary_form: bool = False) -> list[Any]:
        """Returns the loaded authorities, as dicts or DER, without the built-in ones."""
        found = self._store.authorities()
        return found if binary_form else [certificate.decode(der) for der in found]

    def cert_store_stats(self) -> dict[str, int]:
        """Returns how many certificates were loaded, and how many of them are authorities'."""
        return {"x509": len(self._store.roots), "crl": 0, "x509_ca": len(self._store.authorities())}

    def session_stats(self) -> dict[str, int]:
        """Returns zeros: the component does not count sessions."""
        names = "number connect connect_good connect_renegotiate accept accept_good accept_renegotiate hits misses timeouts"
        return dict.fromkeys([*names.split(), "cache_full"], 0)

    # The loop calls these methods.

    def client_config(self, handshake: float | None = None, shutdown: float | None = None) -> Any:
        """Returns the component's configuration for connections that this side opens."""
        return self._config(False, (handshake, shutdown), self._client)

    def server_config(self, handshake: float | None = None, shutdown: float | None = None) -> Any:
        """Returns the component's configuration for connections that this side accepts."""
        return self._config(True, (handshake, shutdown), self._server)

    def _changed(self) -> None:
        self._made.clear()

    def _versions(self) -> tuple[str, str]:
        """Returns the oldest and the newest allowed version. Raises SSLError if there is none."""
        oldest = _TLS_1_3 if self._minimum in (_TLS_1_3, _NEWEST) else _TLS_1_2
        newest = _TLS_1_3 if self._maximum == _NEWEST else self._maximum
        if self._maximum == _OLDEST:
            newest = _TLS_1_2
        if self._options & OPTIONS["OP_NO_TLSv1_2"] or not self._suites:
            oldest = _TLS_1_3
        if self._options & OPTIONS["OP_NO_TLSv1_3"]:
            newest = min(newest, _TLS_1_2)
        if newest < oldest:
            raise make("NO_PROTOCOLS_AVAILABLE", "no protocols available")
        names = {_TLS_1_2: "TLS12", _TLS_1_3: "TLS13"}
        return names[oldest], names[newest]

    def _config(self, server_side: bool, timeouts: _Timeouts, fill: Callable[[], Any]) -> Any:
        key = (server_side, timeouts)
        found = self._made.get(key)
        if found is None:
            try:
                found = fill()
                oldest, newest = self._versions()
                versions = _bindings.tls().TlsVersion
                found.set_versions(versions[oldest], versions[newest])
                if self._alpn:
                    found.set_alpn(self._alpn)
                if self._options & OPTIONS["OP_NO_TICKET"] or not self._tickets:
                    found.set_resumption(False)
                handshake, shutdown = timeouts
                if handshake is not None:
                    found.set_handshake_timeout(max(1, _amounts.nanoseconds(handshake, "ssl_handshake_timeout")))
                if shutdown is not None:
                    found.set_shutdown_timeout(max(1, _amounts.nanoseconds(shutdown, "ssl_shutdown_timeout")))
            except Exception as reason:
                raise from_component(reason, "BAD_CONFIGURATION") from None
            self._made[key] = found
        return found

    def _client(self) -> Any:
        config = _bindings.tls().ClientConfig()
        if self._verify_mode == _NONE:
            config.dangerous_accept_any_certificate()
        config.set_built_in_roots(self._built_in)
        for roots in self._store.given:
            config.add_roots(roots)
        for chain, key in self._store.chains[:1]:
            config.set_certificate(chain, key)
        return config

    def _server(self) -> Any:
        interface = _bindings.tls()
        config = interface.ServerConfig()
        for chain, key in self._store.chains:
            config.add_certificate(chain, key)
        for roots in self._store.given:
            config.add_client_roots(roots)
        rules = interface.ClientAuthentication
        rule = {_NONE: rules.NONE, _OPTIONAL: rules.OPTIONAL, _REQUIRED: rules.REQUIRED}
        config.set_client_authentication(rule[self._verify_mode])
        return config
