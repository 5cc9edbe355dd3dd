//! The errors of streams, as in the component's WIT.

use std::fmt;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::sync::Arc;

use crate::text::Escaped;
use crate::wit;
pub use crate::wit::{CertificateFailure, NetworkCode};

/// The reasons why a call on a stream failed. The first eight leave the connection usable.
///
/// Messages are displayed in one line without control characters, even if a peer or a caller put some into them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An argument that is invalid in every state of the connection.
    #[error("invalid argument: {}", Escaped(.0))]
    InvalidArgument(String),
    /// The component, or this transport, does not support it.
    #[error("not supported: {}", Escaped(.0))]
    NotSupported(String),
    /// A call that excludes this one is pending on the same object.
    #[error("another call is pending that excludes this one")]
    Busy,
    /// `write_eof` was called before.
    #[error("nothing can be written after write_eof")]
    WriteAfterEof,
    /// The result would be larger than the connection's `max_result`; nothing was consumed. Carries a lower bound of
    /// its size, in bytes.
    #[error("the result would have at least {0} bytes, more than the connection's max_result")]
    TooLarge(u64),
    /// The call would exceed `max_queued`; nothing was queued.
    #[error("too many bytes are queued already; nothing was taken")]
    BufferFull,
    /// The wait was cancelled; nothing was lost.
    #[error("cancelled")]
    Cancelled,
    /// A deadline of this side has passed: connecting was given up, or closing was cut short.
    #[error("the deadline has passed")]
    DeadlineExceeded,
    /// The stream ended before the read was complete.
    #[error("{}", incomplete(partial.len(), *expected))]
    IncompleteRead {
        /// The bytes that arrived.
        partial: Vec<u8>,
        /// The number of bytes requested; `None` for a read up to a separator.
        expected: Option<u32>,
    },
    /// No separator within the limit; nothing was consumed.
    #[error("{}", overrun(*found, *consumed))]
    LimitOverrun {
        /// Whether there is a separator beyond the limit.
        found: bool,
        /// The number of buffered bytes that precede the separator, or can be discarded without losing the beginning of one.
        consumed: u32,
    },
    /// This side closed it, aborted it or gave it away.
    #[error("closed by this side")]
    Closed,
    /// A failure of the network.
    #[error("{0}")]
    Network(NetworkError),
    /// No address could be reached: one entry for each that was tried, in that order.
    #[error("{}", attempts(.0))]
    Connect(Vec<ConnectAttempt>),
    /// TLS failed.
    #[error("TLS failed: {}", Escaped(&.0.message))]
    Tls(TlsError),
    /// An error that a later version of the component adds.
    #[error("{} ({})", Escaped(message), Escaped(code))]
    Other {
        /// Its name, for programs.
        code: String,
        /// A description, for people.
        message: String,
    },
    /// The component itself has stopped, with all its connections: it trapped, a limit was reached, or the tokio
    /// runtime ended. Carries the cause.
    #[error("the streams component has stopped: {}", Escaped(.0))]
    Stopped(Arc<str>),
}

/// An error of the operating system or the name service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", Escaped(message))]
pub struct NetworkError {
    /// For programs.
    pub code: NetworkCode,
    /// For people.
    pub message: String,
}

/// One address that could not be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectAttempt {
    /// The address.
    pub address: Address,
    /// The error.
    pub error: NetworkError,
}

/// The reason why TLS failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsError {
    /// For programs.
    pub failure: TlsFailure,
    /// For people.
    pub message: String,
}

/// The kinds of TLS failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsFailure {
    /// The peer's certificate was refused.
    Certificate(CertificateFailure),
    /// The two sides did not agree.
    Handshake,
    /// The connection ended without TLS's `close_notify`.
    Truncated,
    /// The peer broke the protocol.
    Protocol,
    /// Unencrypted bytes had arrived when TLS was to begin.
    PlaintextPending,
}

/// The address of one end of a connection, or of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Address {
    /// A TCP endpoint.
    Inet(SocketAddr),
    /// The path of a Unix socket; empty when the socket has no name.
    Unix(String),
    /// An address of another kind, as the component wrote it.
    Other(String),
}

impl Address {
    /// Returns the address of a TCP endpoint.
    pub fn inet(&self) -> Option<SocketAddr> {
        match self {
            Self::Inet(address) => Some(*address),
            Self::Unix(_) | Self::Other(_) => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet(address) => address.fmt(f),
            Self::Unix(text) | Self::Other(text) => Escaped(text).fmt(f),
        }
    }
}

