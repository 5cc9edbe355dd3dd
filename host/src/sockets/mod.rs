//! `wasi:sockets` TCP of WASI 0.3, over the host's own sockets.
//!
//! wasmtime-wasi's sockets are closed: no socket or listener can be handed to a program. These behave as
//! wasmtime-wasi's do, with these differences:
//!
//! * A listener may yield connections that the host accepted ([`Given`]), plain, Unix or TLS.
//! * TCP_NODELAY is on: a component coalesces its writes itself, and WASI has no option for it.
//! * A zero-length read waits for data. Under tokio's assumption that a fresh socket is readable it returned at once.

mod accept;
mod given;
mod link;
mod options;
mod socket;
mod stream;
mod tcp;
mod tls;
#[allow(unreachable_pub, reason = "generated code exports it again")]
pub mod types;

pub(crate) use given::Given;
#[cfg(all(unix, feature = "serve"))]
pub(crate) use given::{Handed, Meter, Permit, Prepare, Prepared, Stream, queue};
pub(crate) use link::add_to_linker;
#[cfg(all(unix, feature = "serve"))]
pub(crate) use socket::{Names, Transport};
#[cfg(all(unix, feature = "serve"))]
pub(crate) use tls::TlsSocket;
