//! Sides of a connection, as crates see them that use only futures-io's traits.

use asyncio_streams::{Reader, Writer};
use futures::{AsyncRead, AsyncWrite};

/// A reader of which only the trait is visible: its own methods, some with the same names, are hidden.
pub fn reads(reader: &Reader) -> impl AsyncRead + Unpin + '_ {
    reader
}

/// A writer of which only the trait is visible.
pub fn writes(writer: &Writer) -> impl AsyncWrite + Unpin + '_ {
    writer
}