impl From<Error> for std::io::Error {
    /// Uses the closest `io::ErrorKind`.
    fn from(error: Error) -> Self {
        use std::io::ErrorKind;
        let network = |code: NetworkCode| match code {
            NetworkCode::AccessDenied => ErrorKind::PermissionDenied,
            NetworkCode::AddressInUse => ErrorKind::AddrInUse,
            NetworkCode::AddressNotAvailable => ErrorKind::AddrNotAvailable,
            NetworkCode::ConnectionRefused => ErrorKind::ConnectionRefused,
            NetworkCode::ConnectionReset => ErrorKind::ConnectionReset,
            NetworkCode::ConnectionAborted => ErrorKind::ConnectionAborted,
            NetworkCode::BrokenPipe => ErrorKind::BrokenPipe,
            NetworkCode::Unreachable => ErrorKind::HostUnreachable,
            NetworkCode::TimedOut => ErrorKind::TimedOut,
            NetworkCode::NameNotFound => ErrorKind::NotFound,
            _ => ErrorKind::Other,
        };
        let kind = match &error {
            Error::InvalidArgument(_) => ErrorKind::InvalidInput,
            Error::NotSupported(_) => ErrorKind::Unsupported,
            Error::IncompleteRead { .. } => ErrorKind::UnexpectedEof,
            Error::DeadlineExceeded => ErrorKind::TimedOut,
            Error::Closed => ErrorKind::NotConnected,
            Error::Network(error) => network(error.code),
            Error::Connect(attempts) => attempts
                .last()
                .map_or(ErrorKind::Other, |last| network(last.error.code)),
            _ => ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

fn incomplete(partial: usize, expected: Option<u32>) -> String {
    match expected {
        Some(expected) => format!("the stream ended after {partial} of {expected} bytes"),
        None => format!("the stream ended after {partial} bytes without the separator"),
    }
}

fn overrun(found: bool, consumed: u32) -> String {
    match found {
        true => format!("the separator comes after {consumed} bytes, beyond the limit"),
        false => format!("no separator in {consumed} bytes, more than the limit"),
    }
}

fn attempts(attempts: &[ConnectAttempt]) -> String {
    match attempts {
        [] => "there is no address to connect to".to_owned(),
        some => {
            let each = some
                .iter()
                .map(|attempt| format!("{}: {}", attempt.address, attempt.error));
            each.collect::<Vec<_>>().join("; ")
        }
    }
}

impl From<wit::Error> for Error {
    fn from(error: wit::Error) -> Self {
        match error {
            wit::Error::InvalidArgument(what) => Self::InvalidArgument(what),
            wit::Error::NotSupported(what) => Self::NotSupported(what),
            wit::Error::Busy => Self::Busy,
            wit::Error::WriteAfterEof => Self::WriteAfterEof,
            wit::Error::TooLarge(size) => Self::TooLarge(size),
            wit::Error::BufferFull => Self::BufferFull,
            wit::Error::Cancelled => Self::Cancelled,
            wit::Error::DeadlineExceeded => Self::DeadlineExceeded,
            wit::Error::IncompleteRead(wit::Incomplete { partial, expected }) => {
                Self::IncompleteRead { partial, expected }
            }
            wit::Error::LimitOverrun(wit::Overrun { found, consumed }) => {
                Self::LimitOverrun { found, consumed }
            }
            wit::Error::Closed => Self::Closed,
            wit::Error::Network(error) => Self::Network(error.into()),
            wit::Error::Connect(attempts) => Self::Connect(
                attempts
                    .into_iter()
                    .map(|attempt| ConnectAttempt {
                        address: attempt.address.into(),
                        error: attempt.error.into(),
                    })
                    .collect(),
            ),
            wit::Error::Tls(wit::TlsError { failure, message }) => {
                let failure = match failure {
                    wit::TlsFailure::Certificate(failure) => TlsFailure::Certificate(failure),
                    wit::TlsFailure::Handshake => TlsFailure::Handshake,
                    wit::TlsFailure::Truncated => TlsFailure::Truncated,
                    wit::TlsFailure::Protocol => TlsFailure::Protocol,
                    wit::TlsFailure::PlaintextPending => TlsFailure::PlaintextPending,
                };
                Self::Tls(TlsError { failure, message })
            }
            wit::Error::Other(wit::OtherError { code, message }) => Self::Other { code, message },
        }
    }
}

impl From<wit::NetworkError> for NetworkError {
    fn from(error: wit::NetworkError) -> Self {
        Self {
            code: error.code,
            message: error.message,
        }
    }
}

impl From<wit::Address> for Address {
    fn from(address: wit::Address) -> Self {
        match address {
            wit::Address::Inet(wit::InetAddress {
                host,
                port,
                scope_id,
                flow_info,
            }) => match host.parse() {
                Ok(IpAddr::V6(ip)) => {
                    Self::Inet(SocketAddrV6::new(ip, port, flow_info, scope_id).into())
                }
                Ok(ip) => Self::Inet(SocketAddr::new(ip, port)),
                Err(_) => Self::Other(format!("{host}:{port}")),
            },
            wit::Address::Unix(path) => Self::Unix(path),
        }
    }
}
