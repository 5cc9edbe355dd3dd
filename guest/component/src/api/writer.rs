//! The `writer` resource.

use std::rc::Rc;

use asyncio_streams_core as core;
use asyncio_streams_task::StreamReader;

use crate::bindings::exports::asyncio::streams::tls::{ClientConfigBorrow, ServerConfigBorrow};
use crate::bindings::exports::asyncio::streams::types::{Address, Error};
use crate::connection::Connection;
use crate::errors::{Invalid, saturate};
use crate::signal::Cancel;
use crate::streams::{self, Waits};
use crate::transport::Incoming;
use crate::transport::tls::{Role, TlsInfo};

use super::reader::Reader;
use super::tls;

/// The writing side of a connection, which also closes it.
pub(crate) struct Writer(Rc<Connection>);

impl Writer {
    pub(super) fn new(connection: Rc<Connection>) -> Self {
        Writer(connection)
    }

    /// Queues `bytes`, unless a `write-stream` has the turn.
    pub(super) fn queue(
        &self,
        bytes: usize,
        queue: impl FnOnce(&mut core::Writer<Error>) -> Result<(), core::WriteError<Error>>,
    ) -> Result<(), Error> {
        if self.0.streaming.get() {
            return Err(Error::Busy);
        }
        if bytes > self.0.room() {
            self.0.output.borrow().writable()?;
            return Err(Error::BufferFull);
        }
        queue(&mut self.0.output.borrow_mut())?;
        self.0.weigh();
        self.0.output_queued();
        Ok(())
    }

    /// Protects the connection.
    async fn upgrade(&self, reader: &streams::ReaderBorrow<'_>, role: Role) -> Result<(), Error> {
        if !reader.get::<Reader>().is_of(&self.0) {
            return Err(Error::InvalidArgument(
                "reader: it is another connection's".into(),
            ));
        }
        self.0.start_tls(role).await
    }

    /// Waits for a change of the output, until `check` gives an answer or `cancel` ends it.
    async fn until<T>(
        &self,
        cancel: &Cancel,
        mut check: impl FnMut(&core::Writer<Error>) -> Option<Result<T, Error>>,
    ) -> Result<T, Error> {
        let round = cancel.begin();
        self.0
            .output_changed
            .until(|| match round.check() {
                Ok(()) => check(&self.0.output.borrow()),
                Err(cancelled) => Some(Err(cancelled)),
            })
            .await
    }

    pub(super) fn try_drained(&self) -> Result<bool, Error> {
        self.0.output.borrow().drain_ready()
    }

    async fn drained(&self, cancel: &Cancel) -> Result<(), Error> {
        self.until(cancel, |output| unless_waiting(output.drain_ready()))
            .await
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl streams::GuestWriter for Writer {
    fn write(&self, data: Vec<u8>) -> Result<(), Error> {
        self.queue(data.len(), |output| output.write(data))
    }

    fn writelines(&self, data: Vec<Vec<u8>>) -> Result<(), Error> {
        let bytes = data.iter().map(Vec::len).fold(0, usize::saturating_add);
        self.queue(bytes, |output| output.writelines(data))
    }

    async fn drain(&self) -> Result<(), Error> {
        self.drained(&self.0.cancels.drain).await
    }

    fn try_drain(&self) -> Result<bool, Error> {
        self.try_drained()
    }

    async fn send(&self, data: Vec<u8>) -> Result<(), Error> {
        self.queue(data.len(), |output| output.write(data))?;
        self.drained(&self.0.cancels.drain).await
    }

    async fn flush(&self) -> Result<(), Error> {
        let position = self.0.output.borrow().written();
        self.until(&self.0.cancels.flush, |output| {
            unless_waiting(output.flushed_to(position))
        })
        .await
    }

    async fn write_stream(&self, data: StreamReader<u8>) -> (u64, Result<(), Error>) {
        super::write_stream::run(&self.0, Incoming::from_stream(data)).await
    }

    fn can_write_eof(&self) -> bool {
        self.0.can_write_eof()
    }

    fn write_eof(&self) -> Result<(), Error> {
        // The state of the connection takes precedence (wit/README.md, "Writer").
        let open = !self.0.streaming.get() && self.0.output.borrow().writable().is_ok();
        if open && !self.0.can_write_eof() {
            return Err(Error::NotSupported(
                "write-eof: TLS 1.2 ends both directions at once".into(),
            ));
        }
        self.queue(0, core::Writer::write_eof)
    }

    fn close(&self) {
        self.0.close();
    }

    fn is_closing(&self) -> bool {
        self.0.output.borrow().is_closing()
    }

    async fn wait_closed(&self) -> Result<(), Error> {
        self.until(&self.0.cancels.wait_closed, core::Writer::outcome)
            .await
    }

    fn abort(&self) {
        self.0.abort();
    }

    fn cancel(&self, what: Waits) {
        let cancels = &self.0.cancels;
        let named = [
            (Waits::DRAIN, &cancels.drain),
            (Waits::FLUSH, &cancels.flush),
            (Waits::WAIT_CLOSED, &cancels.wait_closed),
            (Waits::WRITE_STREAM, &cancels.write_stream),
        ];
        for (wait, cancel) in named {
            if what.contains(wait) {
                cancel.cancel();
            }
        }
        self.0.output_changed.wake();
    }

    fn peername(&self) -> Option<Address> {
        self.0.peername.clone()
    }

    fn sockname(&self) -> Option<Address> {
        self.0.sockname.clone()
    }

    fn write_buffer_size(&self) -> u32 {
        saturate(self.0.output.borrow().queued())
    }

    fn write_buffer_limits(&self) -> (u32, u32) {
        let (low, high) = self.0.output.borrow().limits();
        (saturate(low), saturate(high))
    }

    fn set_write_buffer_limits(&self, high: Option<u32>, low: Option<u32>) -> Result<(), Error> {
        let size = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        let mut output = self.0.output.borrow_mut();
        let set = output.set_limits(high.map(size), low.map(size));
        Ok(set.map_err(Invalid::from)?)
    }

    async fn start_tls(
        &self,
        reader: streams::ReaderBorrow<'_>,
        config: ClientConfigBorrow<'_>,
        server_name: String,
    ) -> Result<(), Error> {
        let role = tls::client(&config, Some(&server_name)).map(Role::Client)?;
        self.upgrade(&reader, role).await
    }

    async fn start_tls_server(
        &self,
        reader: streams::ReaderBorrow<'_>,
        config: ServerConfigBorrow<'_>,
    ) -> Result<(), Error> {
        let role = tls::server(&config).map(Role::Server)?;
        self.upgrade(&reader, role).await
    }

    fn tls_info(&self) -> Option<TlsInfo> {
        self.0.tls_info()
    }
}

/// A wait's answer from the core's: true ends it, so does an error.
fn unless_waiting(answer: Result<bool, Error>) -> Option<Result<(), Error>> {
    match answer {
        Ok(false) => None,
        Ok(true) => Some(Ok(())),
        Err(error) => Some(Err(error)),
    }
}
