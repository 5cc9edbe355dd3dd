//! The option resources. A call reads them when it starts; later changes are for later calls.

use std::cell::RefCell;
use std::rc::Rc;

use asyncio_streams_core as core;

use crate::bindings::exports::asyncio::streams::tls::{ClientConfigBorrow, ServerConfigBorrow};
use crate::bindings::exports::asyncio::streams::types::{AddressFamily, Error};
use crate::connection::Settings;
use crate::errors::Invalid;
use crate::net::connect::Route;
use crate::net::socket::KeepAlive;
use crate::signal::Cancel;
use crate::streams;
use crate::transport::tls;

/// Everything that `connect-options` say, and how to cancel the calls that were given them.
#[derive(Clone)]
pub(super) struct Connect {
    pub(super) settings: Settings,
    pub(super) route: Route,
    pub(super) deadline: Option<u64>,
    pub(super) tls: Option<tls::Client>,
    pub(super) cancel: Rc<Cancel>,
}

/// Everything that `server-options` say.
#[derive(Clone)]
pub(super) struct Serve {
    pub(super) settings: Settings,
    pub(super) family: AddressFamily,
    pub(super) backlog: u32,
    pub(super) max_connections: Option<u32>,
    pub(super) idle_timeout: Option<u64>,
    pub(super) keep_alive: KeepAlive,
    pub(super) start_serving: bool,
    pub(super) tls: Option<tls::Server>,
    pub(super) cancel: Rc<Cancel>,
}

/// What the options of a call say, or the defaults.
pub(super) fn connect(options: Option<streams::ConnectOptionsBorrow<'_>>) -> Connect {
    match options {
        Some(options) => options.get::<ConnectOptions>().0.borrow().clone(),
        None => Connect::default(),
    }
}

/// What the options of a call say, or the defaults.
pub(super) fn serve(options: Option<streams::ServerOptionsBorrow<'_>>) -> Serve {
    match options {
        Some(options) => options.get::<ServerOptions>().0.borrow().clone(),
        None => Serve::default(),
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            limit: core::DEFAULT_LIMIT,
            max_result: core::DEFAULT_MAX_RESULT,
            max_queued: core::DEFAULT_MAX_QUEUED,
            close_deadline: Some(core::CLOSE_DEADLINE),
        }
    }
}

impl Default for Connect {
    fn default() -> Self {
        Connect {
            settings: Settings::default(),
            route: Route {
                family: AddressFamily::Any,
                local: Vec::new(),
                delay: Some(core::HAPPY_EYEBALLS_DELAY),
                interleave: 1,
                keep_alive: KeepAlive::default(),
            },
            deadline: None,
            tls: None,
            cancel: Rc::default(),
        }
    }
}

impl Default for Serve {
    fn default() -> Self {
        Serve {
            settings: Settings::default(),
            family: AddressFamily::Any,
            backlog: core::BACKLOG,
            max_connections: None,
            idle_timeout: None,
            keep_alive: KeepAlive::default(),
            start_serving: true,
            tls: None,
            cancel: Rc::default(),
        }
    }
}

/// `connect-options`.
pub(crate) struct ConnectOptions(RefCell<Connect>);

/// `server-options`.
pub(crate) struct ServerOptions(RefCell<Serve>);

impl streams::GuestConnectOptions for ConnectOptions {
    fn new() -> Self {
        ConnectOptions(RefCell::default())
    }

    fn set_limit(&self, bytes: u32) -> Result<(), Error> {
        Ok(self.0.borrow_mut().settings.set_limit(bytes)?)
    }

    fn set_max_result(&self, bytes: u32) -> Result<(), Error> {
        Ok(self.0.borrow_mut().settings.set_max_result(bytes)?)
    }

    fn set_max_queued(&self, bytes: u32) -> Result<(), Error> {
        Ok(self.0.borrow_mut().settings.set_max_queued(bytes)?)
    }

    fn set_family(&self, family: AddressFamily) {
        self.0.borrow_mut().route.family = family;
    }

    fn add_local_address(&self, host: String, port: u16) {
        self.0.borrow_mut().route.local.push((host, port));
    }

    fn set_happy_eyeballs_delay(&self, nanoseconds: Option<u64>) {
        self.0.borrow_mut().route.delay = nanoseconds;
    }

    fn set_interleave(&self, first_family_count: u32) {
        self.0.borrow_mut().route.interleave = first_family_count;
    }

    fn set_deadline(&self, nanoseconds: Option<u64>) {
        self.0.borrow_mut().deadline = nanoseconds;
    }

