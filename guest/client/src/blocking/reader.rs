//! The receiving side of a connection.

use std::cell::OnceCell;
use std::ops::Deref;

use super::bindings::asyncio::streams::blocking as raw;
use super::bindings::bulk::{self, BytesResult};
use super::blocks::to_bytes;
use crate::bindings::types::Error;

/// The receiving side of a connection.
///
/// The reads here are those of the interface's `reader` with the same names. They take the reader's number, and their bytes
/// cross in blocks (WIT: `bulk`), which takes a fraction of the time. All other methods are those of the binding's type.
///
/// # Errors of every read here
/// Those of the interface's method with the same name. After the timeout in nanoseconds it is `Cancelled`, and nothing was taken;
/// a `try_` read returns `None` then.
#[derive(Debug)]
pub struct Reader {
    raw: raw::Reader,
    number: OnceCell<u64>,
}

type Bytes = Result<Vec<u8>, Error>;
type MaybeBytes = Result<Option<Vec<u8>>, Error>;

impl Reader {
    /// Reads up to `n` bytes, or everything to the end: `reader.read`.
    pub fn read(&self, n: Option<u32>, timeout_nanoseconds: Option<u64>) -> Bytes {
        match n {
            Some(n) => copied(bulk::read(self.number(), n, timeout_nanoseconds)),
            None => self.raw.read(None, timeout_nanoseconds),
        }
    }

    /// Reads one line with its `\n`: `reader.readline`.
    pub fn readline(&self, timeout_nanoseconds: Option<u64>) -> Bytes {
        copied(bulk::readline(self.number(), timeout_nanoseconds))
    }

    /// Reads every complete line that is buffered: `reader.readlines`.
    pub fn readlines(&self, max_bytes: u32, timeout_nanoseconds: Option<u64>) -> Bytes {
        let number = self.number();
        copied(bulk::readlines(number, max_bytes, timeout_nanoseconds))
    }

    /// Reads exactly `n` bytes: `reader.readexactly`.
    pub fn readexactly(&self, n: u32, timeout_nanoseconds: Option<u64>) -> Bytes {
        copied(bulk::readexactly(self.number(), n, timeout_nanoseconds))
    }

    /// Reads up to `n` bytes without waiting: `reader.try-read`.
    pub fn try_read(&self, n: u32) -> MaybeBytes {
        without_waiting(self.read(Some(n), NOW))
    }

    /// Reads one line without waiting: `reader.try-readline`.
    pub fn try_readline(&self) -> MaybeBytes {
        without_waiting(self.readline(NOW))
    }

    /// Reads every complete line that is there, without waiting: `reader.try-readlines`.
    pub fn try_readlines(&self, max_bytes: u32) -> MaybeBytes {
        without_waiting(self.readlines(max_bytes, NOW))
    }

    /// Reads exactly `n` bytes without waiting: `reader.try-readexactly`.
    pub fn try_readexactly(&self, n: u32) -> MaybeBytes {
        without_waiting(self.readexactly(n, NOW))
    }

    fn number(&self) -> u64 {
        *self.number.get_or_init(|| bulk::reader_number(&self.raw))
    }
}

/// The timeout of a call that does not wait.
const NOW: Option<u64> = Some(0);

fn copied(read: Result<BytesResult, Error>) -> Bytes {
    read.map(|bytes| to_bytes(&bytes))
}

fn without_waiting(read: Bytes) -> MaybeBytes {
    match read {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Error::Cancelled) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Deref for Reader {
    type Target = raw::Reader;

    fn deref(&self) -> &raw::Reader {
        &self.raw
    }
}

impl From<raw::Reader> for Reader {
    fn from(raw: raw::Reader) -> Self {
        let number = OnceCell::new();
        Reader { raw, number }
    }
}

impl From<Reader> for raw::Reader {
    fn from(reader: Reader) -> Self {
        reader.raw
    }
}
