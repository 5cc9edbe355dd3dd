//! Runs the exported async calls of a component, and waits for the host without blocking the component.
//!
//! ```text
//!   task       an exported call, from its start until nothing of it is left    (spawned: futures beside it)
//!   background futures that run even while no call is running
//!   source, sink, future, call     reading, writing, one value, an imported call; each has an
//!   operation  that one task's set (shared, wait_set) waits for, or none
//! ```
//!
//! An exported call that waits is a task of the component model. wit-bindgen makes for each task a waitable set and a
//! stream by which other tasks wake it. At each turn it begins and cancels a read of that stream: ten or more host
//! calls for a task that waits for one thing. Here sets and streams are kept for the next task (`wait_set`), and the
//! read stays pending.
//!
//! Bindings use this crate in place of wit-bindgen's runtime, by the generator's option `runtime_path`:
//!
//! - `"asyncio_streams_wasi03::rt"`, for programs: streams and futures are wit-bindgen's. They find the running task by
//!   wit-bindgen's C ABI (`abi`), version 3.
//! - `"asyncio_streams_wasi03::nonblocking_rt"`, for the streams component: streams and futures are this crate's, and
//!   almost no host call blocks (`blocking`). While a component blocks, calls to it start late.

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
mod answer;
mod background;
pub mod bindings;
mod blocking;
mod call;
mod clock;
mod future;
mod future_set;
mod hooks;
mod operation;
mod platform;
mod readable;
mod shared;
mod sink;
mod source;
mod spawned;
mod standing;
mod stream;
mod task;
mod timer;
mod wait_set;
mod waker_slot;

pub use answer::Answer;
pub use background::{
    KeepRunning, Late, after_cancelled, as_background, spawn as spawn_in_background, spawn_daemon,
    start as start_background,
};
pub use clock::ClockWait;
pub use future::{FutureReader, FutureWriter};
pub use future_set::FutureSet;
pub use hooks::{TurnHooks, in_task, set_turn_hooks};
pub use platform::{
    Listener, Received, Sent, TcpSocket, Wasi, WasiUnix, byte_stream, stream_from_handle,
};
pub use sink::{Gone, Plain, Sink};
pub use source::Source;
pub use spawned::spawn;
pub use standing::StandingSet;
pub use stream::{StreamReader, StreamWriter};
pub use task::{let_tasks_exit, next_turn};
pub use timer::{Sleep, now};
pub use waker_slot::WakerSlot;

/// The runtime for generated code of programs: wit-bindgen's, with the tasks of this crate.
#[doc(hidden)]
pub mod rt {
    pub use wit_bindgen::rt::*;

    /// The part for async calls.
    pub mod async_support {
        pub use crate::call::Subtask;
        pub use crate::task::{callback, start_task};
        pub use wit_bindgen::rt::async_support::*;
    }
}

/// The runtime for generated code of a component that never blocks: with the tasks, streams, futures and calls of this
/// crate.
#[doc(hidden)]
pub mod nonblocking_rt {
    pub use wit_bindgen::rt::*;

    /// The part for async calls.
    pub mod async_support {
        pub use crate::call::Subtask;
        pub use crate::future::{FutureReader, FutureVtable, FutureWriter, future_new};
        pub use crate::stream::{StreamReader, StreamVtable, StreamWriter, stream_new};
        pub use crate::task::{callback, start_nonblocking_task as start_task};
        pub use wit_bindgen::rt::async_support::{ErrorContext, TaskCancelOnDrop};
    }
}
