//! `streams.wasm`: the engine behind the WIT interface, over WASI 0.3.
//!
//! There is no logic here: each export converts its arguments, calls `asyncio-streams-engine`, and converts the result.

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

use asyncio_streams_engine::Engine;
use asyncio_streams_wasi03::Wasi;
use bindings::exports::asyncio::streams::{numbers, sockets, streams, tls, types, unix};

struct Component;

bindings::export!(Component with_types_in bindings);

thread_local! {
    static ENGINE: Engine = Engine::new(Wasi);
}

/// Returns the engine of this component.
fn engine() -> Engine {
    ENGINE.with(Engine::clone)
}
