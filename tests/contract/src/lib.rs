//! Checks the whole contract of readers and writers over any kind of connection.
//!
//! [`check_kind`] takes a kind of connection: how to make a connected pair, and how much to write until everything
//! blocks. The same promises, those of wit/README.md, must hold for every kind. The checks run where the connections
//! are: natively over the engine, in a guest program over the client crate, or in an embedder over the host crate.
//!
//! ```text
//! //!   check_kind -> data, ends, limits, waiting, closing   the promises
//!              |
//!              v
//!            Kind, Reads, Writes                         any kind of connection
//!              ^
//!              |
//! //!            client (WebAssembly), embedder, guest/engine/tests (native)     the kinds
//! ```
//!
//! The crate also contains the tools of the checks, [`Failure`] and the macros, which all kinds share.

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

/// Runs all checks. Each check makes its own pairs.
///
/// # Errors
/// The first check that fails.
pub async fn check_kind<K: Kind>(kind: &K) -> Result {
    data::all(kind).await?;
    ends::all(kind).await?;
    limits::all(kind).await?;
    waiting::all(kind).await?;
    closing::all(kind).await
}
