//! The crate's error as an `io::Error`.

use std::io;

use crate::{Error, NetworkCode, TlsFailure};

impl Error {
    /// The kind of `io::Error` that this error becomes.
    ///
    /// | this | that |
    /// |---|---|
    /// | `InvalidArgument` | `InvalidInput` |
    /// | `NotSupported` | `Unsupported` |
    /// | `Busy` | `ResourceBusy` |
    /// | `WriteAfterEof` | `BrokenPipe` |
    /// | `TooLarge`, `LimitOverrun`, `Tls` | `InvalidData` |
    /// | `BufferFull` | `OutOfMemory` |
    /// | `DeadlineExceeded` | `TimedOut` |
    /// | `IncompleteRead`, `Tls` with `Truncated` | `UnexpectedEof` |
    /// | `Closed` | `NotConnected` |
    /// | `Network` | by its code: the kind of that name; `Unreachable` is `HostUnreachable`, `AccessDenied` is `PermissionDenied`, `NameNotFound` is `NotFound`, `OutOfResources` is `OutOfMemory` |
    /// | `Connect` | that of the first attempt |
    /// | `Cancelled`, `Other`, other codes | `Other` |
    ///
    /// `Cancelled` is not `Interrupted`: loops that meet that one begin again, and who cancels does
    /// not want that.
    pub fn io_kind(&self) -> io::ErrorKind {
        match self {
            Error::InvalidArgument(_) => io::ErrorKind::InvalidInput,
            Error::NotSupported(_) => io::ErrorKind::Unsupported,
            Error::Busy => io::ErrorKind::ResourceBusy,
            Error::WriteAfterEof => io::ErrorKind::BrokenPipe,
            Error::Tls(error) if error.failure == TlsFailure::Truncated => {
                io::ErrorKind::UnexpectedEof
            }
            Error::TooLarge(_) | Error::LimitOverrun(_) | Error::Tls(_) => {
                io::ErrorKind::InvalidData
            }
            Error::BufferFull => io::ErrorKind::OutOfMemory,
            Error::DeadlineExceeded => io::ErrorKind::TimedOut,
            Error::IncompleteRead(_) => io::ErrorKind::UnexpectedEof,
            Error::Closed => io::ErrorKind::NotConnected,
            Error::Network(error) => network_kind(error.code),
            Error::Connect(attempts) => match attempts.first() {
                Some(attempt) => network_kind(attempt.error.code),
                None => io::ErrorKind::Other,
            },
            Error::Cancelled | Error::Other(_) => io::ErrorKind::Other,
        }
    }
}

fn network_kind(code: NetworkCode) -> io::ErrorKind {
    match code {
        NetworkCode::AccessDenied => io::ErrorKind::PermissionDenied,
        NetworkCode::AddressInUse => io::ErrorKind::AddrInUse,
        NetworkCode::AddressNotAvailable => io::ErrorKind::AddrNotAvailable,
        NetworkCode::ConnectionRefused => io::ErrorKind::ConnectionRefused,
        NetworkCode::ConnectionReset => io::ErrorKind::ConnectionReset,
        NetworkCode::ConnectionAborted => io::ErrorKind::ConnectionAborted,
        NetworkCode::BrokenPipe => io::ErrorKind::BrokenPipe,
        NetworkCode::Unreachable => io::ErrorKind::HostUnreachable,
        NetworkCode::TimedOut => io::ErrorKind::TimedOut,
        NetworkCode::NameNotFound | NetworkCode::NoSuchFile => io::ErrorKind::NotFound,
        NetworkCode::OutOfResources => io::ErrorKind::OutOfMemory,
        NetworkCode::NameLookupFailed | NetworkCode::InvalidState | NetworkCode::Other => {
            io::ErrorKind::Other
        }
    }
}

/// The [kind that fits](Error::io_kind); the error itself is inside, for `get_ref` and `into_inner`.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        io::Error::new(error.io_kind(), error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NetworkError;

    #[test]
    fn the_error_itself_is_inside() {
        let reset = Error::Network(NetworkError {
            code: NetworkCode::ConnectionReset,
            message: "gone".into(),
        });
        let error = io::Error::from(reset.clone());
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(error.to_string(), "gone");
        let inside = error.into_inner().and_then(|inside| inside.downcast().ok());
        assert_eq!(inside, Some(Box::new(reset)));
    }
}
