//! Protection of connections, as the rest of the engine sees it. TLS is the only kind: without it, the parts that only protected
//! connections need are left out.

#[cfg(not(feature = "tls"))]
#[path = "no_handshake.rs"]
mod handshake;
#[cfg(feature = "tls")]
mod handshake;

use std::rc::Rc;

use crate::engine::Engine;
use crate::idle::Activity;
use crate::platform::{BoxFuture, Sink};
use crate::transport::{Incoming, Session};
use crate::types::Error;

pub(crate) use handshake::Remains;

/// Protects connections: as a client, for one server name; or as a server.
pub trait Protector {
    /// Returns the nanoseconds that a handshake may take.
    fn handshake_timeout(&self) -> u64;

    /// Returns whether this side begins the handshake. If so, no input may have arrived before it.
    fn is_client(&self) -> bool;

    /// Runs the handshake over a connection.
    ///
    /// Dropping the future drops the connection.
    ///
    /// # Errors
    ///
    /// The reason, once the alert was written if the peer takes it; and the remains of the connection.
    fn protect(&self, unprotected: Unprotected) -> BoxFuture<'static, Result<Protected, Failed>>;
}

/// Protects connections as a client, once there is a name to verify.
pub trait ClientProtector {
    /// Returns whether there is a name to verify.
    fn is_named(&self) -> bool;

    /// Returns the protector for the name that was set.
    fn named(self: Rc<Self>) -> Rc<dyn Protector>;

    /// Returns the protector for the name that was set, or else for `host`.
    ///
    /// # Errors
    ///
    /// As for connecting to a host that is neither a name nor an address.
    fn for_host(self: Rc<Self>, host: &str) -> Result<Rc<dyn Protector>, Error>;
}

/// A connection before the handshake.
#[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "only TLS protects"))]
pub struct Unprotected {
    pub(crate) engine: Engine,
    pub(crate) incoming: Incoming,
    pub(crate) outgoing: Box<dyn Sink>,
    pub(crate) early: Vec<u8>,
    pub(crate) activity: Activity,
}

/// A connection after the handshake.
#[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "only TLS protects"))]
pub struct Protected {
    pub(crate) incoming: Incoming,
    pub(crate) outgoing: Box<dyn Sink>,
    pub(crate) session: Rc<dyn Session>,
}

/// A handshake that failed.
pub struct Failed {
    pub(crate) error: Error,
    /// The remains of the connection, if the handshake had begun. They count until they are gone.
    pub(crate) remains: Option<Remains>,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Failed {
            error,
            remains: None,
        }
    }
}

impl Failed {
    /// Lets the remains linger in the background, and keeps `held` until they are gone.
    pub(crate) fn linger(self, engine: &Engine, held: impl Sized + 'static) -> Error {
        if let Some(remains) = self.remains {
            let within = engine.clone();
            engine.spawn(async move {
                remains.linger(&within).await;
                drop(held);
            });
        }
        self.error
    }
}
