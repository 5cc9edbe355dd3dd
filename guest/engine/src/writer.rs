//! The writing side of a connection, for callers. It also closes the connection.

use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;

use asyncio_streams_core as core;

use crate::connection::{Connection, Output};
use crate::errors::Invalid;
use crate::net::address;
use crate::notify::CancelCount;
use crate::platform::{SocketName, Source};
use crate::protection::Protector;
use crate::reader::Reader;
use crate::transport::Incoming;
use crate::types::{Address, Credentials, Error, TlsInfo};
use crate::watch::Event;

/// A writer. Dropping it closes the connection.
pub struct Writer(Rc<Connection>);

/// A writer's wait that [`Writer::cancel`] can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// [`Writer::drain`].
    Drain,
    /// [`Writer::flush`].
    Flush,
    /// [`Writer::wait_closed`].
    Closed,
    /// [`Writer::write_stream`].
    WriteStream,
}

impl Writer {
    pub(crate) fn new(connection: Rc<Connection>) -> Self {
        Writer(connection)
    }

    /// Queues `data`, all of it or nothing.
    ///
    /// # Errors
    ///
    /// `busy` while a `write-stream` or a handshake is pending; `buffer-full`; `closed`; `write-after-eof`; the loss of
    /// the connection.
    pub fn write(&self, data: Vec<u8>) -> Result<(), Error> {
        self.queue(data.len(), |queue| queue.write(data))
    }

    /// Queues a copy of `data`. A write that fails copies nothing.
    ///
    /// # Errors
    ///
    /// As for [`Writer::write`].
    pub fn write_copy(&self, data: &[u8]) -> Result<(), Error> {
        self.queue(data.len(), |queue| queue.write_copy(data))
    }

    /// Queues all of `data`, or nothing.
    ///
    /// # Errors
    ///
    /// As for [`Writer::write`].
    pub fn writelines(&self, data: Vec<Vec<u8>>) -> Result<(), Error> {
        let bytes = data.iter().map(Vec::len).fold(0, usize::saturating_add);
        self.queue(bytes, |queue| queue.writelines(data))
    }

    /// Waits until the queue is below its mark. The wait is pending from the call on, like all waits.
    ///
    /// # Errors
    ///
    /// The loss of the connection, or `cancelled`.
    pub fn drain(&self) -> impl Future<Output = Result<(), Error>> {
        self.until(&self.0.output.cancels.drain, |queue| {
            unless_waiting(queue.drain_ready())
        })
    }

    /// Returns whether [`Writer::drain`] would return at once.
    ///
    /// # Errors
    ///
    /// The loss of the connection.
    pub fn try_drain(&self) -> Result<bool, Error> {
        self.0.output.queue.borrow().drain_ready()
    }

    /// Waits until the transport has taken everything that was written before the call.
    ///
    /// # Errors
    ///
    /// As for [`Writer::drain`].
    pub fn flush(&self) -> impl Future<Output = Result<(), Error>> {
        let position = self.0.output.queue.borrow().written();
        self.until(&self.0.output.cancels.flush, move |queue| {
            unless_waiting(queue.flushed_to(position))
        })
    }

    /// Queues all bytes of a stream after those already queued. Returns how many bytes were taken, and the result.
    pub async fn write_stream(&self, data: Box<dyn Source>) -> (u64, Result<(), Error>) {
        let incoming = Incoming::new(data, self.0.engine.buffers());
        crate::write_stream::run(&self.0, incoming).await
    }

    /// Returns whether [`Writer::write_eof`] can end the output while input continues.
    pub fn can_write_eof(&self) -> bool {
        self.0.can_write_eof()
    }

    /// Ends the output once everything queued is sent.
    ///
    /// # Errors
    ///
    /// As for [`Writer::write`]; `not-supported` with TLS 1.2.
    pub fn write_eof(&self) -> Result<(), Error> {
        // The state of the connection takes precedence (wit/README.md, "Writer").
        let busy = self.0.output.streaming.is_busy();
        let open = !busy && self.0.output.queue.borrow().writable().is_ok();
        if open && !self.0.can_write_eof() {
            return Err(Error::NotSupported(
                "write-eof: TLS 1.2 ends both directions at once".into(),
            ));
        }
        self.queue(0, core::Writer::write_eof)
    }

    /// Closes the connection: sends the queue, then the end.
    pub fn close(&self) {
        self.0.close();
    }

    /// Returns whether the connection was closed, aborted or lost.
    pub fn is_closing(&self) -> bool {
        self.0.output.queue.borrow().is_closing()
    }

    /// Waits until the connection has ended.
    ///
    /// # Errors
    ///
    /// The reason, unless the connection was closed cleanly; or `cancelled`.
    pub fn wait_closed(&self) -> impl Future<Output = Result<(), Error>> {
        self.until(&self.0.output.cancels.wait_closed, core::Writer::outcome)
    }

    /// Returns the event for which [`Writer::drain`] waits.
    pub fn drained(&self) -> Event {
        Event::new(&self.0, |connection| async move {
            let output = &connection.output;
            let drained = |queue: &core::Writer<Error>| unless_waiting(queue.drain_ready());
            until(output, &output.cancels.drain, drained).await
        })
    }

