//! Texts of the interface's errors for people.

use crate::bindings::asyncio::streams::types::{ConnectAttempt, Error, NetworkError};

/// Returns the text of an error, without the Rust names of its cases.
pub(crate) fn describe(error: &Error) -> String {
    match error {
        Error::InvalidArgument(reason) => reason.clone(),
        Error::NotSupported(what) => format!("not supported: {what}"),
        Error::Busy => "a call that excludes this one is pending".to_owned(),
        Error::WriteAfterEof => "write after write-eof".to_owned(),
        Error::TooLarge(n) => format!("a result of at least {n} bytes is more than is allowed"),
        Error::BufferFull => "more bytes wait to be sent than is allowed".to_owned(),
        Error::Cancelled => "cancelled".to_owned(),
        Error::DeadlineExceeded => "deadline exceeded".to_owned(),
        Error::IncompleteRead(read) => {
            format!("the stream ended after {} bytes", read.partial.len())
        }
        Error::LimitOverrun(overrun) => format!(
            "{} bytes of a line are more than the limit allows",
            overrun.consumed
        ),
        Error::Closed => "closed by this side".to_owned(),
        Error::Network(error) => network(error),
        Error::Connect(attempts) => attempts
            .iter()
            .map(|ConnectAttempt { error, .. }| network(error))
            .collect::<Vec<_>>()
            .join("; "),
        Error::Tls(error) if error.message.is_empty() => "TLS failure".to_owned(),
        Error::Tls(error) => format!("TLS failure: {}", error.message),
        Error::Other(error) => format!("{} ({})", error.message, error.code),
    }
}

fn network(error: &NetworkError) -> String {
    match error.message.as_str() {
        "" => "the network failed".to_owned(),
        message => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::asyncio::streams::types::{
        Incomplete, NetworkCode, OtherError, Overrun, TlsError, TlsFailure,
    };

    /// Capitals inside words, parentheses and quotes come from `Debug`.
    #[test]
    fn texts_contain_no_rust_names() {
        for (error, text) in [
            (Error::Busy, "a call that excludes this one is pending"),
            (
                Error::NotSupported("TLS: this component has none".into()),
                "not supported: TLS: this component has none",
            ),
            (
                Error::InvalidArgument("key: no private key".into()),
                "key: no private key",
            ),
            (
                Error::Network(NetworkError {
                    code: NetworkCode::OutOfResources,
                    message: "too many".into(),
                }),
                "too many",
            ),
            (
                Error::IncompleteRead(Incomplete {
                    partial: vec![1, 2],
                    expected: None,
                }),
                "the stream ended after 2 bytes",
            ),
            (
                Error::LimitOverrun(Overrun {
                    consumed: 7,
                    found: false,
                }),
                "7 bytes of a line are more than the limit allows",
            ),
            (
                Error::Tls(TlsError {
                    failure: TlsFailure::Handshake,
                    message: "no suite in common".into(),
                }),
                "TLS failure: no suite in common",
            ),
            (
                Error::Other(OtherError {
                    code: "new-case".into(),
                    message: "what a later version has".into(),
                }),
                "what a later version has (new-case)",
            ),
        ] {
            assert_eq!(describe(&error), text);
        }
    }
}