    fn set_close_deadline(&self, nanoseconds: Option<u64>) {
        self.0.borrow_mut().settings.close_deadline = nanoseconds;
    }

    fn set_keep_alive(&self, on: bool) {
        self.0.borrow_mut().route.keep_alive.on = on;
    }

    fn set_keep_alive_times(
        &self,
        idle: Option<u64>,
        interval: Option<u64>,
        count: Option<u32>,
    ) -> Result<(), Error> {
        let keep_alive = &mut self.0.borrow_mut().route.keep_alive;
        Ok(keep_alive.set_times(idle, interval, count)?)
    }

    fn set_tls(
        &self,
        config: ClientConfigBorrow<'_>,
        server_name: Option<String>,
    ) -> Result<(), Error> {
        let client = super::tls::client(&config, server_name.as_deref())?;
        self.0.borrow_mut().tls = Some(client);
        Ok(())
    }

    fn cancel(&self) {
        let cancel = self.0.borrow().cancel.clone();
        cancel.cancel();
    }
}

impl streams::GuestServerOptions for ServerOptions {
    fn new() -> Self {
        ServerOptions(RefCell::default())
    }

    fn set_limit(&self, bytes: u32) -> Result<(), Error> {
        Ok(self.0.borrow_mut().settings.set_limit(bytes)?)
    }

    fn set_max_result(&self, bytes: u32) -> Result<(), Error> {
        Ok(self.0.borrow_mut().settings.set_max_result(bytes)?)
    }

    fn set_max_queued(&self, bytes: u32) -> Result<(), Error> {
        Ok(self.0.borrow_mut().settings.set_max_queued(bytes)?)
    }

    fn set_family(&self, family: AddressFamily) {
        self.0.borrow_mut().family = family;
    }

    fn set_backlog(&self, connections: u32) -> Result<(), Error> {
        positive(connections, "backlog")?;
        self.0.borrow_mut().backlog = connections;
        Ok(())
    }

    fn set_max_connections(&self, n: u32) -> Result<(), Error> {
        positive(n, "max-connections")?;
        self.0.borrow_mut().max_connections = Some(n);
        Ok(())
    }

    fn set_idle_timeout(&self, nanoseconds: Option<u64>) {
        self.0.borrow_mut().idle_timeout = nanoseconds;
    }

    fn set_close_deadline(&self, nanoseconds: Option<u64>) {
        self.0.borrow_mut().settings.close_deadline = nanoseconds;
    }

    fn set_keep_alive(&self, on: bool) {
        self.0.borrow_mut().keep_alive.on = on;
    }

    fn set_keep_alive_times(
        &self,
        idle: Option<u64>,
        interval: Option<u64>,
        count: Option<u32>,
    ) -> Result<(), Error> {
        let keep_alive = &mut self.0.borrow_mut().keep_alive;
        Ok(keep_alive.set_times(idle, interval, count)?)
    }

    fn set_start_serving(&self, on: bool) {
        self.0.borrow_mut().start_serving = on;
    }

    fn set_tls(&self, config: ServerConfigBorrow<'_>) -> Result<(), Error> {
        let server = super::tls::server(&config)?;
        self.0.borrow_mut().tls = Some(server);
        Ok(())
    }

    fn cancel(&self) {
        let cancel = self.0.borrow().cancel.clone();
        cancel.cancel();
    }
}

// What both kinds of options have, and check in the same way.

impl Settings {
    fn set_limit(&mut self, bytes: u32) -> Result<(), Invalid> {
        self.limit = positive(bytes, "limit")?;
        Ok(())
    }

    fn set_max_result(&mut self, bytes: u32) -> Result<(), Invalid> {
        self.max_result = positive(bytes, "max-result")?;
        Ok(())
    }

    fn set_max_queued(&mut self, bytes: u32) -> Result<(), Invalid> {
        self.max_queued = positive(bytes, "max-queued")?;
        Ok(())
    }
}

impl KeepAlive {
    /// Sets the times; the system refuses a zero.
    fn set_times(
        &mut self,
        idle: Option<u64>,
        interval: Option<u64>,
        count: Option<u32>,
    ) -> Result<(), Invalid> {
        if idle == Some(0) || interval == Some(0) || count == Some(0) {
            return Err(Invalid("keep-alive: a time or count of 0".into()));
        }
        (self.idle, self.interval, self.count) = (idle, interval, count);
        Ok(())
    }
}

fn positive(n: u32, name: &str) -> Result<usize, Invalid> {
    if n == 0 {
        return Err(Invalid(format!("{name}: must be at least 1")));
    }
    Ok(usize::try_from(n).unwrap_or(usize::MAX))
}
