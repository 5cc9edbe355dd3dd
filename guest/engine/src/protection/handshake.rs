//! The handshake of a connection, and what is left when it has failed.

use std::pin::pin;
use std::rc::Rc;

use crate::engine::Engine;
use crate::platform::Sink;
use crate::select::{Either, select};
use crate::transport::{self, Incoming, Transport};
use crate::types::Error;

use super::{Failed, Protector, Unprotected};

/// Nanoseconds for which a connection is kept after a failed handshake, so that the peer receives the alert. The system
/// answers unread input with a reset when the socket closes, and the reset could overtake the alert.
const LINGER: u64 = 2_000_000_000;

impl Transport {
    /// Protects the connection, if there is a protector. The caller keeps the background running meanwhile.
    ///
    /// # Errors
    ///
    /// Those of [`Protector::protect`], and `deadline-exceeded` when the handshake takes too long.
    pub(crate) async fn protect(
        self,
        engine: &Engine,
        protector: Option<Rc<dyn Protector>>,
    ) -> Result<Self, Failed> {
        let Some(protector) = protector else {
            return Ok(self);
        };
        let late = engine.sleep(protector.handshake_timeout());
        let protecting = protector.protect(Unprotected {
            engine: engine.clone(),
            incoming: self.incoming,
            outgoing: self.outgoing,
            early: Vec::new(),
            activity: self.activity.clone(),
        });
        let protected = match select(pin!(protecting), pin!(late)).await {
            Either::Left(protected) => protected?,
            Either::Right(()) => return Err(Error::DeadlineExceeded.into()),
        };
        Ok(Transport {
            incoming: protected.incoming,
            outgoing: protected.outgoing,
            session: Some(protected.session),
            names: self.names,
            activity: self.activity,
        })
    }
}

/// The remains of a connection whose handshake has failed.
pub(crate) struct Remains {
    pub(crate) incoming: Incoming,
    pub(crate) outgoing: Box<dyn Sink>,
}

impl Remains {
    /// Ends the output, and discards the peer's input for a while.
    pub(crate) async fn linger(self, engine: &Engine) {
        let Remains {
            mut incoming,
            mut outgoing,
        } = self;
        let lingering = async {
            // An alert may be sent only in part. Later failures are ignored: the connection has failed already.
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
