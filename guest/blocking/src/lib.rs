//! `streams-p2.wasm`: the engine behind the interface of calls that block, over WASI 0.2.
//!
//! There is no logic here: each export converts its arguments, calls `asyncio-streams-engine`, waits, and converts the result.

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

mod bindings;
mod convert;
mod face;

use asyncio_streams_engine::{Engine, Limits};
use asyncio_streams_wasi02::Wasi;
use bindings::exports::asyncio::streams::{blocking, bulk, tls, types};

struct Component;

bindings::export!(Component with_types_in bindings);

/// A connection takes 7 handles at the most here, and 4 while it waits for its peer, less than what the engine counts: so
/// the usual 100,000 are enough for this many.
const HANDLES: u32 = 172_800;

thread_local! {
    static ENGINE: Engine = Engine::with_limits(Wasi, Limits { handles: HANDLES, ..Limits::default() });
}

/// Returns the engine of this component.
fn engine() -> Engine {
    ENGINE.with(Engine::clone)
}
