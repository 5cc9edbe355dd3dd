//! Shared by all peers of the benchmark: the command line, the time to stop, and the output.

mod meter;
mod order;

pub use meter::{Measured, Meter};
pub use order::{Client, Kind, Order, Server};

/// The environment variable that makes a peer use TLS: a certificate and its key, as PEM. A server presents the
/// certificate; a client trusts it and nothing else. Sessions are not resumed.
pub const TLS: &str = "BENCH_TLS";
