//! The values that callers see: errors, addresses, and what the options of a call contain.
//!
//! They have the names and the meaning of `asyncio:streams/types` and `asyncio:streams/tls` (wit/types.wit, wit/tls.wit).

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

/// Which addresses a call may use.
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

/// A failure of the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkError {
    /// For programs.
    pub code: NetworkCode,
    /// For people.
    pub message: String,
}

/// The kind of a failure of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkCode {
    /// The host does not permit it.
    AccessDenied,
    /// Another socket has the local address.
    AddressInUse,
    /// This machine has no such address.
    AddressNotAvailable,
    /// The peer listens on no such port.
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
    /// Another failure; see the message.
    Other,
}

/// One attempt to connect that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectAttempt {
    /// The address.
    pub address: Address,
    /// The reason.
    pub error: NetworkError,
}

/// A failure of TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsError {
    /// For programs.
    pub failure: TlsFailure,
    /// For people.
    pub message: String,
}

/// The kind of a failure of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsFailure {
    /// One side did not accept the other's certificate.
    Certificate(CertificateFailure),
    /// Both sides found no common ground, or the peer left during the handshake.
    Handshake,
    /// The connection ended without `close_notify`.
    Truncated,
    /// The peer broke the protocol.
    Protocol,
    /// Bytes that came before TLS are unread.
    PlaintextPending,
}

/// Why a certificate was not accepted.
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
    /// The peer asked for one and got none.
    Required,
    /// Another reason; see the message.
    Other,
}

/// The failure of a call. See `error` in wit/types.wit for what each case leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// An argument that can never work.
    InvalidArgument(String),
    /// This connection or this component cannot do it.
    NotSupported(String),
    /// Another call of the same kind is pending.
    Busy,
    /// This side has ended its output.
    WriteAfterEof,
    /// The result would have so many bytes, more than `max-result`.
    TooLarge(u64),
    /// The queue would exceed `max-queued`, or the component's bound.
    BufferFull,
    /// `cancel` has ended the call.
    Cancelled,
    /// The deadline has passed.
    DeadlineExceeded,
    /// The stream ended first.
    IncompleteRead {
        /// All bytes that there were.
        partial: Vec<u8>,
        /// How many were wanted; `None` if a separator was.
        expected: Option<u32>,
    },
    /// More bytes than `limit` before the separator.
    LimitOverrun {
        /// Whether the separator is in the buffer.
        found: bool,
        /// How many bytes can be read without touching a separator.
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

/// Keep-alive probes (`SO_KEEPALIVE`, RFC 1122 §4.2.3.6). `None` leaves the system's value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepAlive {
    /// Whether there are any.
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

/// Whether a server asks its clients for certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// No.
    None,
    /// Yes, and serves those without one.
    Optional,
    /// Yes, and refuses those without one.
    Required,
}

/// What a handshake has agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsInfo {
    /// The version.
    pub version: TlsVersion,
    /// The registered name of the cipher suite.
    pub suite: String,
    /// The application protocol (RFC 7301).
    pub alpn: Option<String>,
    /// The name that the client asked for.
    pub server_name: Option<String>,
    /// The peer's certificates in DER, its own first.
    pub peer_certificates: Vec<Vec<u8>>,
    /// Whether an earlier session was continued.
    pub resumed: bool,
}
