use std::sync::Arc;
use std::time::Duration;

use super::client::{Call, Client, Handle, Object};
use crate::error::Error;
use crate::wit::AddressFamily;

/// Options of a new connection. Options that are not set have the component's defaults.
///
/// Senseless values, such as a limit of 0, are an [`Error::InvalidArgument`] of the call that uses them.
#[derive(Debug, Clone, Default)]
pub struct ConnectOptions {
    common: Common,
    local_addresses: Vec<(String, u16)>,
    happy_eyeballs_delay: Option<Option<Duration>>,
    interleave: Option<u32>,
    deadline: Option<Option<Duration>>,
}

/// Options of a new server, and of every connection that it accepts. Options that are not set have the component's
/// defaults.
///
/// Senseless values, such as a limit of 0, are an [`Error::InvalidArgument`] of the call that uses them.
#[derive(Debug, Clone, Default)]
pub struct ServerOptions {
    common: Common,
    backlog: Option<u32>,
    max_connections: Option<u32>,
    idle_timeout: Option<Option<Duration>>,
    start_serving: Option<bool>,
}

/// The options that both have.
#[derive(Debug, Clone, Default)]
struct Common {
    limit: Option<u32>,
    max_result: Option<u32>,
    max_queued: Option<u32>,
    family: Option<AddressFamily>,
    close_deadline: Option<Option<Duration>>,
    keep_alive: Option<bool>,
    keep_alive_times: Option<(Option<Duration>, Option<Duration>, Option<u32>)>,
}

macro_rules! common_options {
    () => {
        /// The defaults.
        pub fn new() -> Self {
            Self::default()
        }

        /// The longest line that `readline` and `readuntil` return, in bytes. Input stops when twice as much is
        /// buffered.
        pub fn limit(mut self, bytes: u32) -> Self {
            self.common.limit = Some(bytes);
            self
        }

        /// The largest result of one read, in bytes.
        pub fn max_result(mut self, bytes: u32) -> Self {
            self.common.max_result = Some(bytes);
            self
        }

        /// The number of bytes that may wait to be sent.
        pub fn max_queued(mut self, bytes: u32) -> Self {
            self.common.max_queued = Some(bytes);
            self
        }

        /// Addresses of this family only.
        pub fn family(mut self, family: AddressFamily) -> Self {
            self.common.family = Some(family);
            self
        }

        /// How long closing may take to send queued output; `None` is for ever.
        pub fn close_deadline(mut self, deadline: Option<Duration>) -> Self {
            self.common.close_deadline = Some(deadline);
            self
        }

        /// Asks the system to probe idle connections.
        pub fn keep_alive(mut self, on: bool) -> Self {
            self.common.keep_alive = Some(on);
            self
        }

        /// The time before the first probe, the time between probes, and the number of unanswered probes after which
        /// the connection is lost; `None` is the system's choice.
        pub fn keep_alive_times(
            mut self,
            idle: Option<Duration>,
            interval: Option<Duration>,
            count: Option<u32>,
        ) -> Self {
            self.common.keep_alive_times = Some((idle, interval, count));
            self
        }
    };
}

impl ConnectOptions {
    common_options!();

    /// Adds a local address to connect from; they are tried in order. Each needs a grant to listen on it
    /// ([`Network::allow_listen`](crate::Network::allow_listen)); an address alone, with port 0.
    pub fn local_address(mut self, host: impl Into<String>, port: u16) -> Self {
        self.local_addresses.push((host.into(), port));
        self
    }

    /// How long one address has before the next one is tried in parallel (RFC 8305); `None` tries one after another.
    pub fn happy_eyeballs_delay(mut self, delay: Option<Duration>) -> Self {
        self.happy_eyeballs_delay = Some(delay);
        self
    }

    /// The number of addresses of the first family that come before one of the other (RFC 8305).
    pub fn interleave(mut self, first_family_count: u32) -> Self {
        self.interleave = Some(first_family_count);
        self
    }

