//! Converts errors of the core, the system and the name service into errors for callers.

use asyncio_streams_core::{ReadError, WriteError};

pub use asyncio_streams_core::InvalidArgument;

use crate::types::{Error, NetworkCode, NetworkError};

/// The system's error for an operation on a socket, with the cases of `wasi:sockets/types.error-code`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "WASI defines the names")]
pub enum SocketError {
    AccessDenied,
    NotSupported,
    InvalidArgument,
    OutOfMemory,
    Timeout,
    InvalidState,
    AddressNotBindable,
    AddressInUse,
    RemoteUnreachable,
    ConnectionRefused,
    ConnectionBroken,
    ConnectionReset,
    ConnectionAborted,
    DatagramTooLarge,
    Other(Option<String>),
}

/// The name service's error, with the cases of `wasi:sockets/ip-name-lookup.error-code`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "WASI defines the names")]
pub enum LookupError {
    AccessDenied,
    InvalidArgument,
    NameUnresolvable,
    TemporaryResolverFailure,
    PermanentResolverFailure,
    Other(Option<String>),
}

/// Converts an error of the system. `what` names the operation that failed, for people.
pub fn network(code: SocketError, what: &str) -> NetworkError {
    let (code, text) = match &code {
        SocketError::AccessDenied => (NetworkCode::AccessDenied, "not permitted"),
        SocketError::NotSupported => (NetworkCode::Other, "not supported by the system"),
        SocketError::InvalidArgument => (NetworkCode::Other, "refused as invalid by the system"),
        SocketError::OutOfMemory => (NetworkCode::OutOfResources, "out of memory or buffers"),
        SocketError::Timeout => (NetworkCode::TimedOut, "timed out"),
        SocketError::InvalidState => (
            NetworkCode::InvalidState,
            "not possible in the socket's state",
        ),
        SocketError::AddressNotBindable => {
            (NetworkCode::AddressNotAvailable, "address not available")
        }
        SocketError::AddressInUse => (NetworkCode::AddressInUse, "address in use"),
        SocketError::RemoteUnreachable => (NetworkCode::Unreachable, "remote unreachable"),
        SocketError::ConnectionRefused => (NetworkCode::ConnectionRefused, "connection refused"),
        SocketError::ConnectionBroken => (NetworkCode::BrokenPipe, "broken pipe"),
        SocketError::ConnectionReset => (NetworkCode::ConnectionReset, "connection reset by peer"),
        SocketError::ConnectionAborted => (NetworkCode::ConnectionAborted, "connection aborted"),
        SocketError::DatagramTooLarge => (NetworkCode::Other, "datagram too large"),
        SocketError::Other(None) => (NetworkCode::Other, "unknown failure"),
        SocketError::Other(Some(text)) => {
            let message = format!("{what}: {}", quoted(text));
            return NetworkError {
                code: NetworkCode::Other,
                message,
            };
        }
    };
    let message = format!("{what}: {text}");
    NetworkError { code, message }
}

/// Converts an error of the name service for a caller that looked up `name`.
pub(crate) fn lookup(code: LookupError, name: &str) -> Error {
    let (code, text) = match &code {
        LookupError::AccessDenied => (NetworkCode::AccessDenied, "not permitted"),
        LookupError::InvalidArgument => (NetworkCode::NameNotFound, "not a valid name"),
        LookupError::NameUnresolvable => (NetworkCode::NameNotFound, "no such name"),
        LookupError::TemporaryResolverFailure => (
            NetworkCode::NameLookupFailed,
            "the name service failed, try again",
        ),
        LookupError::PermanentResolverFailure => (
            NetworkCode::NameLookupFailed,
            "the name service failed, or name lookup is not granted",
        ),
        LookupError::Other(None) => (NetworkCode::NameLookupFailed, "unknown failure"),
        LookupError::Other(Some(text)) => {
            let message = format!("look up {}: {}", quoted(name), quoted(text));
            return network_error(NetworkCode::NameLookupFailed, message);
        }
    };
    network_error(code, format!("look up {}: {text}", quoted(name)))
}

pub(crate) fn network_error(code: NetworkCode, message: String) -> Error {
    Error::Network(NetworkError { code, message })
}

/// The most characters of a foreign text that a message shows.
const SHOWN: usize = 256;

/// Quotes a text of a caller, a peer or the host for a message: escaped, on one line, and of bounded length.
///
/// Escapes quotes, backslashes, control characters, and characters that are invisible or change the direction. Letters
/// of all languages stay as they are.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for (index, c) in text.chars().enumerate() {
        if index == SHOWN {
            quoted.push_str("\"...");
            return quoted;
        }
        if hides(c) {
            quoted.extend(c.escape_default());
        } else {
            quoted.push(c);
        }
    }
    quoted.push('"');
    quoted
}

/// Returns whether `c` is invisible or changes how the text around it looks.
///
/// The standard library's tables for this would add 7 KB.
fn hides(c: char) -> bool {
    matches!(c,
        '"' | '\\' | '\0'..='\x1f' | '\x7f'..='\u{a0}' | '\u{ad}' | '\u{34f}' | '\u{61c}'
        | '\u{115f}'..='\u{1160}' | '\u{1680}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}' | '\u{3000}'
        | '\u{3164}' | '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{ffff}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{10ffff}'
    )
}

/// Returns the error of a write whose reader is gone for an unknown reason.
pub fn broken_pipe() -> Error {
    network_error(
        NetworkCode::BrokenPipe,
        "write: the peer takes no more".into(),
    )
}

/// An invalid argument. A separate type, so that callers compile only this error path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid(pub String);

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

/// Returns the error of a read that would exceed the bound on all buffered bytes.
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
            ReadError::Incomplete { partial, expected } => Error::IncompleteRead {
                partial,
                expected: expected.map(saturate),
            },
            ReadError::LimitOverrun { found, consumed } => Error::LimitOverrun {
                found,
                consumed: saturate(consumed),
            },
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

/// Converts a size for callers. Linear memory has 32 bits, so every size fits there.
pub fn saturate(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_shown_and_misleading_characters_are_escaped() {
        for (text, expected) in [
            ("example.org", r#""example.org""#),
            ("bücher.例え", r#""bücher.例え""#),
            ("it's", r#""it's""#),
            (r#"a"b\c"#, r#""a\"b\\c""#),
            ("a\nb\r\x1b[2J\0", r#""a\nb\r\u{1b}[2J\u{0}""#),
            (
                "\u{202e}\u{2066}\u{200b}\u{feff}\u{85}\u{2028}",
                r#""\u{202e}\u{2066}\u{200b}\u{feff}\u{85}\u{2028}""#,
            ),
        ] {
            assert_eq!(quoted(text), expected);
        }
        for c in (0..=0x10_ffff).filter_map(char::from_u32) {
            let forges = c.is_control() || c.is_whitespace() && c != ' ';
            assert!(!forges || hides(c), "{}", c.escape_unicode());
            assert!(
                !c.is_alphanumeric()
                    || !hides(c)
                    || forges
                    || matches!(c, '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{3164}' | '\u{ffa0}'),
                "{}",
                c.escape_unicode()
            );
        }
        let long = quoted(&"ü".repeat(1_000_000));
        assert_eq!(long, format!("\"{}\"...", "ü".repeat(256)));
    }
}
