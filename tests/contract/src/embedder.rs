//! The contract in an embedder, through the host crate.

use asyncio_streams_host::{Error, Reader, Writer};

use crate::{Answer, Fault, Reads, Wanted, Writes};

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::InvalidArgument(_) => Fault::InvalidArgument,
            Error::Busy => Fault::Busy,
            Error::WriteAfterEof => Fault::WriteAfterEof,
            Error::TooLarge(least) => Fault::TooLarge(least),
            Error::BufferFull => Fault::BufferFull,
            Error::IncompleteRead { partial, expected } => Fault::Incomplete { partial, expected },
            Error::LimitOverrun { found, consumed } => Fault::Overrun { found, consumed },
            Error::Closed => Fault::Closed,
            Error::Network(_) | Error::Tls(_) => Fault::Lost,
            other => Fault::Other(format!("{other:?}")),
        }
    }
}

impl From<Wanted> for asyncio_streams_host::Wanted {
    fn from(wanted: Wanted) -> Self {
        match wanted {
            Wanted::Any => Self::Any,
            Wanted::Line => Self::Line,
            Wanted::Exactly(n) => Self::Exactly(n),
            Wanted::Until(separators) => Self::Until(separators),
            Wanted::End => Self::End,
        }
    }
}

/// These calls fail only if the component has stopped, with all its connections.
const GONE: &str = "the component is there";

impl Reads for Reader {
    async fn read(&self, n: u32) -> Answer<Vec<u8>> {
        Ok(Reader::read(self, n).await?)
    }

    async fn read_to_end(&self) -> Answer<Vec<u8>> {
        Ok(Reader::read_to_end(self).await?)
    }

    async fn readline(&self) -> Answer<Vec<u8>> {
        Ok(Reader::readline(self).await?)
    }

    async fn readexactly(&self, n: u32) -> Answer<Vec<u8>> {
        Ok(Reader::readexactly(self, n).await?)
    }

    async fn readuntil(&self, separators: &[&[u8]]) -> Answer<Vec<u8>> {
        Ok(Reader::readuntil(self, separators).await?)
    }

    async fn readlines(&self, max_bytes: u32) -> Answer<Vec<u8>> {
        Ok(Reader::readlines(self, max_bytes).await?)
    }

    async fn wait(&self, wanted: Wanted) -> Answer<()> {
        Ok(Reader::wait(self, wanted.into()).await?)
    }

    async fn peek(&self, n: u32) -> Vec<u8> {
        Reader::peek(self, n).await.expect(GONE)
    }

    async fn discard(&self, n: u32) -> Answer<u32> {
        Ok(Reader::discard(self, n).await?)
    }

    async fn buffered(&self) -> u32 {
        Reader::buffered(self).await.expect(GONE)
    }

    async fn at_eof(&self) -> bool {
        Reader::at_eof(self).await.expect(GONE)
    }

    async fn exception(&self) -> Option<Fault> {
        Reader::exception(self).await.expect(GONE).map(Fault::from)
    }
}

impl Writes for Writer {
    async fn write(&self, data: &[u8]) -> Answer<()> {
        Ok(Writer::write(self, data).await?)
    }

    async fn writelines(&self, data: &[&[u8]]) -> Answer<()> {
        Ok(Writer::writelines(self, data).await?)
    }

    async fn drain(&self) -> Answer<()> {
        Ok(Writer::drain(self).await?)
    }

    async fn try_drain(&self) -> Answer<bool> {
        Ok(Writer::try_drain(self).await?)
    }

    async fn send(&self, data: &[u8]) -> Answer<()> {
        Ok(Writer::send(self, data).await?)
    }

    async fn flush(&self) -> Answer<()> {
        Ok(Writer::flush(self).await?)
    }

    async fn write_eof(&self) -> Answer<()> {
        Ok(Writer::write_eof(self).await?)
    }

    async fn close(&self) {
        Writer::close(self).await.expect(GONE);
    }

    async fn is_closing(&self) -> bool {
        Writer::is_closing(self).await.expect(GONE)
    }

    async fn wait_closed(&self) -> Answer<()> {
        Ok(Writer::wait_closed(self).await?)
    }

    async fn abort(&self) {
        Writer::abort(self).await.expect(GONE);
    }

    async fn write_buffer_size(&self) -> u32 {
        Writer::write_buffer_size(self).await.expect(GONE)
    }
}
