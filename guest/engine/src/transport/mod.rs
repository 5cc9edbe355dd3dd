//! A transport: the two byte streams of a connection, directly on the platform or protected by TLS.

mod connected;
mod incoming;
mod outgoing;
mod session;

pub(crate) use connected::{Accepted, Names, Transport, local_name, remote_name};
pub(crate) use incoming::Incoming;
pub(crate) use outgoing::{control, end, peer_end, wanted, write_all, write_rest};
pub use session::Session;
