//! The options of a server.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::tls::Tls;
use crate::limits::Limits;
use crate::network::Network;

/// The part of a worker that its clients share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Isolation {
    /// One instance of the program for all connections of a worker.
    #[default]
    Worker,
    /// A fresh instance of the program for each connection: no client can reach another one's memory, and a trap ends
    /// one connection. Each costs about half a millisecond of CPU time and 350 KiB.
    Connection,
}

/// The options of a server. The defaults suit most servers.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServeOptions {
    /// Threads that run the program, each with its own memory. The default is the number of cores.
    pub workers: NonZeroUsize,
    /// The part that clients share. The default is [`Isolation::Worker`].
    pub isolation: Isolation,
    /// Arguments after the program's name. `serve.wasm` takes its addresses from the environment, so the default is
    /// none.
    pub args: Vec<String>,
    /// The environment, in addition to `STREAMS_SERVE`, which names the addresses.
    pub env: Vec<(String, String)>,
    /// The network of the program itself. The connections that it serves need no grant.
    pub network: Network,
    /// Folders that the program may read and write: the path on the host, and the path that the program sees.
    pub dirs: Vec<(std::path::PathBuf, String)>,
    /// Largest number of connections of each worker; more wait in the system. The default is 4,000.
    pub max_connections: usize,
    /// Memory and handles, for each instance.
    pub limits: Limits,
    /// How long an instance may compute without waiting, before it and its connections are ended. `None` is no limit.
    /// The default is 10 seconds. A limit requires [`Engine::interruptible`](crate::Engine::interruptible).
    pub stuck_timeout: Option<Duration>,
    /// Replaces a worker after this many connections, up to one tenth more or less, so that not all are replaced at
    /// once.
    pub max_requests: Option<u64>,
    /// Replaces a worker at this age, up to one tenth more or less.
    pub max_age: Option<Duration>,
    /// How long clients of a worker that is replaced may take to finish. The default is 30 seconds.
    pub reload_grace: Duration,
    /// The pause before a worker is restarted that ended in less than ten seconds for the second time. It doubles
    /// with each further failure. The default is 100 milliseconds.
    pub restart_backoff: Duration,
    /// The longest such pause. The default is 10 seconds.
    pub max_restart_backoff: Duration,
    /// How long a worker may take to listen, before it has failed. The default is 30 seconds.
    pub start_timeout: Duration,
    /// Ends TLS in the host.
    pub tls: Option<Tls>,
    /// Whether each connection begins with a header of the PROXY protocol, version 1 or 2, which names the client. A
    /// connection without one is refused. Only the proxy should be able to connect, since its header is believed.
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

    /// Returns the handles of an instance: enough for the connections, plus the default number for everything else.
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
