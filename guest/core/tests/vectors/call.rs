//! Translates the call of a step and its errors.

use crate::case::{Argument, Error, Outcome, Step};
use crate::support::model::{Failure, Read};
use asyncio_streams_core::{Reader, Separators};

/// Returns the read of a step; the inner error is the reason why its argument is refused.
pub(crate) fn call_of(step: &Step) -> Result<Result<Read, &'static str>, String> {
    Ok(match (step.op.as_str(), &step.a) {
        ("readline" | "readline-while-pending", None) => Ok(Read::Line),
        ("read", Some(Argument::Number(n))) => {
            Ok(usize::try_from(*n).map_or(Read::ToEnd, Read::Some))
        }
        // Rule 5.
        ("readexactly", Some(Argument::Number(n))) => usize::try_from(*n)
            .map(Read::Exactly)
            .map_err(|_| "negative"),
        ("readuntil", Some(Argument::Bytes(separator))) => until(vec![separator.clone()]),
        ("readuntil", Some(Argument::Several(separators))) => until(separators.clone()),
        _ => return Err("unknown step".into()),
    })
}

/// Requires that an argument that is refused because of `why` was also refused in the record.
pub(crate) fn expect_value(recorded: &Option<Outcome>, why: &str) -> Result<(), String> {
    match recorded {
        Some(Outcome::Error(error))
            if error.err == "value" && error.why.as_deref() == Some(why) =>
        {
            Ok(())
        }
        other => Err(format!("refused as {why}, recorded {other:?}")),
    }
}

/// Returns `None` if this is not readline's error; otherwise whether the newline was found.
pub(crate) fn too_long(error: &Error) -> Option<bool> {
    match (error.err.as_str(), error.why.as_deref()) {
        ("value", Some("line-too-long-found")) => Some(true),
        ("value", Some("line-too-long-notfound")) => Some(false),
        _ => None,
    }
}

/// Feeds a piece by one of the two ways, depending on its length.
pub(crate) fn feed(reader: &mut Reader<Failure>, piece: &[u8]) {
    if piece.len().is_multiple_of(2) {
        reader.feed_owned(piece.to_vec());
    } else {
        reader.feed(piece);
    }
}

fn until(separators: Vec<Vec<u8>>) -> Result<Read, &'static str> {
    match Separators::new(separators.clone()) {
        Ok(_) => Ok(Read::Until(separators)),
        Err(_) => Err("separator"),
    }
}
