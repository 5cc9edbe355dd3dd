//! Serving a program with all cores: the host listens, and workers run the program.
//!
//! A program that listens through `wasi:sockets`, such as a composition with `serve.wasm`, is served unchanged. Each
//! worker is a thread with its own runtime and instance. The host accepts connections and hands each to the live
//! worker that has the fewest. When the program binds one of the host's addresses, its listener yields the
//! connections that the host handed to the worker. Bytes go straight from the socket to the program.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use asyncio_streams_host::serve::{Listener, ServeOptions, Server};
//! use asyncio_streams_host::{Engine, Program};
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let engine = Engine::interruptible(Default::default())?;
//!     let program = Program::from_file(&engine, "app.wasm")?;
//!     let listener = Listener::bind(&"127.0.0.1:8888".parse()?)?;
//!     let server = Server::start(program, vec![listener], ServeOptions::new()).await?;
//!
//!     // The embedder may accept a connection itself, look at its first bytes, and hand it over.
//!     let own = std::net::TcpListener::bind("127.0.0.1:0")?;
//!     server.hand_over(own.accept()?.0)?;
//!
//!     println!("{} connections", server.counters().live);
//!     server.reload(Program::from_file(&engine, "app.wasm")?, None).await?;
//!     let cut = server.shutdown(Duration::from_secs(30)).await;
//!     println!("{cut} clients did not finish in time");
//!     Ok(())
//! }
//! ```
//!
//! # The program's environment, input and output
//!
//! * `STREAMS_SERVE` in its environment contains `--until-stdin-closes`, a grace that never ends, and the addresses,
//!   for `serve.wasm`. Any other program has to bind the same addresses; one that binds every address of a family
//!   gets the listener with that port. A Unix socket is `127.0.0.1:1` for the program if it is the first listener,
//!   port 2 if it is the second one, and so on.
//! * Its standard input is empty. It ends when the program should finish, because the program is replaced or the
//!   server shuts down. A program that never reads its input is ended when its last connection has ended.
//! * Its output becomes events of [`tracing`] with the target `program`, one event a line.
//!
//! # Failures and replacement
//!
//! A worker ends by a trap, by memory beyond the limit, or by computing for longer than
//! [`stuck_timeout`](ServeOptions::stuck_timeout). Its clients lose their connections, all others continue, and a new
//! worker takes its place. Connections that the program had not accepted go to another worker, except those whose TLS
//! handshake had begun. With [`Isolation::Connection`] only that one connection is lost.
//!
//! A worker is replaced only once its successor listens: no client is refused meanwhile.

mod admin;
mod control;
mod counters;
mod listen;
mod options;
mod output;
mod prepare;
mod quit;
mod slot;
mod tls;
mod worker;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};

use crate::program::Program;
use crate::sockets::{Handed, Stream};
use control::{Control, Event, Phase, Reload};
use counters::Stats;

pub use counters::{Counters, EndCause, WorkerCounters};
pub use listen::{Listen, ListenError, ListenParseError, Listener};
pub use options::{Isolation, ServeOptions};
pub use tls::{Tls, TlsConfigError};

/// A program that is being served. Dropping it ends all workers and all their connections at once;
/// [`Server::shutdown`] lets clients finish.
pub struct Server {
    events: mpsc::UnboundedSender<Event>,
    stats: Arc<Stats>,
    addresses: Vec<Listen>,
}

/// The reasons why a program cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// There is nothing to listen on.
    #[error("there is nothing to listen on")]
    NoListener,
    /// The program uses WASI 0.2, whose sockets cannot be served.
    #[error(
        "{} is a program of WASI 0.2; only those of WASI 0.3 can be served",
        crate::Escaped(program)
    )]
    Version {
        /// The program.
        program: String,
    },
    /// The options limit computing, but the engine cannot interrupt a program.
    #[error(
        "the engine cannot interrupt programs: use `Engine::interruptible`, or no stuck timeout"
    )]
    NotInterruptible,
    /// The system refused a resource that the host needs.
    #[error("the host cannot serve: {0}")]
    System(#[from] std::io::Error),
    /// The program did not start: it trapped, it returned, or it did not listen.
    #[error("{} does not serve: {reason}", crate::Escaped(program))]
    Start {
        /// The program.
        program: String,
        /// The cause, in one line.
        reason: String,
    },
    /// A new program did not start; the old one continues.
    #[error(
        "{} does not take over, the old program goes on: {reason}",
        crate::Escaped(program)
    )]
    Reload {
        /// The program.
        program: String,
        /// The cause, in one line.
        reason: String,
    },
    /// The server has ended.
    #[error("the server has ended")]
    Ended,
}

