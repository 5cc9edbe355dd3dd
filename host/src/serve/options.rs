//! How to serve.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::tls::Tls;
use crate::limits::Limits;
use crate::network::Network;

/// What a worker's clients have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Isolation {
    /// One instance of the program for all connections of a worker.
    #[default]
    Worker,
    /// A fresh instance of the program for each connection: no client can reach another one's memory, and a trap
    /// ends one connection. It costs some half a millisecond of CPU time and 350 KiB for each.
    Connection,
}

/// How a program is served. The defaults are what most servers want.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServeOptions {
    /// Threads that run the program, each with a memory of its own. The default is the number of cores.
    pub workers: NonZeroUsize,
    /// What clients share. The default is [`Isolation::Worker`].
    pub isolation: Isolation,
    /// Arguments after the program's name. `serve.wasm` takes its addresses from the environment, so the default is
    /// none.
    pub args: Vec<String>,
    /// The environment, beside `STREAMS_SERVE`, which names the addresses.
    pub env: Vec<(String, String)>,
    /// What the program may do on the network by itself. It needs no grant for the connections that it serves.
    pub network: Network,
    /// Folders that the program may read and write, as the host and as the program names them.
    pub dirs: Vec<(std::path::PathBuf, String)>,
    /// Connections at once, for each worker; more wait in the system. The default is 4,000.
    pub max_connections: usize,
    /// Memory and handles, for each instance.
    pub limits: Limits,
    /// An instance that computes for so long without waiting is ended, and so are its connections. `None` is never.
    /// The default is 10 seconds. It takes [`Engine::interruptible`](crate::Engine::interruptible).
    pub stuck_timeout: Option<Duration>,
    /// A worker is replaced after so many connections, one more or less in ten so that not all go at once.
    pub max_requests: Option<u64>,
    /// A worker is replaced at this age, one tenth more or less.
    pub max_age: Option<Duration>,
    /// How long clients of a worker that is replaced may take to finish. The default is 30 seconds.
    pub reload_grace: Duration,
    /// A worker that ends in less than ten seconds for the second time waits so long before it is started again,
    /// for the third time twice as long, and so on. The default is 100 milliseconds.
    pub restart_backoff: Duration,
    /// It never waits longer than this. The default is 10 seconds.
    pub max_restart_backoff: Duration,
    /// A worker that does not listen after this time has failed. The default is 30 seconds.
    pub start_timeout: Duration,
    /// Ends TLS in the host.
    pub tls: Option<Tls>,
    /// Each connection begins with a header of the PROXY protocol, version 1 or 2, which names the client. A
    /// connection without one is refused, so only the proxy should be able to connect.
    pub proxy_protocol: bool,
}

impl Default for ServeOptions {
    fn default() -> Self {
        let max_connections = 4000;
        Self {
            workers: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            isolation: Isolation::default(),
            args: Vec::new(),
            env: Vec::new(),
            network: Network::none(),
            dirs: Vec::new(),
            max_connections,
            limits: Limits::default(),
            stuck_timeout: Some(Duration::from_secs(10)),
            max_requests: None,
            max_age: None,
            reload_grace: Duration::from_secs(30),
            restart_backoff: Duration::from_millis(100),
            max_restart_backoff: Duration::from_secs(10),
            start_timeout: Duration::from_secs(30),
            tls: None,
            proxy_protocol: false,
        }
    }
}

impl ServeOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Handles for an instance: what the connections may take, and as many as by default for everything else.
    pub(super) fn handles(&self) -> usize {
        let connections = match self.isolation {
            Isolation::Worker => self.max_connections,
            Isolation::Connection => 1,
        };
        connections
            .saturating_mul(Limits::HANDLES_PER_ACCEPTED)
            .saturating_add(self.limits.max_handles)
    }
}
