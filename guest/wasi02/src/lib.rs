//! Runs the engine on WASI 0.2, where a component has no background and every call blocks.
//!
//! ```text
//!   executor   block_on: polls the call's future and the background, then waits for the host
//!   background futures of the engine; they go on while some call waits
//!   reactor    everything that is waited for, in one `poll` of the host; timers
//!   interest   one pollable, kept for as long as its stream
//!   platform   the engine's traits over wasi:sockets, wasi:io and wasi:clocks
//!   abandoned  output streams whose drop would block
//! ```
//!
//! A call is one [`block_on`]. It always polls the background first and has the host wait for all that the
//! background waits for too: so one call moves the bytes of every connection. Between calls nothing moves.

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

mod abandoned;
mod background;
pub mod bindings;
mod executor;
mod flag;
mod interest;
mod platform;
mod reactor;
mod timer;

pub use executor::{Ended, Timeout, answered_at_once, block_on, move_now, next_round};
pub use platform::{Wasi, sink, source, subscribe};
