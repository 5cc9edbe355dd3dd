//! Embeds asyncio:streams components in a Rust program, on wasmtime and tokio.
//!
//! # Calling the streams component
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use asyncio_streams_host::{Engine, Limits, Network, StreamsComponent};
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // Compiling takes a second; the result serves any number of instances.
//!     let engine = Engine::new()?;
//!     let component = StreamsComponent::from_file(&engine, "streams.wasm")?;
//!     let network = Network::none().allow_connect("example.org:80".parse()?);
//!     let streams = component.start(network, Limits::default()).await?;
//!
//!     let (reader, writer) = streams.open_connection("example.org", 80).await?;
//!     writer.write(b"HEAD / HTTP/1.0\r\nHost: example.org\r\n\r\n").await?;
//!     loop {
//!         // A deadline around any call; a cancelled read has consumed nothing.
//!         let line = tokio::time::timeout(Duration::from_secs(10), reader.readline()).await??;
//!         let line = String::from_utf8_lossy(&line);
//!         if line.trim_end().is_empty() {
//!             break;
//!         }
//!         print!("{line}");
//!     }
//!     writer.close().await?;
//!     writer.wait_closed().await?;
//!     Ok(())
//! }
//! ```
//!
//! [`Streams`] documents from where it may be called, and the effect of dropping. Calls may run one after another or
//! concurrently. An instance has one event loop in its own task, so queued output is sent even while no call is
//! pending.
//!
//! # Running a composed program
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use asyncio_streams_host::compose::{Part, compose};
//! use asyncio_streams_host::{Engine, Network, Program};
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let app = compose([Part::read("client.wasm")?, Part::read("streams.wasm")?])?;
//!     let program = Program::from_bytes(&Engine::new()?, "client", app.bytes())?;
//!     let network = Network::none().allow_connect("127.0.0.1:8888".parse()?);
//!     let run = program.command().args(["127.0.0.1:8888"]).network(network).output();
//!     let output = tokio::time::timeout(Duration::from_secs(60), run).await??;
//!     println!("{}: {}", output.status.code(), String::from_utf8_lossy(&output.stdout));
//!     Ok(())
//! }
//! ```
//!
//! # Runtimes
//!
//! Any tokio runtime with I/O and time enabled works. The task that awaits [`Command::run`] polls the program. An
//! instance of the streams component is polled by its own task and by the tasks that call it. Sockets wake that task
//! through the runtime.
//!
//! Messages are cheapest when the program and its sockets share a thread: on a current-thread runtime, as in `streams
//! run`, or in a task of its own (`tokio::spawn`) on a runtime of several threads:
//!
//! ```no_run
//! # use asyncio_streams_host::{Command, RunError};
//! # fn run(command: Command) -> Result<(), Box<dyn std::error::Error>> {
//! let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! let status = runtime.block_on(command.run())?;
//! # drop(status); Ok(()) }
//! ```
//!
//! `#[tokio::main]` without a `flavor` calls `block_on` on a runtime of several threads. One thread then polls the
//! program while another waits for the system, so most waits wake a second thread. An echo server with 50 connections
//! needs a third to two thirds more CPU time for each message. Run work that must continue while the program computes, such as a
//! reaction to signals, on a separate thread.
//!
//! # Sockets
//!
//! TCP sockets of WASI 0.3 are this crate's own. TCP_NODELAY is on, so an answer never waits for the acknowledgement
//! of the previous one; otherwise they behave as those of `wasmtime-wasi`.
//!
//! WASI has no Unix sockets. On Unix systems this crate provides `asyncio:streams/unix-host`, which
//! `streams-unix.wasm` and `streams-unix-tls.wasm` import. [`Network::allow_unix_connect`] and
//! [`Network::allow_unix_listen`] grant paths; without them every path is refused.
//!
//! # Signals
//!
//! A program that imports `asyncio:streams/signals`, which is no part of WASI, is told of SIGINT and SIGTERM by
//! [`Command::signals`].
//!
//! # Composing
//!
//! [`compose`] joins parts to a program. With `default-features = false` the crate contains nothing else, and does
//! not depend on wasmtime.
//!
//! # The rights of a guest
//!
//! A guest may do nothing that is not granted. It has no files but those in the folders of [`Command::dir`], no
//! network ([`Network::none`]) and an empty environment. [`Limits`] bound its handles and its memory. Only [`serve`]
//! bounds the time that it computes without waiting; elsewhere such a guest keeps the thread that runs it.
//!
//! # Serving
//!
//! [`serve`] runs a program that listens with all cores: workers, restarts, reload, TLS, metrics. It is the library
//! behind `streams serve`.
//!
//! A guest also cannot choose a local address or port, to listen or to connect from, unless [`Network::allow_listen`]
//! grants it. Messages of this crate escape the control characters in text of guests and peers ([`Escaped`]). A
//! guest's own output is passed on unchanged.

#![cfg_attr(
    not(test),
    deny(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

#[allow(
    clippy::indexing_slicing,
    reason = "the indices of parts come from the list of parts"
)]
pub mod compose;
mod text;

#[cfg(feature = "embed")]
mod engine;
#[cfg(feature = "embed")]
mod error;
#[cfg(feature = "embed")]
mod life;
#[cfg(feature = "embed")]
mod limits;
#[cfg(feature = "embed")]
mod network;
#[cfg(feature = "embed")]
mod program;
#[cfg(all(unix, feature = "serve"))]
pub mod serve;
#[cfg(feature = "embed")]
mod signals;
#[cfg(feature = "embed")]
mod sockets;
#[cfg(feature = "embed")]
mod state;
#[cfg(feature = "embed")]
mod streams;
#[cfg(feature = "embed")]
mod wit;

pub use self::text::Escaped;

#[cfg(feature = "embed")]
pub use self::{
    engine::{Engine, LoadError},
    error::{
        Address, CertificateFailure, ConnectAttempt, Error, NetworkCode, NetworkError, TlsError,
        TlsFailure,
    },
    limits::Limits,
    network::{Denied, Endpoint, EndpointError, Network},
    program::{Command, ExitStatus, Output, Program, RunError, Stdin, Stdout},
    signals::{Signal, Signals},
    streams::{
        ConnectOptions, Incoming, PartialWrite, Reader, Server, ServerOptions, Streams,
        StreamsComponent, Writer,
    },
    wit::{AddressFamily, Wanted},
};

#[cfg(all(unix, feature = "embed"))]
pub use self::network::UnixPath;
