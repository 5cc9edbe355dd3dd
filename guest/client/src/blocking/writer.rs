//! The sending side of a connection.

use std::cell::OnceCell;
use std::ops::Deref;

use super::bindings::asyncio::streams::blocking as raw;
use super::bindings::bulk;
use super::blocks::with_blocks;
use crate::bindings::types::Error;

/// The sending side of a connection.
///
/// `write` and `send` are those of the interface's `writer`. They take the writer's number, and their bytes cross in blocks
/// (WIT: `bulk`), which takes a fraction of the time. All other methods are those of the binding's type.
///
/// # Errors of both
/// Those of the interface's method with the same name: when the connection is closed or lost, or when more than `max-queued` bytes
/// would be queued, and then nothing is taken. After the timeout in nanoseconds, `send` returns `Cancelled`; the bytes are queued.
#[derive(Debug)]
pub struct Writer {
    raw: raw::Writer,
    number: OnceCell<u64>,
}

impl Writer {
    /// Queues `data` to be sent, never waits and sends nothing: `writer.write`.
    pub fn write(&self, data: &[u8]) -> Result<(), Error> {
        with_blocks(data, |data| bulk::write(self.number(), data))
    }

    /// Queues `data`, then waits while the queue is above its mark: `writer.send`.
    pub fn send(&self, data: &[u8], timeout_nanoseconds: Option<u64>) -> Result<(), Error> {
        with_blocks(data, |data| {
            bulk::send(self.number(), data, timeout_nanoseconds)
        })
    }

    fn number(&self) -> u64 {
        *self.number.get_or_init(|| bulk::writer_number(&self.raw))
    }
}

impl Deref for Writer {
    type Target = raw::Writer;

    fn deref(&self) -> &raw::Writer {
        &self.raw
    }
}

impl From<raw::Writer> for Writer {
    fn from(raw: raw::Writer) -> Self {
        let number = OnceCell::new();
        Writer { raw, number }
    }
}

impl From<Writer> for raw::Writer {
    fn from(writer: Writer) -> Self {
        writer.raw
    }
}
