"""The part of the module `ssl` that asyncio's programs use, over the component's TLS.

In a program built `--with-tls` it is the module `ssl`. Certificates and keys are read from files of the program's own
file system (`wasmtime run --dir`), or given as data. README.md says what is different from OpenSSL.
"""

from __future__ import annotations

import base64
import enum
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

from . import _bindings, _errors
from ._ssl_errors import (
    SSLCertVerificationError,
    SSLEOFError,
    SSLError,
    SSLSyscallError,
    SSLWantReadError,
    SSLWantWriteError,
    SSLZeroReturnError,
    make,
)
from ._tls_info import SSLObject

__all__ = [
    "CERT_NONE",
    "CERT_OPTIONAL",
    "CERT_REQUIRED",
    "PROTOCOL_TLS",
    "PROTOCOL_TLS_CLIENT",
    "PROTOCOL_TLS_SERVER",
    "CertificateError",
    "Purpose",
    "SSLCertVerificationError",
    "SSLContext",
    "SSLEOFError",
    "SSLError",
    "SSLObject",
    "SSLSyscallError",
    "SSLWantReadError",
    "SSLWantWriteError",
    "SSLZeroReturnError",
    "TLSVersion",
    "VerifyMode",
    "create_default_context",
]

CertificateError = SSLCertVerificationError
HAS_SNI = HAS_ALPN = HAS_TLSv1_2 = HAS_TLSv1_3 = True
HAS_NPN = HAS_SSLv2 = HAS_SSLv3 = HAS_TLSv1 = HAS_TLSv1_1 = False
OPENSSL_VERSION = "asyncio:streams (rustls)"
OPENSSL_VERSION_INFO = (3, 0, 0, 0, 0)
OPENSSL_VERSION_NUMBER = 0x30000000

_Path = "str | bytes | os.PathLike[str] | os.PathLike[bytes]"
_Timeouts = tuple["float | None", "float | None"]


class VerifyMode(enum.IntEnum):
    """Whether the peer's certificate is asked for and checked."""

    CERT_NONE = 0
    CERT_OPTIONAL = 1
    CERT_REQUIRED = 2


CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED = VerifyMode


class TLSVersion(enum.IntEnum):
    """The versions that can be named; only 1.2 and 1.3 are spoken."""

    MINIMUM_SUPPORTED = -2
    SSLv3 = 768
    TLSv1 = 769
    TLSv1_1 = 770
    TLSv1_2 = 771
    TLSv1_3 = 772
    MAXIMUM_SUPPORTED = -1


class _Protocol(enum.IntEnum):
    PROTOCOL_TLS = 2
    PROTOCOL_TLS_CLIENT = 16
    PROTOCOL_TLS_SERVER = 17


PROTOCOL_TLS, PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER = _Protocol
PROTOCOL_SSLv23 = PROTOCOL_TLS


class Purpose(enum.Enum):
    """Whose certificates a context is for."""

    SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
    CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"


class Options(enum.IntFlag):
    """OpenSSL's switches, which are remembered without effect: the component has nothing that they turn off."""

    OP_ALL = 0x80000050
    OP_NO_SSLv2 = 0
    OP_NO_SSLv3 = 0x2000000
    OP_NO_TLSv1 = 0x4000000
    OP_NO_TLSv1_1 = 0x10000000
    OP_NO_COMPRESSION = 0x20000
    OP_SINGLE_DH_USE = 0
    OP_SINGLE_ECDH_USE = 0
    OP_CIPHER_SERVER_PREFERENCE = 0x400000
    OP_NO_TICKET = 0x4000
    OP_NO_RENEGOTIATION = 0x40000000


globals().update(Options.__members__)
OP_NO_SSLv2 = OP_SINGLE_DH_USE = OP_SINGLE_ECDH_USE = Options(0)


