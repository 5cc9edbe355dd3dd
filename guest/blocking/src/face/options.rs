//! The option resources. A call reads them when it starts; later changes are for later calls.

use std::cell::RefCell;

use asyncio_streams_engine as engine;

use crate::blocking;
use crate::tls::{ClientConfigBorrow, ServerConfigBorrow};
use crate::types::{AddressFamily, Error};

/// Returns the options of a call, or the defaults.
pub(super) fn connect(
    options: Option<blocking::ConnectOptionsBorrow<'_>>,
) -> engine::ConnectOptions {
    match options {
        Some(options) => options.get::<ConnectOptions>().0.borrow().clone(),
        None => engine::ConnectOptions::default(),
    }
}

/// Returns the options of a call, or the defaults.
pub(super) fn serve(options: Option<blocking::ServerOptionsBorrow<'_>>) -> engine::ServerOptions {
    match options {
        Some(options) => options.get::<ServerOptions>().0.borrow().clone(),
        None => engine::ServerOptions::default(),
    }
}

/// `connect-options`.
pub(crate) struct ConnectOptions(RefCell<engine::ConnectOptions>);

/// `server-options`.
pub(crate) struct ServerOptions(RefCell<engine::ServerOptions>);

/// Setters that may fail and setters that may not, each of them the engine's of the same name.
macro_rules! setters {
    (
        fails: { $($check:ident($($check_argument:ident: $check_type:ty),*);)* }
        sets: { $($set:ident($argument:ident: $type:ty);)* }
    ) => {
        $(fn $check(&self, $($check_argument: $check_type),*) -> Result<(), Error> {
            Ok(self.0.borrow_mut().$check($($check_argument),*)?)
        })*
        $(fn $set(&self, $argument: $type) {
            self.0.borrow_mut().$set($argument.into());
        })*
    };
}

impl blocking::GuestConnectOptions for ConnectOptions {
    fn new() -> Self {
        ConnectOptions(RefCell::default())
    }

    setters! {
        fails: {
            set_limit(bytes: u32);
            set_max_result(bytes: u32);
            set_max_queued(bytes: u32);
            set_keep_alive_times(idle: Option<u64>, interval: Option<u64>, count: Option<u32>);
        }
        sets: {
            set_family(family: AddressFamily);
            set_happy_eyeballs_delay(nanoseconds: Option<u64>);
            set_interleave(first_family_count: u32);
            set_deadline(nanoseconds: Option<u64>);
            set_close_deadline(nanoseconds: Option<u64>);
            set_keep_alive(on: bool);
        }
    }

    fn add_local_address(&self, host: String, port: u16) {
        self.0.borrow_mut().add_local_address(&host, port);
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
}

impl blocking::GuestServerOptions for ServerOptions {
    fn new() -> Self {
        ServerOptions(RefCell::default())
    }

    setters! {
        fails: {
            set_limit(bytes: u32);
            set_max_result(bytes: u32);
            set_max_queued(bytes: u32);
            set_backlog(connections: u32);
            set_max_connections(n: u32);
            set_keep_alive_times(idle: Option<u64>, interval: Option<u64>, count: Option<u32>);
        }
        sets: {
            set_family(family: AddressFamily);
            set_idle_timeout(nanoseconds: Option<u64>);
            set_close_deadline(nanoseconds: Option<u64>);
            set_keep_alive(on: bool);
            set_start_serving(on: bool);
        }
    }

    fn set_tls(&self, config: ServerConfigBorrow<'_>) -> Result<(), Error> {
        let server = super::tls::server(&config)?;
        self.0.borrow_mut().set_tls(server);
        Ok(())
    }
}
