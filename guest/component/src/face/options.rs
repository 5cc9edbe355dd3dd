//! The option resources. A call reads them when it starts; later changes are for later calls.

use std::cell::RefCell;

use asyncio_streams_engine as engine;

use crate::streams;
use crate::tls::{ClientConfigBorrow, ServerConfigBorrow};
use crate::types::{AddressFamily, Error};

/// Returns the options of a call, or the defaults.
pub(super) fn connect(
    options: Option<streams::ConnectOptionsBorrow<'_>>,
) -> engine::ConnectOptions {
    match options {
        Some(options) => options.get::<ConnectOptions>().0.borrow().clone(),
        None => engine::ConnectOptions::default(),
    }
}

/// Returns the options of a call, or the defaults.
pub(super) fn serve(options: Option<streams::ServerOptionsBorrow<'_>>) -> engine::ServerOptions {
    match options {
        Some(options) => options.get::<ServerOptions>().0.borrow().clone(),
        None => engine::ServerOptions::default(),
    }
}

/// `connect-options`.
pub(crate) struct ConnectOptions(RefCell<engine::ConnectOptions>);

/// `server-options`.
pub(crate) struct ServerOptions(RefCell<engine::ServerOptions>);

impl streams::GuestConnectOptions for ConnectOptions {
    fn new() -> Self {
        ConnectOptions(RefCell::default())
    }

    fn set_limit(&self, bytes: u32) -> Result<(), Error> {
        Ok(self.0.borrow_mut().set_limit(bytes)?)
    }

    fn set_max_result(&self, bytes: u32) -> Result<(), Error> {
        Ok(self.0.borrow_mut().set_max_result(bytes)?)
    }

    fn set_max_queued(&self, bytes: u32) -> Result<(), Error> {
        Ok(self.0.borrow_mut().set_max_queued(bytes)?)
    }

    fn set_family(&self, family: AddressFamily) {
        self.0.borrow_mut().set_family(family.into());
    }

    fn add_local_address(&self, host: String, port: u16) {
        self.0.borrow_mut().add_local_address(&host, port);
    }

    fn set_happy_eyeballs_delay(&self, nanoseconds: Option<u64>) {
        self.0.borrow_mut().set_happy_eyeballs_delay(nanoseconds);
    }

    fn set_interleave(&self, first_family_count: u32) {
        self.0.borrow_mut().set_interleave(first_family_count);
    }

    fn set_deadline(&self, nanoseconds: Option<u64>) {
        self.0.borrow_mut().set_deadline(nanoseconds);
    }

    fn set_close_deadline(&self, nanoseconds: Option<u64>) {
        self.0.borrow_mut().set_close_deadline(nanoseconds);
    }

    fn set_keep_alive(&self, on: bool) {
        self.0.borrow_mut().set_keep_alive(on);
    }

    fn set_keep_alive_times(
        &self,
        idle: Option<u64>,
        interval: Option<u64>,
        count: Option<u32>,
    ) -> Result<(), Error> {
        let mut options = self.0.borrow_mut();
        Ok(options.set_keep_alive_times(idle, interval, count)?)
    }

    fn set_tls(
        &self,
        config: ClientConfigBorrow<'_>,
        server_name: Option<String>,
    ) -> Result<(), Error> {
        let client = super::tls::client(&config, server_name.as_deref())?;
        self.0.borrow_mut().set_tls(client);
        Ok(())
    }

    fn cancel(&self) {
        let options = self.0.borrow().clone();
        options.cancel();
    }
}

impl streams::GuestServerOptions for ServerOptions {
    fn new() -> Self {
        ServerOptions(RefCell::default())
    }

    fn set_limit(&self, bytes: u32) -> Result<(), Error> {
        Ok(self.0.borrow_mut().set_limit(bytes)?)
    }

    fn set_max_result(&self, bytes: u32) -> Result<(), Error> {
        Ok(self.0.borrow_mut().set_max_result(bytes)?)
    }

    fn set_max_queued(&self, bytes: u32) -> Result<(), Error> {
        Ok(self.0.borrow_mut().set_max_queued(bytes)?)
    }

    fn set_family(&self, family: AddressFamily) {
        self.0.borrow_mut().set_family(family.into());
    }

    fn set_backlog(&self, connections: u32) -> Result<(), Error> {
        Ok(self.0.borrow_mut().set_backlog(connections)?)
    }

    fn set_max_connections(&self, n: u32) -> Result<(), Error> {
        Ok(self.0.borrow_mut().set_max_connections(n)?)
    }

    fn set_idle_timeout(&self, nanoseconds: Option<u64>) {
        self.0.borrow_mut().set_idle_timeout(nanoseconds);
    }

    fn set_close_deadline(&self, nanoseconds: Option<u64>) {
        self.0.borrow_mut().set_close_deadline(nanoseconds);
    }

    fn set_keep_alive(&self, on: bool) {
        self.0.borrow_mut().set_keep_alive(on);
    }

    fn set_keep_alive_times(
        &self,
        idle: Option<u64>,
        interval: Option<u64>,
        count: Option<u32>,
    ) -> Result<(), Error> {
        let mut options = self.0.borrow_mut();
        Ok(options.set_keep_alive_times(idle, interval, count)?)
    }

    fn set_start_serving(&self, on: bool) {
        self.0.borrow_mut().set_start_serving(on);
    }

    fn set_tls(&self, config: ServerConfigBorrow<'_>) -> Result<(), Error> {
        let server = super::tls::server(&config)?;
        self.0.borrow_mut().set_tls(server);
        Ok(())
    }

    fn cancel(&self) {
        let options = self.0.borrow().clone();
        options.cancel();
    }
}
