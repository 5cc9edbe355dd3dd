//! Shared by the guest programs: checks that report failures, and connections to check.
//!
//! A program checks one behaviour. It succeeds when its main function returns ok; a failed check returns a
//! [`Failure`], which `run!` prints. Programs do not panic: a panic is a trap, and its message is lost.

mod pairs;
mod peer;
mod polled;
mod random;
mod raw;
mod tls;
mod traffic;
mod turns;

pub use asyncio_streams_contract::{
    Failure, Result, check, follow, matching, pattern, pending, same,
};
pub use pairs::{Pair, Side, clog, memory, memory_with, port, tcp, tcp_of, tcp_with};
pub use peer::{is_loss, is_refused, is_reset, loopback, peer, peer_port, peer_with};
pub use polled::{reads, writes};
pub use random::Random;
pub use raw::{
    RawError, RawReader, RawServer, RawWriter, crate_connection, crate_error, raw_reader,
    raw_server, raw_writer,
};
pub use tls::{Certificates, SERVER, refused, tls_failure, tls_with, upgraded, upgraded_memory};
pub use traffic::{Figures, Traffic, Wrong, receive, send};
pub use turns::{begun_and_dropped, turns, within_turns};
