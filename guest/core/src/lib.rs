//! asyncio:streams without I/O.
//!
//! Bytes and events go in, bytes and decisions come out. Nothing here depends on WASI, an async runtime or a clock. The
//! caller moves the bytes, waits, and passes the time in. Therefore every detail can be tested on any machine, and the
//! same code serves sockets, in-memory pairs and other transports.
//!
//! ```text
//!   transport --feed--> Reader --read, readline...--> caller        every read returns at once: bytes, an error,
//!                                                                   or None = "would have to wait"
//!   caller --write--> Writer --next, sent, ended--> transport       at most one write is in flight
//!
//!   interleave, HappyEyeballs    in which order, and when, to try the addresses of a name
//!   ServerState, Backoff         whether to accept, and when to accept again
//! ```
//!
//! In some cases asyncio loses bytes, hides an error or hangs. These types do not; the documentation of each names the
//! difference. No input makes them panic or take quadratic time.

#![no_std]
#![forbid(unsafe_code)]
// A panic in a component is a trap, and a trap ends every component of the store. So code that can panic is refused.
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

extern crate alloc;
#[cfg(test)]
extern crate std;

mod automaton;
mod buffer;
mod byte_set;
mod connect;
mod cost;
mod defaults;
mod error;
mod matcher;
mod order;
mod queue;
mod reader;
mod search;
mod separators;
mod server;
mod writer;

pub use connect::{HappyEyeballs, Step};
pub use defaults::{
    ACCEPT_BACKOFF_FIRST, ACCEPT_BACKOFF_LONGEST, BACKLOG, CLOSE_DEADLINE, COALESCE, DEFAULT_HIGH,
    DEFAULT_LIMIT, DEFAULT_LOW, DEFAULT_MAX_QUEUED, DEFAULT_MAX_RESULT, HANDLES_ACCEPTED,
    HANDLES_OPENED, HAPPY_EYEBALLS_DELAY,
};
pub use error::{InvalidArgument, ReadError, ServerClosed, WriteError};
pub use order::interleave;
pub use reader::{Reader, Request, Wanted};
pub use separators::Separators;
pub use server::{Backoff, ServerState};
pub use writer::{Transmit, Writer};
