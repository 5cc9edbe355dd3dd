//! Sides of a connection as crates see them that know futures-io's traits alone.

use asyncio_streams::{Reader, Writer};
use futures::{AsyncRead, AsyncWrite};

/// A reader of which only the trait is known: its own methods, some of the same names, are hidden.
pub fn reads(reader: &Reader) -> impl AsyncRead + Unpin + '_ {
    reader
}

/// A writer of which only the trait is known.
pub fn writes(writer: &Writer) -> impl AsyncWrite + Unpin + '_ {
    writer
}
