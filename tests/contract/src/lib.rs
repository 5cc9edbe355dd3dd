//! Checks the whole contract of readers and writers over any kind of connection.
//!
//! [`check_kind`] is given a kind of connection: how to make a connected pair, and how much to write until nothing moves any
//! more. Whatever the kind, the same must hold; what wit/README.md says of streams is what is checked here. It runs where
//! the connections are: natively over the engine, in a guest program over the client crate, or in an embedder over the host
//! crate.
//!
//! ```text
//!   check_kind -> data, ends, limits, waiting, closing   what must hold
//!              |
//!              v
//!            Kind, Reads, Writes                         any kind of connection
//!              ^
//!              |
//!            client (WebAssembly), embedder, guest/engine/tests (native)     who checks
//! ```
//!
//! The checks' own tools are here too, [`Failure`] and the macros, for they are the same on both sides.

mod check;
#[cfg(all(feature = "client", target_family = "wasm"))]
mod client;
mod closing;
mod data;
#[cfg(all(feature = "embedder", not(target_family = "wasm")))]
mod embedder;
mod ends;
mod kind;
mod limits;
mod pattern;
mod waiting;

#[doc(hidden)]
pub use check::shorten;
pub use check::{Failure, Result, pending};
pub use kind::{Answer, Fault, Kind, Pair, Reads, Side, Wanted, Writes};
pub use pattern::{follow, pattern};

/// Checks everything. Each check makes pairs of its own.
///
/// # Errors
/// The first check that does not hold.
pub async fn check_kind<K: Kind>(kind: &K) -> Result {
    data::all(kind).await?;
    ends::all(kind).await?;
    limits::all(kind).await?;
    waiting::all(kind).await?;
    closing::all(kind).await
}
