//! From what the core and WASI say to the `error` of the interface.

use asyncio_streams_core::{InvalidArgument, ReadError, WriteError};

use crate::bindings::exports::asyncio::streams::types::{
    Error, Incomplete, NetworkCode, NetworkError, Overrun,
};
use crate::bindings::wasi::sockets::ip_name_lookup::ErrorCode as LookupCode;
use crate::bindings::wasi::sockets::types::ErrorCode;

/// The operating system's word on a socket. `what` says what was being done, for people.
pub(crate) fn network(code: ErrorCode, what: &str) -> NetworkError {
    let (code, text) = match &code {
        ErrorCode::AccessDenied => (NetworkCode::AccessDenied, "not permitted"),
        ErrorCode::NotSupported => (NetworkCode::Other, "not supported by the system"),
        ErrorCode::InvalidArgument => (NetworkCode::Other, "refused as invalid by the system"),
        ErrorCode::OutOfMemory => (NetworkCode::OutOfResources, "out of memory or buffers"),
        ErrorCode::Timeout => (NetworkCode::TimedOut, "timed out"),
        ErrorCode::InvalidState => (
            NetworkCode::InvalidState,
            "not possible in the socket's state",
        ),
        ErrorCode::AddressNotBindable => {
            (NetworkCode::AddressNotAvailable, "address not available")
        }
        ErrorCode::AddressInUse => (NetworkCode::AddressInUse, "address in use"),
        ErrorCode::RemoteUnreachable => (NetworkCode::Unreachable, "remote unreachable"),
        ErrorCode::ConnectionRefused => (NetworkCode::ConnectionRefused, "connection refused"),
        ErrorCode::ConnectionBroken => (NetworkCode::BrokenPipe, "broken pipe"),
        ErrorCode::ConnectionReset => (NetworkCode::ConnectionReset, "connection reset by peer"),
        ErrorCode::ConnectionAborted => (NetworkCode::ConnectionAborted, "connection aborted"),
        ErrorCode::DatagramTooLarge => (NetworkCode::Other, "datagram too large"),
        ErrorCode::Other(None) => (NetworkCode::Other, "unknown failure"),
        ErrorCode::Other(Some(text)) => (NetworkCode::Other, text.as_str()),
    };
    let message = format!("{what}: {text}");
    NetworkError { code, message }
}

/// The name service's word on `name`.
pub(crate) fn lookup(code: LookupCode, name: &str) -> Error {
    let (code, text) = match &code {
        LookupCode::AccessDenied => (NetworkCode::AccessDenied, "not permitted"),
        LookupCode::InvalidArgument => (NetworkCode::NameNotFound, "not a valid name"),
        LookupCode::NameUnresolvable => (NetworkCode::NameNotFound, "no such name"),
        LookupCode::TemporaryResolverFailure => (
            NetworkCode::NameLookupFailed,
            "the name service failed, try again",
        ),
        LookupCode::PermanentResolverFailure => (
            NetworkCode::NameLookupFailed,
            "the name service failed, or name lookup is not granted",
        ),
        LookupCode::Other(None) => (NetworkCode::NameLookupFailed, "unknown failure"),
        LookupCode::Other(Some(text)) => (NetworkCode::NameLookupFailed, text.as_str()),
    };
    network_error(code, format!("look up {}: {text}", quoted(name)))
}

pub(crate) fn network_error(code: NetworkCode, message: String) -> Error {
    Error::Network(NetworkError { code, message })
}

/// A caller's text as it appears in a message: in quotes, on one line.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.escape_default())
}

pub(crate) fn broken_pipe() -> Error {
    network_error(
        NetworkCode::BrokenPipe,
        "write: the peer takes no more".into(),
    )
}

/// An argument that cannot be: one of the errors, known to be that one.
///
/// What turns a result into the component model's form is written out for each call, and is short where only this error
/// is possible.
pub(crate) struct Invalid(pub(crate) String);

impl From<Invalid> for Error {
    #[inline(always)]
    fn from(reason: Invalid) -> Self {
        Error::InvalidArgument(reason.0)
    }
}

impl From<InvalidArgument> for Invalid {
    fn from(reason: InvalidArgument) -> Self {
        Invalid(reason.0.into())
    }
}

/// All connections together hold as many bytes as they may.
pub(crate) fn out_of_memory() -> Error {
    let message = "as many bytes are buffered as a component may hold".into();
    network_error(NetworkCode::OutOfResources, message)
}

impl From<NetworkError> for Error {
    fn from(error: NetworkError) -> Self {
        Error::Network(error)
    }
}

impl From<InvalidArgument> for Error {
    fn from(reason: InvalidArgument) -> Self {
        Error::InvalidArgument(reason.0.into())
    }
}

impl From<ReadError<Error>> for Error {
    fn from(error: ReadError<Error>) -> Self {
        match error {
            ReadError::TooLarge(size) => Error::TooLarge(size),
            ReadError::Incomplete { partial, expected } => Error::IncompleteRead(Incomplete {
                partial,
                expected: expected.map(saturate),
            }),
            ReadError::LimitOverrun { found, consumed } => Error::LimitOverrun(Overrun {
                found,
                consumed: saturate(consumed),
            }),
            ReadError::Failed(error) => error,
        }
    }
}

impl From<WriteError<Error>> for Error {
    fn from(error: WriteError<Error>) -> Self {
        match error {
            WriteError::AfterEof => Error::WriteAfterEof,
            WriteError::Closed => Error::Closed,
            WriteError::BufferFull => Error::BufferFull,
            WriteError::Lost(error) => error,
        }
    }
}

/// A size as the interface has it. Memory is 32 bits wide, so nothing is lost.
pub(crate) fn saturate(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
