//! The contract inside a component, through the client crate.

use asyncio_streams::{Error, Reader, Writer};

use crate::{Answer, Fault, Reads, Wanted, Writes};

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::InvalidArgument(_) => Fault::InvalidArgument,
            Error::Busy => Fault::Busy,
            Error::WriteAfterEof => Fault::WriteAfterEof,
            Error::TooLarge(least) => Fault::TooLarge(least),
            Error::BufferFull => Fault::BufferFull,
            Error::IncompleteRead(it) => Fault::Incomplete {
                partial: it.partial,
                expected: it.expected,
            },
            Error::LimitOverrun(it) => Fault::Overrun {
                found: it.found,
                consumed: it.consumed,
            },
            Error::Closed => Fault::Closed,
            Error::Network(_) | Error::Tls(_) => Fault::Lost,
            other => Fault::Other(format!("{other:?}")),
        }
    }
}

impl From<Wanted> for asyncio_streams::Wanted {
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

impl Reads for Reader {
    async fn read(&self, n: u32) -> Answer<Vec<u8>> {
        Ok(Reader::read(self, n as usize).await?)
    }

    async fn read_to_end(&self) -> Answer<Vec<u8>> {
        Ok(Reader::read_to_end(self).await?)
    }

    async fn readline(&self) -> Answer<Vec<u8>> {
        Ok(Reader::readline(self).await?)
    }

    async fn readexactly(&self, n: u32) -> Answer<Vec<u8>> {
        Ok(Reader::readexactly(self, n as usize).await?)
    }

    async fn readuntil(&self, separators: &[&[u8]]) -> Answer<Vec<u8>> {
        Ok(self.readuntil_any(separators).await?)
    }

    async fn readlines(&self, max_bytes: u32) -> Answer<Vec<u8>> {
        Ok(Reader::readlines(self, max_bytes as usize).await?)
    }

    async fn wait(&self, wanted: Wanted) -> Answer<()> {
        Ok(Reader::wait(self, wanted.into()).await?)
    }

    async fn peek(&self, n: u32) -> Vec<u8> {
        Reader::peek(self, n as usize)
    }

    async fn discard(&self, n: u32) -> Answer<u32> {
        Ok(Reader::discard(self, n as usize)? as u32)
    }

    async fn buffered(&self) -> u32 {
        Reader::buffered(self) as u32
    }

    async fn at_eof(&self) -> bool {
        Reader::at_eof(self)
    }

    async fn exception(&self) -> Option<Fault> {
        Reader::exception(self).map(Fault::from)
    }
}

impl Writes for Writer {
    async fn write(&self, data: &[u8]) -> Answer<()> {
        Ok(Writer::write(self, data)?)
    }

    async fn writelines(&self, data: &[&[u8]]) -> Answer<()> {
        Ok(Writer::writelines(self, data)?)
    }

    async fn drain(&self) -> Answer<()> {
        Ok(Writer::drain(self).await?)
    }

    async fn try_drain(&self) -> Answer<bool> {
        Ok(Writer::try_drain(self)?)
    }

    async fn send(&self, data: &[u8]) -> Answer<()> {
        Ok(Writer::send(self, data).await?)
    }

    async fn flush(&self) -> Answer<()> {
        Ok(Writer::flush(self).await?)
    }

    async fn write_eof(&self) -> Answer<()> {
        Ok(Writer::write_eof(self)?)
    }

    async fn close(&self) {
        Writer::close(self);
    }

    async fn is_closing(&self) -> bool {
        Writer::is_closing(self)
    }

    async fn wait_closed(&self) -> Answer<()> {
        Ok(Writer::wait_closed(self).await?)
    }

    async fn abort(&self) {
        Writer::abort(self);
    }

    async fn write_buffer_size(&self) -> u32 {
        Writer::write_buffer_size(self) as u32
    }
}
