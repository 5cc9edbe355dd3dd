//! A network in memory, a fake clock and an executor: a platform of the engine for tests.
//!
//! Tests of applications over the engine run on it in milliseconds. It has faults that are rare on a real network:
//! resets, half-closes, peers that stop reading, bytes that arrive one by one or never. Tests are deterministic:
//! nothing depends on the machine, and a [seed](Network::with_seed) varies the order and the sizes.
//!
//! ```
//! use asyncio_streams_engine::testing::Network;
//! use asyncio_streams_engine::{ConnectOptions, Engine, Request};
//!
//! let network = Network::new();
//! let (here, there) = (network.host(&["192.0.2.1"]), network.host(&["192.0.2.2"]));
//! let mut listener = there.listen("192.0.2.2:7".parse().unwrap(), 10).unwrap();
//! let engine = Engine::new(here);
//! network.run(async move {
//!     let options = ConnectOptions::default();
//!     let (reader, writer) = engine.open_connection("192.0.2.2", 7, options).await.unwrap();
//!     let peer = listener.accept().await;
//!     writer.write(b"hello\n".to_vec()).unwrap();
//!     assert_eq!(peer.read(100).await.unwrap(), b"hello\n");
//!     peer.reset();
//!     assert!(reader.read(&Request::Readline).await.is_err());
//! });
//! // Nothing is left: no socket, no timer, no pending operation.
//! network.finish();
//! ```
//!
//! It also checks the contract of [`platform`](crate::platform), and panics if it is broken:
//!
//! - An operation is polled in a sync call (see [`sync_call`]).
//! - A write begins before the last one has ended.
//! - A task ends while operations still wait in it.
//! - A handle leaks.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "used in tests only, where a panic reports a failure"
)]

mod background;
mod call;
mod clock;
mod contract;
mod counts;
mod faults;
mod flow;
mod host;
mod link;
mod listener;
mod network;
mod peer;
mod ports;
mod random;
mod sink;
mod socket;
mod source;
mod stream;
mod tasks;
mod world;

pub use contract::sync_call;
pub use counts::Live;
pub use faults::{Cut, CutKind, Faults, Route, Slow};
pub use host::Host;
pub use network::Network;
pub use peer::{Peer, PeerListener};
pub use random::Random;
pub use stream::{StreamSink, StreamSource, stream};
pub use tasks::Task;
