//! `streams.wasm`: asyncio's streams over WASI 0.3.
//!
//! What a program calls is in `api`; it works on a `connection`, which holds the buffers and decisions of
//! `asyncio-streams-core` and a `transport` that moves the bytes. `net` makes transports out of names and
//! addresses. What has to go on when no call is running is done by `driver`.
//!
//! ```text
//!   api (reader, writer, server, options)
//!    |         \
//!    |          v
//!    |         server -----> net (resolve, connect, listen, budget)
//!    v          |             |
//!   connection <+             |
//!    |       \                |
//!    v        v               |
//!   core     transport <------+       driver (background tasks, timers), activity: used by all
//! ```
//!
//! Three rules hold everywhere, because a trap ends every component in the store:
//!
//! - No borrow of a `RefCell` lives across an `await`.
//! - A pending operation is polled in async tasks only. When its owner is dropped it is cancelled in the background
//!   (`asyncio_streams_task`), which must be running: a sync call or a destructor cannot start it.
//! - Nothing that a peer or a caller controls reaches an allocation, an index or a sum unchecked.

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

mod activity;
mod api;
mod bindings;
mod connection;
mod driver;
mod errors;
mod net;
mod server;
mod signal;
mod transport;

use bindings::exports::asyncio::streams::{sockets, streams, tls, words};

struct Component;

bindings::export!(Component with_types_in bindings);
