//! asyncio's streams over small traits: connections, servers, TLS and quotas.
//!
//! Nothing here depends on WASI, an async runtime, or the way callers reach it. A [`Platform`](platform::Platform)
//! provides sockets, a clock and a background; faces convert arguments and results.
//!
//! ```text
//!   faces: WIT component, linked crate
//!        |
//!        v
//!   engine, reader, writer, server           for callers
//!        |                  |
//!        v                  v
//!   connection  <----   net, quota           resolve, connect, listen; handles, memory, lobby
//!     |      |
//!     v      v
//!   core   transport  <---- tls (protection)
//!              |
//!              v
//!   platform: Source, Sink, TcpSocket, Listener, Clock, Executor
//! ```
//!
//! Three rules apply everywhere, because a trap ends every component in the store:
//!
//! - No borrow of a `RefCell` lives across an `await`.
//! - The contract of [`platform`] holds: operations are polled in async calls and in the background only.
//! - Nothing that a peer or a caller controls reaches an allocation, an index or a sum unchecked.

#![forbid(unsafe_code)]
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

mod connection;
mod engine;
pub mod errors;
mod idle;
mod net;
mod notify;
mod options;
pub mod ordered;
pub mod platform;
mod protection;
mod quota;
mod read_buffers;
mod reader;
mod select;
mod server;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "tls")]
pub mod tls;
mod transport;
pub mod types;
pub mod unix;
mod watch;
mod write_stream;
mod writer;

pub use asyncio_streams_core::{self as core, Request, Separators, Wanted};

pub use connection::{Given, InputRest};
pub use engine::Engine;
pub use options::{ConnectOptions, ServerOptions, Settings};
pub use protection::{ClientProtector, Failed, Protected, Protector, Unprotected};
pub use quota::Limits;
pub use read_buffers::{Permit, Room};
pub use reader::{Reader, size};
pub use server::Server;
pub use transport::Session;
pub use watch::{Event, KeySink, Place, Watch};
pub use writer::{Wait, Writer};