class SSLContext:
    """How connections are protected: whom to trust, what to show. One may serve clients and servers, any number of them."""

    def __init__(self, protocol: int = PROTOCOL_TLS) -> None:
        self.protocol = _Protocol(protocol)
        self.options = Options.OP_ALL
        self.verify_flags = 0
        self.post_handshake_auth = False
        self.keylog_filename = None
        client = self.protocol is PROTOCOL_TLS_CLIENT
        self._check_hostname = client
        self._verify_mode = CERT_REQUIRED if client else CERT_NONE
        self._minimum = TLSVersion.TLSv1_2
        self._maximum = TLSVersion.MAXIMUM_SUPPORTED
        self._built_in = False
        self._roots: list[bytes] = []
        self._chains: list[tuple[bytes, bytes]] = []
        self._alpn: list[str] = []
        self._made: dict[tuple[bool, _Timeouts], Any] = {}

    @property
    def check_hostname(self) -> bool:
        """Whether a server's certificate must be for its name. As long as certificates are checked, it is always checked."""
        return self._check_hostname

    @check_hostname.setter
    def check_hostname(self, on: bool) -> None:
        self._changed()
        self._check_hostname = bool(on)
        if on and self._verify_mode == CERT_NONE:
            self._verify_mode = CERT_REQUIRED

    @property
    def verify_mode(self) -> VerifyMode:
        """Whether certificates are checked. Raises ValueError for CERT_NONE while check_hostname is on."""
        return self._verify_mode

    @verify_mode.setter
    def verify_mode(self, mode: int) -> None:
        mode = VerifyMode(mode)
        if mode == CERT_NONE and self._check_hostname:
            raise ValueError("Cannot set verify_mode to CERT_NONE when check_hostname is enabled.")
        self._changed()
        self._verify_mode = mode

    @property
    def minimum_version(self) -> TLSVersion:
        """The oldest version to speak; those before 1.2 count as 1.2."""
        return self._minimum

    @minimum_version.setter
    def minimum_version(self, version: int) -> None:
        self._changed()
        self._minimum = TLSVersion(version)

    @property
    def maximum_version(self) -> TLSVersion:
        """The newest version to speak."""
        return self._maximum

    @maximum_version.setter
    def maximum_version(self, version: int) -> None:
        self._changed()
        self._maximum = TLSVersion(version)

    @property
    def sni_callback(self) -> None:
        """None: a server with several certificates chooses by the name that the client asks for."""
        return None

    @sni_callback.setter
    def sni_callback(self, callback: Any) -> None:
        if callback is not None:
            raise NotImplementedError("load several chains by load_cert_chain: the component chooses by name")

    def load_default_certs(self, purpose: Purpose = Purpose.SERVER_AUTH) -> None:
        """Trusts the roots that the component carries, which are Mozilla's."""
        self._changed()
        self._built_in = True

    set_default_verify_paths = load_default_certs

    def load_verify_locations(self, cafile: Any = None, capath: Any = None, cadata: str | bytes | None = None) -> None:
        """Trusts the authorities in a file, in the files of a folder, or given: PEM, or DER as bytes.

        Raises TypeError without any of them, OSError for files, SSLError for what is no certificate.
        """
        if cafile is None and capath is None and cadata is None:
            raise TypeError("cafile, capath and cadata cannot be all omitted")
        found = [] if cafile is None else [_read(cafile)]
        if capath is not None:
            folder = os.fspath(capath)
            found += [_read(os.path.join(folder, name)) for name in sorted(os.listdir(folder))]
        if cadata is not None:
            found.append(cadata.encode("ascii") if isinstance(cadata, str) else bytes(cadata))
        for data in found:
            _check(lambda data=data: _bindings.tls().ClientConfig().add_roots(data), "NO_CERTIFICATE_OR_CRL_FOUND")  # type: ignore[misc]
        self._changed()
        self._roots += found

    def load_cert_chain(self, certfile: Any, keyfile: Any = None, password: Any = None) -> None:
        """Shows a certificate: a PEM file with its chain, its own first, and one with its key, if that is another.

        Of several, a server shows the first that fits the name. Raises OSError for files, SSLError for a key that does not
        fit, NotImplementedError for an encrypted one.
        """
        chain = _read(certfile)
        key = chain if keyfile is None else _read(keyfile)
        if b"ENCRYPTED" in key:
            raise NotImplementedError("encrypted keys: decrypt it first, for example by `openssl pkey`")
        _check(lambda: _bindings.tls().ClientConfig().set_certificate(chain, key), "KEY_VALUES_MISMATCH")
        self._changed()
        self._chains.append((chain, key))

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """The application protocols to offer or to accept, in the order of preference."""
        names = list(alpn_protocols)
        if any(not 0 < len(name.encode("ascii")) < 256 for name in names):
            raise SSLError("ALPN protocols must be 1 to 255 bytes long")
        self._changed()
        self._alpn = names

    def set_ciphers(self, ciphers: str) -> None:
        """Raises NotImplementedError: the component has five suites, all of them good, and an order of its own."""
        raise NotImplementedError("the component chooses its suites: ChaCha20-Poly1305 and AES-GCM")

    def wrap_socket(self, *args: Any, **kwds: Any) -> Any:
        """Raises NotImplementedError: TLS is for asyncio's streams."""
        raise NotImplementedError("there are no sockets to wrap: use asyncio's open_connection, start_server or start_tls")

    wrap_bio = wrap_socket

    def client_config(self, handshake: float | None = None, shutdown: float | None = None) -> Any:
        """The component's configuration for connections that this side opens."""
        return self._config(False, (handshake, shutdown), self._client)

    def server_config(self, handshake: float | None = None, shutdown: float | None = None) -> Any:
        """The component's configuration for connections that this side accepts."""
        return self._config(True, (handshake, shutdown), self._server)

    def _changed(self) -> None:
        self._made.clear()

    def _config(self, server_side: bool, timeouts: _Timeouts, fill: Callable[[], Any]) -> Any:
        key = (server_side, timeouts)
        found = self._made.get(key)
        if found is None:
            try:
                found = fill()
                oldest = "TLS13" if self._minimum in (TLSVersion.TLSv1_3, TLSVersion.MAXIMUM_SUPPORTED) else "TLS12"
                newest = "TLS13" if self._maximum in (TLSVersion.TLSv1_3, TLSVersion.MAXIMUM_SUPPORTED) else "TLS12"
                if self._maximum not in (TLSVersion.MAXIMUM_SUPPORTED, TLSVersion.TLSv1_2, TLSVersion.TLSv1_3):
                    raise make("NO_PROTOCOLS_AVAILABLE", "no protocols available")
                versions = _bindings.tls().TlsVersion
                found.set_versions(versions[oldest], versions[newest])
                if self._alpn:
                    found.set_alpn(self._alpn)
                for value, setter in zip(timeouts, (found.set_handshake_timeout, found.set_shutdown_timeout), strict=True):
                    if value is not None:
                        setter(max(1, int(value * 1e9)))
            except Exception as reason:
                raise _as_ssl_error(reason, "BAD_CONFIGURATION") from None
            self._made[key] = found
        return found

    def _client(self) -> Any:
        config = _bindings.tls().ClientConfig()
        if self._verify_mode == CERT_NONE:
            config.dangerous_accept_any_certificate()
        config.set_built_in_roots(self._built_in)
        for roots in self._roots:
            config.add_roots(roots)
        for chain, key in self._chains[:1]:
            config.set_certificate(chain, key)
        return config

    def _server(self) -> Any:
        interface = _bindings.tls()
        config = interface.ServerConfig()
        for chain, key in self._chains:
            config.add_certificate(chain, key)
        for roots in self._roots:
            config.add_client_roots(roots)
        rules = interface.ClientAuthentication
        rule = {CERT_NONE: rules.NONE, CERT_OPTIONAL: rules.OPTIONAL, CERT_REQUIRED: rules.REQUIRED}
        config.set_client_authentication(rule[self._verify_mode])
        return config


