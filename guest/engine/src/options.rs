//! The options of calls. A call reads them when it starts.

use std::rc::Rc;

use asyncio_streams_core as core;

use crate::errors::{Invalid, network};
use crate::notify::Cancel;
use crate::platform::BoundSocket;
use crate::protection::{ClientProtector, Protector};
use crate::types::{AddressFamily, KeepAlive, NetworkError};

/// The options of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The most bytes before a separator; also determines the reading marks.
    pub(crate) limit: usize,
    /// The most bytes in one result.
    pub(crate) max_result: usize,
    /// The most bytes that wait to be sent.
    pub(crate) max_queued: usize,
    /// Nanoseconds within which a close has to send the queue.
    pub(crate) close_deadline: Option<u64>,
}

/// The contents of `connect-options`. A clone is cancelled with the original.
#[derive(Clone)]
pub struct ConnectOptions {
    pub(crate) settings: Settings,
    pub(crate) route: Route,
    pub(crate) deadline: Option<u64>,
    pub(crate) tls: Option<Rc<dyn ClientProtector>>,
    pub(crate) cancel: Rc<Cancel>,
}

/// The contents of `server-options`. A clone is cancelled with the original.
#[derive(Clone)]
pub struct ServerOptions {
    pub(crate) settings: Settings,
    pub(crate) family: AddressFamily,
    pub(crate) backlog: u32,
    pub(crate) max_connections: Option<u32>,
    pub(crate) idle_timeout: Option<u64>,
    pub(crate) keep_alive: KeepAlive,
    pub(crate) start_serving: bool,
    pub(crate) tls: Option<Rc<dyn Protector>>,
    pub(crate) cancel: Rc<Cancel>,
}

/// How to connect.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) family: AddressFamily,
    /// The addresses to connect from. Those of the remote address' family are tried in order.
    pub(crate) local: Vec<(String, u16)>,
    /// Nanoseconds until the next attempt starts; `None`: only once the one before has failed.
    pub(crate) delay: Option<u64>,
    /// The number of addresses of the first family that come before the first of the other family; 0 keeps the order.
    pub(crate) interleave: u32,
    pub(crate) keep_alive: KeepAlive,
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

