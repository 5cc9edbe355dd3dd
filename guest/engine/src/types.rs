//! The values that callers see: errors, addresses and results.
//!
//! Names and meanings are those of `asyncio:streams/types` and `asyncio:streams/tls` (wit/types.wit, wit/tls.wit).

/// The address of one end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// IPv4 or IPv6.
    Inet(InetAddress),
    /// The path of a Unix socket.
    Unix(String),
}

/// An address of IPv4 or IPv6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InetAddress {
    /// The numeric host, such as `192.0.2.7` or `2001:db8::1`.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The scope of an IPv6 address (RFC 4007); 0 otherwise.
    pub scope_id: u32,
    /// The flow of an IPv6 address (RFC 6437); 0 otherwise.
    pub flow_info: u32,
}

/// The addresses that a call may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AddressFamily {
    /// Both.
    #[default]
    Any,
    /// IPv4 only.
    Ipv4,
    /// IPv6 only.
    Ipv6,
}

/// A network failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkError {
    /// For programs.
    pub code: NetworkCode,
    /// For people.
    pub message: String,
}

/// The kind of a network failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkCode {
    /// The host does not permit it.
    AccessDenied,
    /// Another socket has the local address.
    AddressInUse,
    /// This machine has no such address.
    AddressNotAvailable,
    /// No socket of the peer listens on the port.
    ConnectionRefused,
    /// The peer has reset the connection.
    ConnectionReset,
    /// The system has aborted the connection.
    ConnectionAborted,
    /// The peer takes no more bytes.
    BrokenPipe,
    /// There is no route to the peer.
    Unreachable,
    /// The peer did not answer.
    TimedOut,
    /// There is no such name.
    NameNotFound,
    /// The name service failed.
    NameLookupFailed,
    /// A quota or the system's resources are exhausted.
    OutOfResources,
    /// The socket's state does not permit it.
    InvalidState,
    /// There is no such file or folder: of Unix sockets only.
    NoSuchFile,
    /// Another failure; see the message.
    Other,
}

/// A failed connection attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectAttempt {
    /// The address.
    pub address: Address,
    /// The reason.
    pub error: NetworkError,
}

/// A TLS failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsError {
    /// For programs.
    pub failure: TlsFailure,
    /// For people.
    pub message: String,
}

/// The kind of a TLS failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsFailure {
    /// One side did not accept the other's certificate.
    Certificate(CertificateFailure),
    /// The two sides could not agree, or the peer left during the handshake.
    Handshake,
    /// The connection ended without `close_notify`.
    Truncated,
    /// The peer broke the protocol.
    Protocol,
    /// Bytes that arrived before TLS are unread.
    PlaintextPending,
}

/// Why a certificate was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateFailure {
    /// It has expired.
    Expired,
    /// It is not valid yet.
    NotYetValid,
    /// It is for other names.
    NameMismatch,
    /// No trusted authority has signed it.
    UnknownIssuer,
    /// It is for another use.
    WrongUsage,
    /// It was revoked.
    Revoked,
    /// The peer requested a certificate and got none.
    Required,
    /// Another reason; see the message.
    Other,
}

/// The error of a call. See `error` in wit/types.wit for the state that each case leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// An argument can never work.
    InvalidArgument(String),
    /// This connection or this component does not support the call.
    NotSupported(String),
    /// Another call of the same kind is pending.
    Busy,
    /// This side has ended its output.
    WriteAfterEof,
    /// The result would have this many bytes, more than `max-result`.
    TooLarge(u64),
    /// The queue would exceed `max-queued`, or the component's bound.
    BufferFull,
    /// `cancel` has ended the call.
    Cancelled,
    /// The deadline has passed.
    DeadlineExceeded,
    /// The stream ended before the read was satisfied.
    IncompleteRead {
        /// All remaining bytes.
        partial: Vec<u8>,
        /// The number of requested bytes; `None` if the read was for a separator.
        expected: Option<u32>,
    },
    /// More than `limit` bytes come before the separator.
    LimitOverrun {
        /// Whether the separator is in the buffer.
        found: bool,
        /// The number of bytes that can be read without touching a separator.
        consumed: u32,
    },
    /// This side has closed.
    Closed,
    /// The network failed.
    Network(NetworkError),
    /// No address could be connected to.
    Connect(Vec<ConnectAttempt>),
    /// TLS failed.
    Tls(TlsError),
}

/// The process at the other end of a Unix socket, as the system knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The number of the process; `None` on systems that do not know it.
    pub process: Option<u32>,
    /// The number of its effective user.
    pub user: u32,
    /// The number of its effective group.
    pub group: u32,
}

/// Keep-alive probes (`SO_KEEPALIVE`, RFC 1122 §4.2.3.6). `None` leaves the system's value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepAlive {
    /// Whether probes are sent.
    pub on: bool,
    /// Nanoseconds of silence before the first probe.
    pub idle: Option<u64>,
    /// Nanoseconds between two probes.
    pub interval: Option<u64>,
    /// Probes without an answer after which the connection is lost.
    pub count: Option<u32>,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

/// Whether a server requests certificates from its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// It requests none.
    None,
    /// It requests them, and serves clients without one.
    Optional,
    /// It requests them, and refuses clients without one.
    Required,
}

/// The result of a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsInfo {
    /// The version.
    pub version: TlsVersion,
    /// The registered name of the cipher suite.
    pub suite: String,
    /// The application protocol (RFC 7301).
    pub alpn: Option<String>,
    /// The server name that the client requested.
    pub server_name: Option<String>,
    /// The peer's certificates in DER, its own first.
    pub peer_certificates: Vec<Vec<u8>>,
    /// Whether an earlier session was continued.
    pub resumed: bool,
}
