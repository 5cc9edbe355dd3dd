//! The options of a server.

use std::time::Duration;

use crate::backend;
use crate::reader::size;
use crate::time::nanoseconds;
use crate::tls::ServerTls;
use crate::{AddressFamily, Error, KeepAlive, Server, ServerConfig};

/// The options of a new server and of every connection that it accepts; an option that is not set
/// has its default.
///
/// Nothing is checked before a server is made with it: a wrong value shows there, as
/// [`Error::InvalidArgument`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerOptions {
    limit: Option<usize>,
    max_result: Option<usize>,
    max_queued: Option<usize>,
    family: Option<AddressFamily>,
    backlog: Option<u32>,
    max_connections: Option<u32>,
    close_deadline: Option<Option<Duration>>,
    idle_timeout: Option<Option<Duration>>,
    keep_alive: Option<KeepAlive>,
    start_serving: Option<bool>,
    tls: Option<ServerTls>,
    mode: Option<u32>,
    keep_socket: bool,
}

impl ServerOptions {
    /// Every option at its default.
    pub fn new() -> Self {
        ServerOptions::default()
    }

    /// The most bytes that a line may have before its separator;
    /// [`DEFAULT_LIMIT`](crate::DEFAULT_LIMIT) by default, at least 1.
    pub fn limit(mut self, bytes: usize) -> Self {
        self.limit = Some(bytes);
        self
    }

    /// The most bytes that one result of a read may have; 64 MiB by default, at least 1.
    pub fn max_result(mut self, bytes: usize) -> Self {
        self.max_result = Some(bytes);
        self
    }

    /// The most bytes that may wait to be sent on one connection; 64 MiB by default, at least 1.
    pub fn max_queued(mut self, bytes: usize) -> Self {
        self.max_queued = Some(bytes);
        self
    }

    /// Sets which addresses to listen on; any by default.
    pub fn family(mut self, family: AddressFamily) -> Self {
        self.family = Some(family);
        self
    }

    /// The number of connections that the system holds for each socket until they are accepted; 100 by
    /// default, at least 1.
    pub fn backlog(mut self, connections: u32) -> Self {
        self.backlog = Some(connections);
        self
    }

    /// The number of connections that may be open at once, at least 1; as many as the component may have by
    /// default. The backlog holds the rest. A larger number than that takes the host to have given
    /// the store handles enough: 24 for each connection.
    pub fn max_connections(mut self, connections: u32) -> Self {
        self.max_connections = Some(connections);
        self
    }

    /// Sets how long closing a connection may take to send what is queued; 30 s by default, none is
    /// without end.
    pub fn close_deadline(mut self, deadline: impl Into<Option<Duration>>) -> Self {
        self.close_deadline = Some(deadline.into());
        self
    }

    /// Sets how long a connection may be idle; none, the default, is without end.
    ///
    /// A connection on which no byte was received and none sent for that long is aborted: reads return the buffered bytes,
    /// then [`Error::DeadlineExceeded`]. It covers the wait for the first byte. It may be late by a quarter of the time.
    /// Without it a client that says nothing more keeps its place for ever: servers on open networks set it.
    pub fn idle_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.idle_timeout = Some(timeout.into());
        self
    }

    /// Makes the system probe idle clients; by default it does not.
    pub fn keep_alive(mut self, keep_alive: KeepAlive) -> Self {
        self.keep_alive = Some(keep_alive);
        self
    }

    /// Sets whether the server listens from the start; on by default. When off, its addresses are bound
    /// but refuse connections until [`Server::start_serving`].
    pub fn start_serving(mut self, on: bool) -> Self {
        self.start_serving = Some(on);
        self
    }

    /// Protects the server's connections by TLS: a client can be accepted after its handshake.
    pub fn tls(mut self, config: &ServerConfig) -> Self {
        self.tls = Some(ServerTls::new(config));
        self
    }

    /// Sets the permissions of a Unix socket's file before a peer can connect, as in `chmod`; the default follows from
    /// the host's umask. Other sockets have no file.
    pub fn mode(mut self, bits: u32) -> Self {
        self.mode = Some(bits);
        self
    }

    /// Sets whether the file of a Unix socket is removed when the server is closed; on by default.
    pub fn cleanup_socket(mut self, on: bool) -> Self {
        self.keep_socket = !on;
        self
    }

    /// The mode of a Unix socket's file, and whether to remove it.
    pub(crate) fn socket_file(&self) -> (Option<u32>, bool) {
        (self.mode, !self.keep_socket)
    }

    /// [`start_server`](crate::start_server) with these options.
    ///
    /// # Errors
    /// - Those of the function.
    /// - [`Error::InvalidArgument`]: a limit, a bound, the backlog, or a time or count of
    ///   keep-alive is 0; the text names it. Nothing was bound.
    pub async fn start_server(
        &self,
        hosts: impl IntoIterator<Item = impl Into<String>>,
        port: u16,
    ) -> Result<Server, Error> {
        let hosts = hosts.into_iter().map(Into::into).collect();
        let options = self.to_backend()?;
        Ok(backend::start_server(hosts, port, Some(&options))
            .await?
            .into())
    }

    /// Makes the implementation's options.
    pub(crate) fn to_backend(&self) -> Result<backend::ServerOptions, Error> {
        #[allow(
            unused_mut,
            clippy::allow_attributes,
            reason = "the setters of a resource take a shared reference"
        )]
        let mut raw = backend::ServerOptions::new();
        if let Some(bytes) = self.limit {
            raw.set_limit(size(bytes))?;
        }
        if let Some(bytes) = self.max_result {
            raw.set_max_result(size(bytes))?;
        }
        if let Some(bytes) = self.max_queued {
            raw.set_max_queued(size(bytes))?;
        }
        if let Some(family) = self.family {
            raw.set_family(backend::family(family));
        }
        if let Some(connections) = self.backlog {
            raw.set_backlog(connections)?;
        }
        if let Some(connections) = self.max_connections {
            raw.set_max_connections(connections)?;
        }
        if let Some(deadline) = self.close_deadline {
            raw.set_close_deadline(deadline.map(nanoseconds));
        }
        if let Some(timeout) = self.idle_timeout {
            raw.set_idle_timeout(timeout.map(nanoseconds));
        }
        if let Some(KeepAlive {
            idle,
            interval,
            count,
        }) = self.keep_alive
        {
            raw.set_keep_alive(true);
            raw.set_keep_alive_times(idle.map(nanoseconds), interval.map(nanoseconds), count)?;
        }
        if let Some(on) = self.start_serving {
            raw.set_start_serving(on);
        }
        if let Some(tls) = &self.tls {
            tls.set(&mut raw)?;
        }
        Ok(raw)
    }
}
