//! What protects a connection, as everything above knows it. TLS is the only kind.

use std::pin::pin;
use std::rc::Rc;

use futures::future::select;

use crate::engine::Engine;
use crate::idle::Activity;
use crate::platform::{BoxFuture, Sink};
use crate::transport::{self, Incoming};
use crate::types::{Error, TlsInfo};

/// Nanoseconds for which a connection is kept whose handshake has failed, so that the peer gets the alert: the system
/// answers unread input with a reset when the socket goes, and the reset could overtake it.
const LINGER: u64 = 2_000_000_000;

/// Protects connections, as their client for one name, or as their server.
pub trait Protector {
    /// Returns the nanoseconds that a handshake may take.
    fn handshake_timeout(&self) -> u64;

    /// Returns whether this side begins the handshake. The input may then hold nothing yet.
    fn is_client(&self) -> bool;

    /// Does the handshake over a connection. `early` is input that was read before.
    ///
    /// Dropping the future drops the connection.
    ///
    /// # Errors
    ///
    /// The reason, after the peer was told, and what is left of the connection.
    fn protect(&self, unprotected: Unprotected) -> BoxFuture<'static, Result<Protected, Failed>>;
}

/// Protects connections as their client, once there is a name to verify.
pub trait ClientProtector {
    /// Returns whether there is a name to verify.
    fn is_named(&self) -> bool;

    /// Returns the protector for the name that was set.
    fn named(self: Rc<Self>) -> Rc<dyn Protector>;

    /// Returns the protector for the name that was set, else for `host`.
    ///
    /// # Errors
    ///
    /// Those of connecting to a host that is neither a name nor an address.
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
pub struct Protected {
    pub(crate) incoming: Incoming,
    pub(crate) outgoing: Box<dyn Sink>,
    pub(crate) session: Rc<dyn Session>,
}

/// What both directions of a protected connection share.
pub trait Session {
    /// Returns what the handshake has agreed on.
    fn info(&self) -> TlsInfo;

    /// Returns how many bytes are stored that were not decrypted yet.
    fn held(&self) -> usize;

    /// Returns whether one direction can end before the other (RFC 8446, 6.1).
    fn can_half_close(&self) -> bool;

    /// Has `act` called when TLS has something to send of its own.
    fn on_control(&self, act: Box<dyn Fn()>);
}

/// A handshake that failed.
pub struct Failed {
    pub(crate) error: Error,
    /// What is left of the connection, if the handshake had begun. It counts until it is gone.
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

/// A connection whose handshake has failed.
pub(crate) struct Remains {
    pub(crate) incoming: Incoming,
    pub(crate) outgoing: Box<dyn Sink>,
}

impl Remains {
    /// Ends the output, and discards what the peer still sends, for a while.
    pub(crate) async fn linger(self, engine: &Engine) {
        let Remains {
            mut incoming,
            mut outgoing,
        } = self;
        let lingering = async {
            // An alert may have left in part. Later failures say nothing new: the connection has failed already.
            if transport::write_rest(&mut *outgoing, |_| {}).await.is_ok() {
                let _ = transport::end(&mut *outgoing).await;
            }
            while let Some(bytes) = incoming.read_next().await {
                engine.buffers().give_back(bytes);
            }
        };
        select(pin!(lingering), engine.sleep(LINGER)).await;
    }
}
