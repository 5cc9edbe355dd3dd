//! The writer of a linked program: the engine's.

use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use asyncio_streams_engine::{self as engine, Wait};

use crate::parked::Parked;
use crate::{Address, ByteReader, Error, TlsInfo, Waits};

use super::{ClientConfig, Reader, ServerConfig};

pub(crate) struct Writer {
    /// The waits that polls began.
    parked_drain: Parked,
    parked_flush: Parked,
    engine: Rc<engine::Writer>,
}

impl Writer {
    pub(super) fn new(writer: engine::Writer) -> Self {
        Writer {
            parked_drain: Parked::default(),
            parked_flush: Parked::default(),
            engine: Rc::new(writer),
        }
    }

    pub(crate) fn write(&self, data: &[u8]) -> Result<(), Error> {
        Ok(self.engine.write_copy(data)?)
    }

    pub(crate) fn writelines(&self, data: &[&[u8]]) -> Result<(), Error> {
        let data = data.iter().map(|one| one.to_vec()).collect();
        Ok(self.engine.writelines(data)?)
    }

    pub(crate) async fn drain(&self) -> Result<(), Error> {
        Ok(self.engine.drain().await?)
    }

    pub(crate) fn try_drain(&self) -> Result<bool, Error> {
        Ok(self.engine.try_drain()?)
    }

    pub(crate) async fn flush(&self) -> Result<(), Error> {
        Ok(self.engine.flush().await?)
    }

    pub(crate) async fn write_stream(&self, data: ByteReader) -> (u64, Result<(), Error>) {
        let source = Box::new(super::source(data));
        let (taken, result) = self.engine.write_stream(source).await;
        (taken, result.map_err(Error::from))
    }

    pub(crate) fn can_write_eof(&self) -> bool {
        self.engine.can_write_eof()
    }

    pub(crate) fn write_eof(&self) -> Result<(), Error> {
        Ok(self.engine.write_eof()?)
    }

    pub(crate) fn close(&self) {
        self.engine.close();
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.engine.is_closing()
    }

    pub(crate) async fn wait_closed(&self) -> Result<(), Error> {
        Ok(self.engine.wait_closed().await?)
    }

    pub(crate) fn abort(&self) {
        self.engine.abort();
    }

    pub(crate) fn cancel(&self, what: Waits) {
        let named = [
            (Waits::DRAIN, Wait::Drain),
            (Waits::FLUSH, Wait::Flush),
            (Waits::WAIT_CLOSED, Wait::Closed),
            (Waits::WRITE_STREAM, Wait::WriteStream),
        ];
        for (flag, wait) in named {
            if what.contains(flag) {
                self.engine.cancel(wait);
            }
        }
    }

    pub(crate) fn peer_credentials(&self) -> Option<engine::types::Credentials> {
        self.engine.peer_credentials()
    }

    pub(crate) fn peername(&self) -> Option<Address> {
        self.engine.peername().map(Address::from)
    }

    /// Returns the peer's address for a message, at little cost.
    pub(crate) fn peer(&self) -> Option<SocketAddr> {
        self.engine.peer_address()
    }

    pub(crate) fn sockname(&self) -> Option<Address> {
        self.engine.sockname().map(Address::from)
    }

    pub(crate) fn write_buffer_size(&self) -> usize {
        self.engine.write_buffer_size()
    }

    pub(crate) fn write_buffer_limits(&self) -> (usize, usize) {
        self.engine.write_buffer_limits()
    }

    pub(crate) fn set_write_buffer_limits(
        &self,
        high: Option<usize>,
        low: Option<usize>,
    ) -> Result<(), Error> {
        Ok(self.engine.set_write_buffer_limits(high, low)?)
    }

    pub(crate) async fn start_tls(
        &self,
        reader: &Reader,
        config: &ClientConfig,
        server_name: &str,
    ) -> Result<(), Error> {
        let protector = config.protector(Some(server_name))?.named();
        Ok(self.engine.start_tls(reader.engine(), protector).await?)
    }

    pub(crate) async fn start_tls_server(
        &self,
        reader: &Reader,
        config: &ServerConfig,
    ) -> Result<(), Error> {
        let protector = config.protector()?;
        Ok(self.engine.start_tls(reader.engine(), protector).await?)
    }

    pub(crate) fn tls_info(&self) -> Option<TlsInfo> {
        self.engine.tls_info().map(TlsInfo::from)
    }
}

/// For futures-io's traits.
impl Writer {
    pub(crate) fn poll_drain(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if let Some(drained) = ready!(self.parked_drain.poll(cx)) {
            return Poll::Ready(drained);
        }
        let writer = self.engine.clone();
        self.parked_drain
            .park(async move { Ok(writer.drain().await?) });
        self.parked_drain
            .poll(cx)
            .map(|drained| drained.unwrap_or(Ok(())))
    }

    /// A flush that is under way knows nothing of later bytes.
    pub(crate) fn drop_flush(&self) {
        self.parked_flush.drop_call();
    }

    pub(crate) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            if let Some(flushed) = ready!(self.parked_flush.poll(cx)) {
                return Poll::Ready(flushed);
            }
            let writer = self.engine.clone();
            self.parked_flush
                .park(async move { Ok(writer.flush().await?) });
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("queued", &self.write_buffer_size())
            .finish_non_exhaustive()
    }
}
