//! The writer of a composed program: a resource of the component.

use std::cell::{Cell, OnceCell};
use std::fmt;
use std::mem::ManuallyDrop;
use std::net::SocketAddr;
use std::task::{Context, Poll, ready};

use crate::bindings::numbers::{self, Event};
use crate::bindings::{streams, types};
use crate::parked::Parked;
use crate::{Address, ByteReader, Error, Waits};

use super::latin1::{self, Written};
use super::waits::{self, Interest};
use super::{ClientConfig, Reader, ServerConfig, length, size};

#[derive(Debug)]
pub(crate) struct Writer {
    /// The waits that polls began. They come before the resource, which must not be dropped before them.
    parked_drain: Parked,
    parked_flush: Parked,
    /// The wait of a drain; none until there is one. It comes before the resource, so that the watch forgets it first.
    drain: OnceCell<Interest>,
    raw: streams::Writer,
    /// 0 until it is asked for.
    number: Cell<u64>,
    /// Something was written.
    used: Cell<bool>,
    /// The round in which the last call was a write that left the queue below its mark: until the round ends, a drain has nothing to
    /// wait for.
    low: Cell<Option<u64>>,
    /// Other code has the resource too.
    shared: Cell<bool>,
    /// The peer's address, if it came with the connection.
    peer: Option<SocketAddr>,
}

/// A peer, for messages.
pub(crate) enum Peer {
    Inet(SocketAddr),
    Asked(Address),
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Peer::Inet(address) => address.fmt(f),
            Peer::Asked(address) => address.fmt(f),
        }
    }
}

/// Up to this size, the first write costs less by the resource than asking for the writer's number.
const SHORT: usize = 256;

impl Writer {
    pub(super) fn new(raw: streams::Writer) -> Self {
        Self::accepted(raw, 0, None)
    }

    /// Makes one whose number is known, unless it is 0, and maybe its peer.
    pub(super) fn accepted(raw: streams::Writer, number: u64, peer: Option<SocketAddr>) -> Self {
        Writer {
            parked_drain: Parked::default(),
            parked_flush: Parked::default(),
            drain: OnceCell::new(),
            raw,
            number: Cell::new(number),
            used: Cell::new(false),
            low: Cell::new(None),
            shared: Cell::new(false),
            peer,
        }
    }

    /// Returns the resource for other code, which may use it at any time.
    pub(super) fn share(&self) -> &streams::Writer {
        self.shared.set(true);
        self.raw()
    }

    /// Returns the resource for a call that may change what a drain answers.
    pub(super) fn raw(&self) -> &streams::Writer {
        self.low.set(None);
        &self.raw
    }

    fn number(&self) -> u64 {
        if self.number.get() == 0 {
            self.number.set(numbers::writer_number(&self.raw));
        }
        self.number.get()
    }

    pub(super) fn into_raw(self) -> streams::Writer {
        self.parked_drain.drop_call();
        self.parked_flush.drop_call();
        self.raw
    }

    pub(crate) fn write(&self, data: &[u8]) -> Result<(), Error> {
        let first = !self.used.replace(true);
        if first && self.number.get() == 0 && data.len() <= SHORT {
            return Ok(self.raw().write(data)?);
        }
        self.low.set(None);
        let low = self.write_text(data)?;
        let round = waits::written();
        self.low.set(round.filter(|_| low && !self.shared.get()));
        Ok(())
    }

    pub(crate) fn writelines(&self, data: &[&[u8]]) -> Result<(), Error> {
        Ok(self.raw().writelines(data)?)
    }

    pub(crate) async fn drain(&self) -> Result<(), Error> {
        // A turn of the event loop here would send what was written so far as a segment of its own.
        if self.try_drain()? {
            return Ok(());
        }
        match self.drained() {
            Some(drained) => drained.await,
            None => Ok(self.raw.drain().await?),
        }
    }

    /// The wait for the low mark; none while there is one: its future excludes others, which the call does not.
    fn drained(&self) -> Option<impl Future<Output = Result<(), Error>> + use<>> {
        let drain = self.drain.get_or_init(Interest::default);
        (!drain.is_waiting()).then(|| drain.wait(self.number(), Event::Drained))
    }

    pub(crate) fn try_drain(&self) -> Result<bool, Error> {
        if self.low.get().is_some_and(waits::is_round) {
            return Ok(true);
        }
        Ok(match self.number.get() {
            0 => self.raw.try_drain()?,
            number => numbers::try_drain(number)?,
        })
    }

    pub(crate) async fn flush(&self) -> Result<(), Error> {
        Ok(self.raw().flush().await?)
    }

    pub(crate) async fn write_stream(&self, data: ByteReader) -> (u64, Result<(), Error>) {
        let (taken, result) = self.raw().write_stream(data).await;
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
        self.raw().is_closing()
    }

    pub(crate) async fn wait_closed(&self) -> Result<(), Error> {
        Ok(self.raw().wait_closed().await?)
    }

    pub(crate) fn abort(&self) {
        self.raw().abort();
    }

    pub(crate) fn cancel(&self, what: Waits) {
        if what.contains(Waits::DRAIN)
            && let Some(drain) = self.drain.get()
        {
            drain.cancel();
        }
        self.raw().cancel(what);
    }

    pub(crate) fn peername(&self) -> Option<Address> {
        self.raw.peername()
    }

    /// Returns the peer for a message, at little cost if the connection was accepted here.
    pub(crate) fn peer(&self) -> Option<Peer> {
        match self.peer {
            Some(address) => Some(Peer::Inet(address)),
            None => self.raw.peername().map(Peer::Asked),
        }
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

    /// Writes by number; returns whether a drain would return at once.
    fn write_text(&self, data: &[u8]) -> Result<bool, types::Error> {
        match latin1::write(self.number(), data) {
            Written::Drained => Ok(true),
            Written::Queued => Ok(false),
            // The call with a list returns the error.
            Written::Refused => numbers::write(self.number(), data),
        }
    }
}

/// For futures-io's traits.
impl Writer {
    pub(crate) fn poll_drain(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if let Some(drained) = ready!(self.parked_drain.poll(cx)) {
            return Poll::Ready(drained);
        }
        match self.drained() {
            Some(drained) => self.parked_drain.park(drained),
            None => {
                let raw = self.second_owner();
                self.parked_drain
                    .park(async move { Ok(raw.drain().await?) });
            }
        }
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
