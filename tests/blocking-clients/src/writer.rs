//! Writes, under the names of the crate for Rust programs.

use crate::bindings::asyncio::streams::blocking;
use crate::executor::{NOW, until};
use crate::{Address, Error};

type Answer<T> = Result<T, Error>;

/// The writing half of a connection.
#[derive(Debug)]
pub(crate) struct Writer(pub(crate) blocking::Writer);

impl Writer {
    pub(crate) fn write(&self, data: impl AsRef<[u8]>) -> Answer<()> {
        self.0.write(data.as_ref())
    }

    pub(crate) fn writelines(&self, data: &[impl AsRef<[u8]>]) -> Answer<()> {
        let data: Vec<_> = data.iter().map(|it| it.as_ref().to_vec()).collect();
        self.0.writelines(&data)
    }

    pub(crate) async fn drain(&self) -> Answer<()> {
        until(|| self.0.drain(NOW)).await
    }

    pub(crate) fn try_drain(&self) -> Answer<bool> {
        self.0.try_drain()
    }

    pub(crate) async fn send(&self, data: impl AsRef<[u8]>) -> Answer<()> {
        match self.0.send(data.as_ref(), NOW) {
            // A call that timed out has queued the data.
            Err(Error::Cancelled) => self.drain().await,
            result => result,
        }
    }

    pub(crate) async fn flush(&self) -> Answer<()> {
        until(|| self.0.flush(NOW)).await
    }

    pub(crate) fn can_write_eof(&self) -> bool {
        self.0.can_write_eof()
    }

    pub(crate) fn write_eof(&self) -> Answer<()> {
        self.0.write_eof()
    }

    pub(crate) fn close(&self) {
        self.0.close();
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.0.is_closing()
    }

    pub(crate) async fn wait_closed(&self) -> Answer<()> {
        until(|| self.0.wait_closed(NOW)).await
    }

    pub(crate) fn abort(&self) {
        self.0.abort();
    }

    pub(crate) fn peername(&self) -> Option<Address> {
        self.0.peername()
    }

    pub(crate) fn sockname(&self) -> Option<Address> {
        self.0.sockname()
    }

    pub(crate) fn write_buffer_size(&self) -> usize {
        self.0.write_buffer_size() as usize
    }
}
