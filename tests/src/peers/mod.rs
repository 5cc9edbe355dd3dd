//! The other ends of connections: peers that behave well, and peers that do not.
//!
//! A [`Peer`] listens and runs a script for each connection that arrives; a [`Conn`] is one connection, which a script or
//! a test works with. A [`Crowd`] is many connections at once. All keep to loopback and to free ports, and none waits for
//! ever: what does not come in time is a panic that says what was expected.

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
pub use peer::{Nobody, Peer};
