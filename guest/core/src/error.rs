//! Errors: their cause, and how far a call got.
//!
//! `E` is the failure of the connection. The core only stores it and returns clones.

use alloc::vec::Vec;
use core::fmt;

/// The caller passed an argument that can never work. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidArgument(pub &'static str);

/// Why a read returns no bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadError<E> {
    /// The result would have at least this many bytes, more than the reader's `max_result`. Nothing was consumed: read
    /// in smaller parts.
    TooLarge(u64),
    /// The peer ended the stream too early. The buffer is now empty: `partial` holds everything that was left.
    Incomplete {
        /// The last bytes of the stream; may be empty.
        partial: Vec<u8>,
        /// The number of requested bytes; `None` if the read was for a separator.
        expected: Option<usize>,
    },
    /// More than `limit` bytes come before the separator. Nothing was consumed.
    LimitOverrun {
        /// Whether the separator is in the buffer.
        found: bool,
        /// The number of bytes at the front that can be discarded or read without touching a separator or its beginning.
        consumed: usize,
    },
    /// The connection failed, and the buffered bytes do not satisfy the read. Smaller reads can still return them.
    Failed(E),
}

/// Why a write was refused; nothing of it was queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteError<E> {
    /// The caller has ended this direction.
    AfterEof,
    /// The caller has closed or aborted the connection.
    Closed,
    /// The queue would exceed `max_queued`. The same write may succeed once some of the queue has been sent.
    BufferFull,
    /// The connection was lost.
    Lost(E),
}

/// The server was closed, which is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerClosed;

impl fmt::Display for InvalidArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl<E: fmt::Display> fmt::Display for ReadError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge(size) => write!(
                f,
                "the result would have {size} bytes or more, beyond the largest allowed"
            ),
            Self::Incomplete {
                partial,
                expected: Some(expected),
            } => {
                write!(
                    f,
                    "the stream ended after {} of {expected} bytes",
                    partial.len()
                )
            }
            Self::Incomplete {
                partial,
                expected: None,
            } => {
                write!(
                    f,
                    "the stream ended after {} bytes without a separator",
                    partial.len()
                )
            }
            Self::LimitOverrun {
                found: true,
                consumed,
            } => {
                write!(f, "{consumed} bytes before the separator, beyond the limit")
            }
            Self::LimitOverrun {
                found: false,
                consumed,
            } => {
                write!(
                    f,
                    "no separator in {consumed} bytes and more, beyond the limit"
                )
            }
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Display> fmt::Display for WriteError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AfterEof => f.write_str("written after this side's end of the stream"),
            Self::Closed => f.write_str("this side has closed the connection"),
            Self::BufferFull => f.write_str("too much is queued already"),
            Self::Lost(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for ServerClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server is closed")
    }
}

impl core::error::Error for InvalidArgument {}
impl<E: fmt::Debug + fmt::Display> core::error::Error for ReadError<E> {}
impl<E: fmt::Debug + fmt::Display> core::error::Error for WriteError<E> {}
impl core::error::Error for ServerClosed {}