    /// Returns the event for which [`Writer::flush`] waits.
    pub fn flushed(&self) -> Event {
        Event::new(&self.0, |connection| {
            let position = connection.output.queue.borrow().written();
            async move {
                let output = &connection.output;
                let flushed =
                    |queue: &core::Writer<Error>| unless_waiting(queue.flushed_to(position));
                until(output, &output.cancels.flush, flushed).await
            }
        })
    }

    /// Returns the event for which [`Writer::wait_closed`] waits.
    pub fn closed(&self) -> Event {
        Event::new(&self.0, |connection| async move {
            let output = &connection.output;
            let outcome = core::Writer::outcome;
            until(output, &output.cancels.wait_closed, outcome).await
        })
    }

    /// Closes the connection at once and drops the queue.
    pub fn abort(&self) {
        self.0.abort();
    }

    /// Ends the pending waits of one kind with `cancelled`.
    pub fn cancel(&self, wait: Wait) {
        let cancels = &self.0.output.cancels;
        let cancel = match wait {
            Wait::Drain => &cancels.drain,
            Wait::Flush => &cancels.flush,
            Wait::Closed => &cancels.wait_closed,
            Wait::WriteStream => &cancels.write_stream,
        };
        cancel.cancel();
        self.0.output.changed.wake();
    }

    /// Returns the peer's address, if the connection has a socket.
    pub fn peername(&self) -> Option<Address> {
        self.0.names.peer.as_ref().map(address::of_name)
    }

    /// Returns the peer's address as a value of the standard library, if it is one of TCP.
    pub fn peer_address(&self) -> Option<SocketAddr> {
        match self.0.names.peer {
            Some(SocketName::Inet(address)) => Some(address),
            _ => None,
        }
    }

    /// Returns the process at the other end of a Unix socket, if the system knows it.
    pub fn peer_credentials(&self) -> Option<Credentials> {
        self.0.names.credentials
    }

    /// Returns this side's address, if the connection has a socket.
    pub fn sockname(&self) -> Option<Address> {
        self.0.names.own.as_ref().map(address::of_name)
    }

    /// Returns how many bytes the transport has not yet taken.
    pub fn write_buffer_size(&self) -> usize {
        self.0.output.queue.borrow().queued()
    }

    /// Returns the marks of [`Writer::drain`] in bytes: low, high.
    pub fn write_buffer_limits(&self) -> (usize, usize) {
        self.0.output.queue.borrow().limits()
    }

    /// Sets the marks of [`Writer::drain`], by asyncio's rules.
    ///
    /// # Errors
    ///
    /// If the low mark is above the high mark.
    pub fn set_write_buffer_limits(
        &self,
        high: Option<usize>,
        low: Option<usize>,
    ) -> Result<(), Invalid> {
        let mut queue = self.0.output.queue.borrow_mut();
        Ok(queue.set_limits(high, low)?)
    }

    /// Protects the connection with TLS. Dropping the future aborts the connection.
    ///
    /// # Errors
    ///
    /// As `start-tls` (wit/streams.wit).
    pub async fn start_tls(
        &self,
        reader: &Reader,
        protector: Rc<dyn Protector>,
    ) -> Result<(), Error> {
        if !reader.is_of(&self.0) {
            return Err(Error::InvalidArgument(
                "reader: it is another connection's".into(),
            ));
        }
        self.0.start_tls(protector).await
    }

    /// Returns the result of the handshake, if the connection is protected.
    pub fn tls_info(&self) -> Option<TlsInfo> {
        self.0.tls_info()
    }

    fn queue(
        &self,
        bytes: usize,
        queue: impl FnOnce(&mut core::Writer<Error>) -> Result<(), core::WriteError<Error>>,
    ) -> Result<(), Error> {
        let output = &self.0.output;
        if output.streaming.is_busy() {
            return Err(Error::Busy);
        }
        if bytes > self.0.room() {
            output.queue.borrow().writable()?;
            return Err(Error::BufferFull);
        }
        queue(&mut output.queue.borrow_mut())?;
        self.0.weigh();
        self.0.mark_dirty();
        Ok(())
    }

    /// Waits until `check` returns a value or `cancel` ends the wait. Checks after every change of the output.
    fn until<'a, T>(
        &'a self,
        cancel: &'a CancelCount,
        check: impl FnMut(&core::Writer<Error>) -> Option<Result<T, Error>> + 'a,
    ) -> impl Future<Output = Result<T, Error>> {
        until(&self.0.output, cancel, check)
    }
}

/// Waits for a change of the output, as [`Writer::until`].
fn until<'a, T>(
    output: &'a Output,
    cancel: &'a CancelCount,
    mut check: impl FnMut(&core::Writer<Error>) -> Option<Result<T, Error>> + 'a,
) -> impl Future<Output = Result<T, Error>> {
    let round = cancel.begin();
    async move {
        let check = || match round.check() {
            Ok(()) => check(&output.queue.borrow()),
            Err(cancelled) => Some(Err(cancelled)),
        };
        output.changed.until(check).await
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.drop_writer();
    }
}

/// Converts an answer of the core: `true` and errors end the wait.
fn unless_waiting(answer: Result<bool, Error>) -> Option<Result<(), Error>> {
    match answer {
        Ok(false) => None,
        Ok(true) => Some(Ok(())),
        Err(error) => Some(Err(error)),
    }
}