impl Default for ConnectOptions {
    fn default() -> Self {
        ConnectOptions {
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

impl Default for ServerOptions {
    fn default() -> Self {
        ServerOptions {
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

/// The setters of both kinds of options.
macro_rules! shared_setters {
    ($options:ident, $keep_alive:ident $(.$field:ident)*) => {
        impl $options {
            /// Creates options with every default.
            pub fn new() -> Self {
                Self::default()
            }

            /// Sets how many bytes may come before a separator.
            ///
            /// # Errors
            ///
            /// If it is 0, as in all setters of sizes.
            pub fn set_limit(&mut self, bytes: u32) -> Result<(), Invalid> {
                self.settings.limit = positive(bytes, "limit")?;
                Ok(())
            }

            /// Sets how many bytes one result may have.
            ///
            /// # Errors
            ///
            /// If it is 0.
            pub fn set_max_result(&mut self, bytes: u32) -> Result<(), Invalid> {
                self.settings.max_result = positive(bytes, "max-result")?;
                Ok(())
            }

            /// Sets how many bytes may wait to be sent.
            ///
            /// # Errors
            ///
            /// If it is 0.
            pub fn set_max_queued(&mut self, bytes: u32) -> Result<(), Invalid> {
                self.settings.max_queued = positive(bytes, "max-queued")?;
                Ok(())
            }

            /// Sets the nanoseconds that a close may take to send the queue; `None`: no limit.
            pub fn set_close_deadline(&mut self, nanoseconds: Option<u64>) {
                self.settings.close_deadline = nanoseconds;
            }

            /// Switches keep-alive probes on or off.
            pub fn set_keep_alive(&mut self, on: bool) {
                self.$keep_alive$(.$field)*.on = on;
            }

            /// Sets the times of keep-alive, in nanoseconds; `None` keeps the system's value.
            ///
            /// # Errors
            ///
            /// If one of them is 0, which systems refuse.
            pub fn set_keep_alive_times(
                &mut self,
                idle: Option<u64>,
                interval: Option<u64>,
                count: Option<u32>,
            ) -> Result<(), Invalid> {
                set_times(&mut self.$keep_alive$(.$field)*, idle, interval, count)
            }

            /// Cancels the pending calls with these options or a clone of them.
            pub fn cancel(&self) {
                self.cancel.cancel();
            }
        }
    };
}

shared_setters!(ConnectOptions, route.keep_alive);
shared_setters!(ServerOptions, keep_alive);

impl ConnectOptions {
    /// Restricts the addresses to a family.
    pub fn set_family(&mut self, family: AddressFamily) {
        self.route.family = family;
    }

    /// Adds an address to connect from.
    pub fn add_local_address(&mut self, host: &str, port: u16) {
        self.route.local.push((host.to_owned(), port));
    }

    /// Sets the nanoseconds after which the next attempt starts; `None`: only once the one before has failed.
    pub fn set_happy_eyeballs_delay(&mut self, nanoseconds: Option<u64>) {
        self.route.delay = nanoseconds;
    }

    /// Sets how many addresses of the first family come before the first of the other family; 0 keeps the order.
    pub fn set_interleave(&mut self, first_family_count: u32) {
        self.route.interleave = first_family_count;
    }

    /// Sets the nanoseconds that the whole call may take; `None`: no limit.
    pub fn set_deadline(&mut self, nanoseconds: Option<u64>) {
        self.deadline = nanoseconds;
    }

    /// Protects the connection with TLS.
    pub fn set_tls(&mut self, client: Rc<dyn ClientProtector>) {
        self.tls = Some(client);
    }
}

impl ServerOptions {
    /// Restricts the addresses to a family.
    pub fn set_family(&mut self, family: AddressFamily) {
        self.family = family;
    }

    /// Sets the backlog: how many connections the system queues until they are accepted.
    ///
    /// # Errors
    ///
    /// If it is 0, as in all setters of counts.
    pub fn set_backlog(&mut self, connections: u32) -> Result<(), Invalid> {
        positive(connections, "backlog")?;
        self.backlog = connections;
        Ok(())
    }

    /// Sets the most connections at a time.
    ///
    /// # Errors
    ///
    /// If it is 0.
    pub fn set_max_connections(&mut self, n: u32) -> Result<(), Invalid> {
        positive(n, "max-connections")?;
        self.max_connections = Some(n);
        Ok(())
    }

    /// Sets the nanoseconds without a byte after which a connection is aborted; `None`: never.
    pub fn set_idle_timeout(&mut self, nanoseconds: Option<u64>) {
        self.idle_timeout = nanoseconds;
    }

    /// Sets whether the server serves from its creation on.
    pub fn set_start_serving(&mut self, on: bool) {
        self.start_serving = on;
    }

    /// Protects the connections with TLS.
    pub fn set_tls(&mut self, server: Rc<dyn Protector>) {
        self.tls = Some(server);
    }
}

impl ConnectOptions {
    /// Returns the protector of a connection whose options name the server; `None` without TLS.
    pub(crate) fn named_protector(&self) -> Result<Option<Rc<dyn Protector>>, Invalid> {
        match &self.tls {
            Some(client) if !client.is_named() => {
                Err(Invalid("options: TLS without a server name".into()))
            }
            Some(client) => Ok(Some(client.clone().named())),
            None => Ok(None),
        }
    }
}

impl Route {
    /// Sets the keep-alive options of a connected socket.
    pub(crate) fn keep_alive(&self, socket: &dyn BoundSocket) -> Result<(), NetworkError> {
        set_keep_alive(socket, &self.keep_alive)
    }
}

/// Sets the keep-alive options of a socket, if there are any.
pub(crate) fn set_keep_alive(
    socket: &dyn BoundSocket,
    options: &KeepAlive,
) -> Result<(), NetworkError> {
    if !options.on {
        return Ok(());
    }
    socket
        .set_keep_alive(options)
        .map_err(|code| network(code, "set keep-alive"))
}

fn set_times(
    keep_alive: &mut KeepAlive,
    idle: Option<u64>,
    interval: Option<u64>,
    count: Option<u32>,
) -> Result<(), Invalid> {
    if idle == Some(0) || interval == Some(0) || count == Some(0) {
        return Err(Invalid("keep-alive: a time or count of 0".into()));
    }
    (keep_alive.idle, keep_alive.interval, keep_alive.count) = (idle, interval, count);
    Ok(())
}

fn positive(n: u32, name: &str) -> Result<usize, Invalid> {
    if n == 0 {
        return Err(Invalid(format!("{name}: must be at least 1")));
    }
    Ok(usize::try_from(n).unwrap_or(usize::MAX))
}