impl Server {
    /// Starts the workers, and returns when all of them listen. The server runs on its own threads, independently of
    /// the caller's runtime.
    ///
    /// # Errors
    /// A [`ServeError`]. Nothing is left running then.
    pub async fn start(
        program: Program,
        listeners: Vec<Listener>,
        options: ServeOptions,
    ) -> Result<Self, ServeError> {
        check(&program, &options)?;
        if listeners.is_empty() {
            return Err(ServeError::NoListener);
        }
        let addresses: Vec<Listen> = listeners
            .iter()
            .map(Listener::address)
            .collect::<Result<_, _>>()?;
        let for_program: Arc<[SocketAddr]> = listeners
            .iter()
            .zip(1..)
            .map(|(listener, number)| listener.address_for_program(number))
            .collect::<Result<_, _>>()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (events, received) = mpsc::unbounded_channel();
        let (back, returned) = mpsc::unbounded_channel();
        let (started, result) = oneshot::channel();
        let stats = Arc::<Stats>::default();
        let name = program.name().to_owned();
        let control = Control {
            tls: options.tls.clone(),
            slots: (0..options.workers.get())
                .map(|_| Default::default())
                .collect(),
            options: Arc::new(options),
            program,
            addresses: for_program,
            stats: Arc::clone(&stats),
            events: events.clone(),
            back,
            freed: Arc::new(Notify::new()),
            leaving: Vec::new(),
            waiting: Default::default(),
            next_id: 0,
            phase: Phase::Starting(started),
        };
        std::thread::Builder::new()
            .name("serve".to_owned())
            .spawn(move || runtime.block_on(control.run(listeners, received, returned)))?;
        let server = Self {
            events,
            stats,
            addresses,
        };
        match result.await {
            Ok(Ok(())) => Ok(server),
            Ok(Err(reason)) => Err(ServeError::Start {
                program: name,
                reason,
            }),
            Err(_) => Err(ServeError::Ended),
        }
    }

    /// Returns the addresses to which clients connect.
    pub fn addresses(&self) -> &[Listen] {
        &self.addresses
    }

    /// Returns the current counts.
    pub fn counters(&self) -> Counters {
        self.stats.counters()
    }

    /// Hands over a connection that the caller accepted. It goes to the program's first listener, through the PROXY
    /// header and TLS if the options have them.
    ///
    /// # Errors
    /// [`ServeError::Ended`].
    pub fn hand_over(&self, stream: std::net::TcpStream) -> Result<(), ServeError> {
        self.hand(Stream::Tcp(stream), None)
    }

    fn hand(&self, stream: Stream, names: Option<crate::sockets::Names>) -> Result<(), ServeError> {
        let handed = Handed {
            stream,
            names,
            listener: 0,
        };
        let sent = self.events.send(Event::HandOver(handed));
        sent.map_err(|_| ServeError::Ended)
    }

    /// Starts `program` in new workers, and lets the clients of the old ones finish within the
    /// [`reload_grace`](ServeOptions::reload_grace). Returns when the new workers serve. `tls` replaces the
    /// certificate.
    ///
    /// # Errors
    /// A [`ServeError`]. The old program continues then.
    pub async fn reload(&self, program: Program, tls: Option<Tls>) -> Result<(), ServeError> {
        if !program.is_p3() {
            let program = program.name().to_owned();
            return Err(ServeError::Version { program });
        }
        let name = program.name().to_owned();
        let (done, result) = oneshot::channel();
        let reload = Box::new(Reload {
            program,
            tls: tls.map(Some),
            done,
        });
        self.events
            .send(Event::Reload(reload))
            .map_err(|_| ServeError::Ended)?;
        match result.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(reason)) => Err(ServeError::Reload {
                program: name,
                reason,
            }),
            Err(_) => Err(ServeError::Ended),
        }
    }

    /// Stops listening, and lets clients finish within `grace`. Returns the number of connections that did not finish
    /// and were cut.
    pub async fn shutdown(&self, grace: Duration) -> usize {
        let (done, cut) = oneshot::channel();
        let _ = self.events.send(Event::Shutdown(grace, done));
        cut.await.unwrap_or(0)
    }

    /// Returns whether the thread that accepts connections answers.
    pub async fn is_alive(&self) -> bool {
        let (alive, answer) = oneshot::channel();
        self.events.send(Event::Ping(alive)).is_ok() && answer.await.is_ok()
    }

    /// Returns whether new connections are served: at least one worker takes them.
    pub fn is_ready(&self) -> bool {
        self.counters().workers.iter().any(|worker| worker.serving)
    }

    /// Answers `GET /healthz`, `/readyz` and `/metrics` on `listener` until the future is dropped. It needs a runtime
    /// with I/O and time enabled.
    ///
    /// # Errors
    /// When the listener cannot be watched.
    pub async fn admin(&self, listener: Listener) -> std::io::Result<()> {
        admin::serve(self, listener).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let (nobody, _) = oneshot::channel();
        let _ = self.events.send(Event::Shutdown(Duration::ZERO, nobody));
    }
}

fn check(program: &Program, options: &ServeOptions) -> Result<(), ServeError> {
    if !program.is_p3() {
        let program = program.name().to_owned();
        return Err(ServeError::Version { program });
    }
    if options.stuck_timeout.is_some() && !program.engine().is_interruptible() {
        return Err(ServeError::NotInterruptible);
    }
    Ok(())
}