def create_default_context(
    purpose: Purpose = Purpose.SERVER_AUTH, *, cafile: Any = None, capath: Any = None, cadata: str | bytes | None = None
) -> SSLContext:
    """A context for clients, which checks certificates and names; or for servers, with CLIENT_AUTH.

    Without any authorities given, it trusts those that the component carries. Raises what load_verify_locations raises.
    """
    context = SSLContext(PROTOCOL_TLS_CLIENT if purpose is Purpose.SERVER_AUTH else PROTOCOL_TLS_SERVER)
    if cafile or capath or cadata:
        context.load_verify_locations(cafile, capath, cadata)
    elif context.verify_mode != CERT_NONE:
        context.load_default_certs(purpose)
    return context


def _create_unverified_context(*args: Any, **kwds: Any) -> SSLContext:
    context = SSLContext(PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = CERT_NONE
    return context


_create_default_https_context = create_default_context


def DER_cert_to_PEM_cert(der_cert_bytes: bytes) -> str:
    """A certificate as PEM."""
    text = base64.standard_b64encode(der_cert_bytes).decode("ascii")
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----"]) + "\n"


def PEM_cert_to_DER_cert(pem_cert_string: str) -> bytes:
    """A certificate as DER. Raises ValueError for what is no PEM."""
    text = pem_cert_string.strip()
    if not text.startswith("-----BEGIN CERTIFICATE-----") or not text.endswith("-----END CERTIFICATE-----"):
        raise ValueError("Invalid PEM encoding; it must start and end as a certificate does")
    return base64.decodebytes(text[27:-25].encode("ascii"))


def install() -> None:
    """Makes this the module `ssl` of the program.

    Raises NotInComponentError where the component's TLS is not imported.
    """
    _bindings.tls()
    sys.modules["ssl"] = sys.modules[__name__]


def _read(path: Any) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _check(call: Callable[[], object], reason: str) -> None:
    try:
        call()
    except Exception as error:
        raise _as_ssl_error(error, reason) from None


def _as_ssl_error(error: BaseException, reason: str) -> BaseException:
    case = _errors.case_of(error)
    if case == "InvalidArgument":
        return make(reason, error.value.value)  # type: ignore[attr-defined]
    if case == "NotSupported":
        return NotImplementedError(f"{error.value.value}; compose the program with streams-tls.wasm")  # type: ignore[attr-defined]
    return _errors.to_exception(error)