    /// How long connecting may take in all; `None` is as long as the system tries.
    pub fn deadline(mut self, deadline: Option<Duration>) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Makes the component's resource with the same options.
    pub(super) async fn make(&self, client: &Arc<Client>) -> Result<Object, Error> {
        let options = client.guest().connect_options();
        let (resource,) = client
            .call_at_once(Call::new(options.func_constructor(), ()))
            .await?;
        let object = Object::new(Handle::new(resource, client.shared()), client);
        set_common!(self.common, object, options);
        for (host, port) in &self.local_addresses {
            object
                .ask(
                    options.func_add_local_address(),
                    (resource, host.clone(), *port),
                )
                .await?;
        }
        if let Some(delay) = self.happy_eyeballs_delay {
            object
                .ask(
                    options.func_set_happy_eyeballs_delay(),
                    (resource, delay.map(nanoseconds)),
                )
                .await?;
        }
        if let Some(count) = self.interleave {
            object
                .ask(options.func_set_interleave(), (resource, count))
                .await?;
        }
        if let Some(deadline) = self.deadline {
            object
                .ask(
                    options.func_set_deadline(),
                    (resource, deadline.map(nanoseconds)),
                )
                .await?;
        }
        Ok(object)
    }
}

impl ServerOptions {
    common_options!();

    /// The number of connections that the system holds before they are accepted.
    pub fn backlog(mut self, connections: u32) -> Self {
        self.backlog = Some(connections);
        self
    }

    /// The number of connections that may be open at once. At that number the server stops accepting until one ends.
    pub fn max_connections(mut self, connections: u32) -> Self {
        self.max_connections = Some(connections);
        self
    }

    /// How long a connection may be idle; `None`, the default, is for ever.
    ///
    /// A connection on which no byte was received or sent for that long is aborted: reads return the buffered bytes,
    /// then [`Error::DeadlineExceeded`]. The timeout includes the wait for the first byte, and may be late by a
    /// quarter of the time. Servers on open networks should set it.
    pub fn idle_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.idle_timeout = Some(timeout);
        self
    }

    /// With `false` the server binds its addresses but does not listen before
    /// [`Server::start_serving`](super::Server::start_serving).
    pub fn start_serving(mut self, on: bool) -> Self {
        self.start_serving = Some(on);
        self
    }

    /// Makes the component's resource with the same options.
    pub(super) async fn make(&self, client: &Arc<Client>) -> Result<Object, Error> {
        let options = client.guest().server_options();
        let (resource,) = client
            .call_at_once(Call::new(options.func_constructor(), ()))
            .await?;
        let object = Object::new(Handle::new(resource, client.shared()), client);
        set_common!(self.common, object, options);
        if let Some(connections) = self.backlog {
            object
                .ask(options.func_set_backlog(), (resource, connections))
                .await?
                .0?;
        }
        if let Some(connections) = self.max_connections {
            object
                .ask(options.func_set_max_connections(), (resource, connections))
                .await?
                .0?;
        }
        if let Some(timeout) = self.idle_timeout {
            object
                .ask(
                    options.func_set_idle_timeout(),
                    (resource, timeout.map(nanoseconds)),
                )
                .await?;
        }
        if let Some(on) = self.start_serving {
            object
                .ask(options.func_set_start_serving(), (resource, on))
                .await?;
        }
        Ok(object)
    }
}

/// Calls the setters that both resources have; their generated types have nothing in common.
macro_rules! set_common {
    ($common:expr, $object:expr, $options:expr) => {
        let common = &$common;
        let resource = $object.resource();
        if let Some(bytes) = common.limit {
            $object
                .ask($options.func_set_limit(), (resource, bytes))
                .await?
                .0?;
        }
        if let Some(bytes) = common.max_result {
            $object
                .ask($options.func_set_max_result(), (resource, bytes))
                .await?
                .0?;
        }
        if let Some(bytes) = common.max_queued {
            $object
                .ask($options.func_set_max_queued(), (resource, bytes))
                .await?
                .0?;
        }
        if let Some(family) = common.family {
            $object
                .ask($options.func_set_family(), (resource, family))
                .await?;
        }
        if let Some(deadline) = common.close_deadline {
            $object
                .ask(
                    $options.func_set_close_deadline(),
                    (resource, deadline.map(nanoseconds)),
                )
                .await?;
        }
        if let Some(on) = common.keep_alive {
            $object
                .ask($options.func_set_keep_alive(), (resource, on))
                .await?;
        }
        if let Some((idle, interval, count)) = common.keep_alive_times {
            let times = (
                resource,
                idle.map(nanoseconds),
                interval.map(nanoseconds),
                count,
            );
            $object
                .ask($options.func_set_keep_alive_times(), times)
                .await?
                .0?;
        }
    };
}
use set_common;

/// Converts to WASI's nanoseconds of 64 bits: 584 years at most.
pub(super) fn nanoseconds(duration: Duration) -> u64 {
    duration.as_nanos().try_into().unwrap_or(u64::MAX)
}
