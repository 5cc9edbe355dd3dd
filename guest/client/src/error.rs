//! Why a call failed.

use std::fmt;

use crate::bindings::types;
use crate::bindings::types::{
    ConnectAttempt, Incomplete, NetworkError, OtherError, Overrun, TlsError,
};

/// Why a call failed. Each case says whose fault it is, and whether the connection goes on.
///
/// The cases are those of the interface's `error`. Branch on cases and on codes inside them; the
/// text of `Display` is for people and may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The caller's: an argument that no state of the connection would make right; the text names
    /// it.
    InvalidArgument(String),
    /// The caller's: this component, or this transport, cannot do it; the text says what.
    NotSupported(String),
    /// The caller's: a call that excludes this one is pending on the same object.
    Busy,
    /// The caller's: `write_eof` was called before.
    WriteAfterEof,
    /// The result would be larger than `max_result`; nothing was consumed. Carries the least size
    /// that it would have had, in bytes.
    TooLarge(u64),
    /// The caller's: more than `max_queued` bytes would wait to be sent; nothing was taken.
    BufferFull,
    /// `cancel` ended the wait; nothing was lost.
    Cancelled,
    /// A deadline of this side has passed: connecting was given up, or closing was cut short and
    /// what was still queued is lost, or [`timeout`](crate::timeout) ended a call.
    DeadlineExceeded,
    /// The peer's: the stream ended before the read was complete.
    IncompleteRead(Incomplete),
    /// The peer's: no separator within the limit; nothing was consumed.
    LimitOverrun(Overrun),
    /// This side closed it, aborted it or gave it away.
    Closed,
    /// The network failed, or refused.
    Network(NetworkError),
    /// No address could be reached: one entry for each that was tried, in that order.
    Connect(Vec<ConnectAttempt>),
    /// TLS failed.
    Tls(TlsError),
    /// A failure that no other case describes. Treat a code that you do not know as a failure of the connection.
    Other(OtherError),
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::InvalidArgument(what) => write!(f, "invalid argument: {what}"),
            Error::NotSupported(what) => write!(f, "not supported: {what}"),
            Error::Busy => f.write_str("busy: a call that excludes this one is pending"),
            Error::WriteAfterEof => f.write_str("write after write_eof"),
            Error::TooLarge(n) => write!(
                f,
                "a result of at least {n} bytes is more than max_result allows"
            ),
            Error::BufferFull => f.write_str("more bytes wait to be sent than max_queued allows"),
            Error::Cancelled => f.write_str("cancelled"),
            Error::DeadlineExceeded => f.write_str("deadline exceeded"),
            Error::IncompleteRead(read) => read.fmt(f),
            Error::LimitOverrun(overrun) => overrun.fmt(f),
            Error::Closed => f.write_str("closed by this side"),
            Error::Network(error) => error.fmt(f),
            Error::Connect(attempts) => display_attempts(attempts, f),
            Error::Tls(error) => error.fmt(f),
            Error::Other(error) => write!(f, "{} ({})", error.message, error.code),
        }
    }
}

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.partial.len();
        match self.expected {
            Some(expected) => write!(f, "the stream ended after {n} of {expected} bytes"),
            None => write!(f, "the stream ended after {n} bytes without a separator"),
        }
    }
}

impl fmt::Display for Overrun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.consumed;
        match self.found {
            true => write!(
                f,
                "{n} bytes before the separator are more than the limit allows"
            ),
            false => write!(
                f,
                "{n} bytes without a separator are more than the limit allows"
            ),
        }
    }
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message.as_str() {
            "" => write!(f, "network failure: {:?}", self.code),
            message => f.write_str(message),
        }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message.as_str() {
            "" => write!(f, "TLS failure: {:?}", self.failure),
            message => write!(f, "TLS failure: {message}"),
        }
    }
}

impl fmt::Display for ConnectAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (address, error) = (self.address.to_string(), self.error.to_string());
        // The text of a network error usually names the address itself.
        match error.contains(&address) {
            true => f.write_str(&error),
            false => write!(f, "{address}: {error}"),
        }
    }
}

fn display_attempts(attempts: &[ConnectAttempt], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let [first, others @ ..] = attempts else {
        return f.write_str("cannot connect");
    };
    if !others.is_empty() {
        f.write_str("cannot connect to any address: ")?;
    }
    write!(f, "{first}")?;
    others
        .iter()
        .try_for_each(|attempt| write!(f, "; {attempt}"))
}

impl From<types::Error> for Error {
    fn from(error: types::Error) -> Self {
        match error {
            types::Error::InvalidArgument(what) => Error::InvalidArgument(what),
            types::Error::NotSupported(what) => Error::NotSupported(what),
            types::Error::Busy => Error::Busy,
            types::Error::WriteAfterEof => Error::WriteAfterEof,
            types::Error::TooLarge(n) => Error::TooLarge(n),
            types::Error::BufferFull => Error::BufferFull,
            types::Error::Cancelled => Error::Cancelled,
            types::Error::DeadlineExceeded => Error::DeadlineExceeded,
            types::Error::IncompleteRead(read) => Error::IncompleteRead(read),
            types::Error::LimitOverrun(overrun) => Error::LimitOverrun(overrun),
            types::Error::Closed => Error::Closed,
            types::Error::Network(error) => Error::Network(error),
            types::Error::Connect(attempts) => Error::Connect(attempts),
            types::Error::Tls(error) => Error::Tls(error),
            types::Error::Other(error) => Error::Other(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Address, InetAddress, NetworkCode};

    fn attempt(host: &str, message: &str) -> ConnectAttempt {
        ConnectAttempt {
            address: Address::Inet(InetAddress {
                host: host.into(),
                port: 80,
                scope_id: 0,
                flow_info: 0,
            }),
            error: NetworkError {
                code: NetworkCode::ConnectionRefused,
                message: message.into(),
            },
        }
    }

    #[test]
    fn a_failed_connection_names_every_address_once() {
        let one = Error::Connect(vec![attempt("192.0.2.1", "refused")]);
        assert_eq!(one.to_string(), "192.0.2.1:80: refused");
        let two = Error::Connect(vec![
            attempt("2001:db8::1", "connect to [2001:db8::1]:80: refused"),
            attempt("192.0.2.1", "connect to 192.0.2.1:80: refused"),
        ]);
        assert_eq!(
            two.to_string(),
            "cannot connect to any address: \
             connect to [2001:db8::1]:80: refused; connect to 192.0.2.1:80: refused"
        );
        assert_eq!(Error::Connect(Vec::new()).to_string(), "cannot connect");
    }

    #[test]
    fn a_short_read_says_how_far_it_got() {
        let of_five = Error::IncompleteRead(Incomplete {
            partial: b"abc".to_vec(),
            expected: Some(5),
        });
        assert_eq!(of_five.to_string(), "the stream ended after 3 of 5 bytes");
        let of_any = Error::IncompleteRead(Incomplete {
            partial: Vec::new(),
            expected: None,
        });
        assert_eq!(
            of_any.to_string(),
            "the stream ended after 0 bytes without a separator"
        );
    }

    #[test]
    fn a_network_error_without_a_text_shows_its_code() {
        let error = NetworkError {
            code: NetworkCode::BrokenPipe,
            message: String::new(),
        };
        assert!(error.to_string().contains("BrokenPipe"), "{error}");
    }
}
