//! The other ends of connections: well-behaved peers, and others.
//!
//! A [`Peer`] listens and runs a script for each connection; a [`Conn`] is one connection, for a script or a test. A
//! [`Crowd`] is many connections at once. All use loopback and free ports. No wait is unbounded: a missed deadline is
//! a panic that names the expectation.

mod conn;
mod crowd;
mod gate;
#[cfg(target_os = "linux")]
mod hole;
mod pattern;
mod peer;
#[cfg(target_os = "linux")]
mod tcp_info;

pub use conn::{Conn, End, PATIENCE};
pub use crowd::Crowd;
pub use gate::Gate;
#[cfg(target_os = "linux")]
pub use hole::BlackHole;
pub use pattern::{Pattern, pattern};
pub use peer::{Nobody, Peer, listener};
