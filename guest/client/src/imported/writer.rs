//! The writer of a composed program: a resource of the component.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::task::{Context, Poll, ready};

use crate::bindings::{streams, types, words};
use crate::parked::Parked;
use crate::{Address, ByteReader, Error, Waits};

use super::turn::Turn;
use super::{ClientConfig, Reader, ServerConfig, length, size};

#[derive(Debug)]
pub(crate) struct Writer {
    /// The waits that polls began. They come before the resource, which must not be dropped before them.
    parked_drain: Parked,
    parked_flush: Parked,
    raw: streams::Writer,
    /// The turn in which the last write reported that a drain would return at once.
    drained: Cell<Option<Turn>>,
}

impl Writer {
    pub(super) fn new(raw: streams::Writer) -> Self {
        Writer {
            parked_drain: Parked::default(),
            parked_flush: Parked::default(),
            raw,
            drained: Cell::new(None),
        }
    }

    pub(super) fn raw(&self) -> &streams::Writer {
        self.drained.set(None);
        &self.raw
    }

    pub(super) fn into_raw(self) -> streams::Writer {
        self.parked_drain.drop_call();
        self.parked_flush.drop_call();
        self.raw
    }

    pub(crate) fn write(&self, data: &[u8]) -> Result<(), Error> {
        self.drained.set(None);
        if self.write_blocks(data)? {
            self.drained.set(Some(Turn::now()));
        }
        Ok(())
    }

    pub(crate) fn writelines(&self, data: &[&[u8]]) -> Result<(), Error> {
        Ok(self.raw.writelines(data)?)
    }

    // The first drain after a write costs no call: the write has reported it, unless this crate has waited in between.
    pub(crate) async fn drain(&self) -> Result<(), Error> {
        if self.drained.take() == Some(Turn::now()) {
            return Ok(());
        }
        // A turn of the event loop here would send what was written so far as a segment of its own.
        if self.try_drain()? {
            return Ok(());
        }
        Ok(self.raw.drain().await?)
    }

    pub(crate) fn try_drain(&self) -> Result<bool, Error> {
        Ok(self.raw.try_drain()?)
    }

    pub(crate) async fn flush(&self) -> Result<(), Error> {
        Ok(self.raw.flush().await?)
    }

    pub(crate) async fn write_stream(&self, data: ByteReader) -> (u64, Result<(), Error>) {
        let (taken, result) = self.raw.write_stream(data).await;
        (taken, result.map_err(Error::from))
    }

    pub(crate) fn can_write_eof(&self) -> bool {
        self.raw.can_write_eof()
    }

    pub(crate) fn write_eof(&self) -> Result<(), Error> {
        Ok(self.raw().write_eof()?)
    }

    pub(crate) fn close(&self) {
        self.raw().close();
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.raw.is_closing()
    }

    pub(crate) async fn wait_closed(&self) -> Result<(), Error> {
        Ok(self.raw.wait_closed().await?)
    }

    pub(crate) fn abort(&self) {
        self.raw().abort();
    }

    pub(crate) fn cancel(&self, what: Waits) {
        self.raw.cancel(what);
    }

    pub(crate) fn peername(&self) -> Option<Address> {
        self.raw.peername()
    }

    /// Returns the peer's address for a message.
    pub(crate) fn peer(&self) -> Option<Address> {
        self.raw.peername()
    }

    pub(crate) fn sockname(&self) -> Option<Address> {
        self.raw.sockname()
    }

    pub(crate) fn write_buffer_size(&self) -> usize {
        length(self.raw.write_buffer_size())
    }

    pub(crate) fn write_buffer_limits(&self) -> (usize, usize) {
        let (low, high) = self.raw.write_buffer_limits();
        (length(low), length(high))
    }

    pub(crate) fn set_write_buffer_limits(
        &self,
        high: Option<usize>,
        low: Option<usize>,
    ) -> Result<(), Error> {
        let (high, low) = (high.map(size), low.map(size));
        Ok(self.raw().set_write_buffer_limits(high, low)?)
    }

    pub(crate) async fn start_tls(
        &self,
        reader: &Reader,
        config: &ClientConfig,
        server_name: &str,
    ) -> Result<(), Error> {
        let name = server_name.to_owned();
        Ok(self
            .raw()
            .start_tls(reader.settled()?, config, name)
            .await?)
    }

    pub(crate) async fn start_tls_server(
        &self,
        reader: &Reader,
        config: &ServerConfig,
    ) -> Result<(), Error> {
        let reader = reader.settled()?;
        Ok(self.raw().start_tls_server(reader, config).await?)
    }

    pub(crate) fn tls_info(&self) -> Option<crate::TlsInfo> {
        self.raw.tls_info()
    }

    /// Writes; returns whether `drain` would return at once.
    fn write_blocks(&self, data: &[u8]) -> Result<bool, types::Error> {
        let (whole, tail) = data.as_chunks::<{ size_of::<words::Block>() }>();
        match bytemuck::try_cast_slice(whole.as_flattened()) {
            Ok(aligned) => words::write(&self.raw, aligned, tail),
            Err(_) => {
                let copy: Vec<words::Block> = whole
                    .iter()
                    .map(|block| bytemuck::pod_read_unaligned(block))
                    .collect();
                words::write(&self.raw, &copy, tail)
            }
        }
    }
}

/// For futures-io's traits.
impl Writer {
    pub(crate) fn poll_drain(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if let Some(drained) = ready!(self.parked_drain.poll(cx)) {
            return Poll::Ready(drained);
        }
        let raw = self.second_owner();
        self.parked_drain
            .park(async move { Ok(raw.drain().await?) });
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
            let raw = self.second_owner();
            self.parked_flush
                .park(async move { Ok(raw.flush().await?) });
        }
    }

    /// Returns the writer for a call that is parked.
    fn second_owner(&self) -> ManuallyDrop<streams::Writer> {
        // SAFETY: The handle is valid for as long as a parked call lives: they come before `raw` in the writer and
        // are dropped first, as they are where the writer is taken apart. The second owner never drops
        // the handle.
        ManuallyDrop::new(unsafe { streams::Writer::from_handle(self.raw().handle()) })
    }
}
