//! Runs the exported async calls of a component: what wit-bindgen's runtime does, with less for the host to do.
//!
//! An exported call that waits is a task of the component model. wit-bindgen gives each of them a waitable set, and a
//! stream by which other tasks wake it, and lets a read of that stream begin and be cancelled at each turn: ten or more
//! calls of the host for a task that waits for one thing. Here these are kept for the next task (`lane`), and the read
//! stays pending.
//!
//! Bindings take it in the place of wit-bindgen's by `runtime_path: "asyncio_streams_task::rt"`. Streams, futures and calls
//! are wit-bindgen's still: they know the task that runs by its C ABI (`abi`), whose version 3 this is.

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

mod abi;
mod lane;
mod shared;
mod spawned;
mod task;

pub use spawned::spawn;

/// wit-bindgen's runtime for generated code, with these tasks.
#[doc(hidden)]
pub mod rt {
    pub use wit_bindgen::rt::*;

    /// As above.
    pub mod async_support {
        pub use crate::task::{callback, start_task};
        pub use wit_bindgen::rt::async_support::*;
    }
}
