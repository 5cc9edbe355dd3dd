//! The server of a composed program: a resource of the component.

use std::cell::Cell;

use crate::Error;
use crate::bindings::numbers::{self, Event};
use crate::bindings::{streams, types};

use super::waits::Interest;

#[derive(Debug)]
pub(crate) struct Server {
    /// It comes before the resource, so that the watch forgets it first.
    interest: Interest,
    /// 0 until it is asked for.
    number: Cell<u64>,
    /// Other code may accept beside this server.
    shared: Cell<bool>,
    pub(super) raw: streams::Server,
}

impl Server {
    pub(super) fn new(raw: streams::Server) -> Self {
        Server {
            interest: Interest::default(),
            number: Cell::new(0),
            shared: Cell::new(false),
            raw,
        }
    }

    pub(super) fn into_raw(self) -> streams::Server {
        self.raw
    }

    /// Returns the resource for other code, which may accept clients from here on.
    pub(super) fn share(&self) -> &streams::Server {
        self.shared.set(true);
        &self.raw
    }

    pub(crate) async fn wait_connection(&self) -> Result<(), Error> {
        if self.shared.get() {
            return Ok(self.raw.wait_connection().await?);
        }
        self.interest.wait(self.number(), Event::Connection).await
    }

    /// Waits until `try_accept` may have a client. If it has none, [`Server::result`] tells why.
    pub(crate) async fn client_arrived(&self) -> Result<(), Error> {
        if self.shared.get() {
            return Ok(self.raw.wait_connection().await?);
        }
        self.interest.fired(self.number(), Event::Connection).await
    }

    /// Returns the error of the last wait, if there was one.
    pub(crate) fn result(&self) -> Result<(), Error> {
        self.interest.result()
    }

    pub(crate) fn try_accept(
        &self,
    ) -> Result<Option<(streams::Reader, streams::Writer)>, types::Error> {
        if self.interest.is_pending() {
            return Err(types::Error::Busy);
        }
        self.raw.try_accept()
    }

    pub(crate) fn cancel(&self) {
        self.interest.cancel();
        self.raw.cancel();
    }

    pub(crate) fn is_serving(&self) -> bool {
        self.raw.is_serving()
    }

    pub(crate) fn start_serving(&self) -> Result<(), types::Error> {
        self.raw.start_serving()
    }

    pub(crate) fn close(&self) {
        self.raw.close();
    }

    pub(crate) fn close_clients(&self) {
        self.raw.close_clients();
    }

    pub(crate) fn abort_clients(&self) {
        self.raw.abort_clients();
    }

    pub(crate) async fn wait_closed(&self) {
        self.raw.wait_closed().await;
    }

    pub(crate) async fn shutdown(&self, grace: u64) -> u32 {
        self.raw.shutdown(grace).await
    }

    fn number(&self) -> u64 {
        if self.number.get() == 0 {
            self.number.set(numbers::server_number(&self.raw));
        }
        self.number.get()
    }
}
