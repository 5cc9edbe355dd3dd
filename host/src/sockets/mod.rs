//! `wasi:sockets` TCP of WASI 0.3, over the host's own sockets, and Unix sockets beside it.
//!
//! wasmtime-wasi's sockets cannot be built from a socket or listener of the host. These behave like them, with these
//! differences:
//!
//! * A listener may yield connections that the host accepted ([`Given`]), plain, Unix or TLS.
//! * TCP_NODELAY is on: a component coalesces its writes itself, and WASI has no option for it.
//! * A zero-length read waits for data. tokio assumes that a fresh socket is readable, so the read would return at
//!   once.

mod accept;
mod given;
mod link;
mod options;
mod socket;
mod stream;
mod tcp;
mod tcp_connections;
mod tls;
#[allow(unreachable_pub, reason = "generated code exports it again")]
pub mod types;
#[cfg(unix)]
pub(crate) mod unix;

pub(crate) use given::Given;
#[cfg(all(unix, feature = "serve"))]
pub(crate) use given::{Handed, Meter, Permit, Prepare, Prepared, Stream, queue};
pub(crate) use link::add_to_linker;
#[cfg(all(unix, feature = "serve"))]
pub(crate) use socket::{Names, Transport};
#[cfg(all(unix, feature = "serve"))]
pub(crate) use tls::TlsSocket;
