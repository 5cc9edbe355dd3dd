//! asyncio's streams for WebAssembly components in Rust: connections and servers with a buffered
//! reader and a writer with back-pressure.
//!
//! The engine is part of the program (feature `linked`, the default), which then imports WASI 0.3
//! only, and runs as it is. With the feature `imported` the program imports the interface
//! `asyncio:streams` instead, and is composed with `streams.wasm`: that takes the macro [`serve!`],
//! and lets components pass readers and writers to each other. The API is the same.
//!
//! # A client
//! ```no_run
//! # mod program {
//! use asyncio_streams::{Error, cli, open_connection};
//!
//! asyncio_streams::run!(main);
//!
//! async fn main() -> Result<(), Error> {
//!     let (reader, writer) = open_connection("127.0.0.1", 8888).await?;
//!     writer.write("Hello World!\n")?;
//!     writer.drain().await?;
//!     writer.write_eof()?;
//!
//!     let mut lines = reader.lines();
//!     while let Some(line) = lines.next().await? {
//!         cli::println(cli::escaped(line.trim_ascii_end())).await?;
//!     }
//!     writer.close();
//!     writer.wait_closed().await
//! }
//! # }
//! # fn main() {}
//! ```
//!
//! ```sh
//! cargo rustc --release --target wasm32-wasip2 --crate-type cdylib
//! wasmtime run -S inherit-network target/wasm32-wasip2/release/client.wasm
//! ```
//!
//! With `imported`, a composition comes between:
//!
//! ```sh
//! wac plug client.wasm --plug streams.wasm -o app.wasm
//! wasmtime run -S inherit-network app.wasm
//! ```
//!
//! # A server
//! A program listens with [`start_server`], and calls [`Server::serve_forever`] or
//! [`Server::accept`] in a loop. Or, with `imported`, `serve.wasm` listens, and the crate is only the
//! handler:
//!
//! ```no_run
//! use asyncio_streams::{Error, Reader, Writer};
//!
//! asyncio_streams::serve!(greet);
//!
//! async fn greet(reader: Reader, writer: Writer) -> Result<(), Error> {
//!     writer.send("Who is there?\n").await?;
//!     let name = reader.readline().await?;
//!     writer.write("Hello ")?;
//!     writer.write(name)?;
//!     writer.drain().await
//! }
//! ```
//!
//! ```sh
//! wac plug serve.wasm --plug handler.wasm -o t.wasm
//! wac plug t.wasm --plug streams.wasm -o app.wasm
//! wasmtime run -S inherit-network app.wasm 127.0.0.1:8888
//! ```
//!
//! # Calls that block
//! With the feature `blocking`, the module `blocking` has the same streams for hosts of WASI 0.2, which know nothing of async
//! calls. Such a program is composed with `streams-p2.wasm`.
//!
//! # Unix sockets
//! [`open_unix_connection`] and [`start_unix_server`] need a host that provides `asyncio:streams/unix-host`, such as
//! `streams run`; the module [`unix`] says more.
//!
//! # Rules and limits
//! - A component is one thread. Calls overlap where they wait: [`spawn`] a task, or join futures
//!   with any crate for that.
//! - Any call can be dropped: [`timeout`] is enough for deadlines, `select!` for choices. A dropped
//!   call loses no byte.
//! - Readers, writers and servers are shared by reference. A second read while one waits returns
//!   [`Error::Busy`].
//! - Queued bytes are sent while the program awaits. A call that blocks the program, such as a sleep
//!   that is no future, does not send them: see [`Writer`].
//! - `wasmtime run` ends the program when `main` returns: close and await [`Writer::wait_closed`]
//!   before. [`run!`] then waits, for a bounded time, until the peers have ended too: see [`linger()`].
//! - Connections implement the traits of futures-io, for crates that read and write by them: see
//!   [`io`].
//! - On `wasm32-unknown-unknown`, `std` has no input, output, clock or threads; [`cli`], [`sleep`]
//!   and [`now`] stand in.
//! - On other targets than WebAssembly the crate compiles, for checks and documentation, and its
//!   calls panic.
//! - A world of the program's own needs bindings with the runtime of this crate, by the generator's
//!   option `runtime_path`. With wit-bindgen's own runtime, an async export traps when it waits for a
//!   connection.
//!
//! ```no_run
//! use asyncio_streams::open_connection;
//!
//! asyncio_streams::wit_bindgen::generate!({
//!     inline: "
//!         package example:greeter;
//!
//!         world greeter {
//!             export greet: async func(port: u16) -> result<list<u8>, string>;
//!         }
//!     ",
//!     runtime_path: "asyncio_streams::rt",
//! });
//!
//! struct Greeter;
//!
//! export!(Greeter);
//!
//! impl Guest for Greeter {
//!     async fn greet(port: u16) -> Result<Vec<u8>, String> {
//!         let greeting = async {
//!             let (reader, writer) = open_connection("127.0.0.1", port).await?;
//!             writer.send("Hello World!\n").await?;
//!             reader.readline().await
//!         };
//!         greeting.await.map_err(|error: asyncio_streams::Error| error.to_string())
//!     }
//! }
//! # fn main() {}
//! ```

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

pub mod bindings;
#[cfg(feature = "blocking")]
pub mod blocking;
pub mod cli;
pub mod io;

mod address;
#[cfg(feature = "imported")]
#[path = "imported/mod.rs"]
mod backend;
#[cfg(not(feature = "imported"))]
#[path = "linked/mod.rs"]
mod backend;
mod byte_stream;
mod connect;
mod error;
mod lines;
mod parked;
#[doc(hidden)]
pub mod program;
mod read;
mod reader;
mod server;
mod server_options;
mod start_tls;
mod task;
mod time;
mod tls;
pub mod unix;
mod writer;

/// The runtime for bindings of the program's own worlds, by the generator's option `runtime_path`.
pub use asyncio_streams_wasi03::rt;
#[cfg(feature = "imported")]
pub use backend::sockets;
pub use bindings::streams::{Waits, Wanted};
pub use bindings::tls::{ClientAuthentication, TlsInfo, TlsVersion};
pub use bindings::types::{
    Address, AddressFamily, CertificateFailure, ConnectAttempt, Incomplete, InetAddress,
    NetworkCode, NetworkError, OtherError, Overrun, TlsError, TlsFailure,
};
pub use byte_stream::{ByteReader, ByteWriter, byte_stream};
pub use connect::{ConnectOptions, DEFAULT_LIMIT, KeepAlive, from_stream, open_connection, wrap};
pub use error::Error;
pub use lines::Lines;
pub use program::{Outcome, linger};
pub use reader::Reader;
pub use server::{Server, start_server};
pub use server_options::ServerOptions;
pub use task::{Task, spawn};
pub use time::{Elapsed, now, sleep, timeout};
pub use tls::{ClientConfig, ServerConfig};
pub use unix::{open_unix_connection, start_unix_server};
/// The bindings' generator, of the version that this crate uses.
pub use wit_bindgen;
pub use writer::Writer;
