//! The conversions and methods that all WIT faces of the engine share.
//!
//! `streams.wasm` and `streams-p2.wasm` export different interfaces whose resources have mostly the same methods. The types
//! of each are generated in its own crate, so most of this is macros: each expands to items over the names that the calling
//! module has imported, which its documentation lists.
//!
//! ```text
//!   convert    the engine's types and errors, as those of the interface
//!   requests   the waits and separators of a caller, as the engine's
//!   options    the option resources
//!   reader, writer, server    the methods that do not wait
//!   tls, no_tls    the configurations of TLS, and their stand-ins without TLS
//!   blocks     bytes in blocks of 64
//!   numbers    resources by number
//!   latin1     bytes as text, in memory
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

pub mod blocks;
mod convert;
pub mod latin1;
mod no_tls;
pub mod numbers;
mod options;
mod reader;
mod requests;
mod server;
mod tls;
mod writer;

pub use asyncio_streams_engine as engine;
pub use bytemuck;
