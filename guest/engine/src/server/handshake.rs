//! The handshakes of accepted connections.

use std::pin::pin;
use std::rc::Rc;

use crate::connection::Owner;
use crate::protection::{Failed, Protector};
use crate::quota::HandlePermit;
use crate::select::{Either, select};
use crate::transport::Transport;

use super::Inner;

impl Inner {
    /// Hands a connection out, after the handshake if the server uses TLS.
    pub(super) fn receive(self: &Rc<Self>, transport: Transport, permit: HandlePermit) {
        match self.rules.tls.clone() {
            Some(protector) => {
                let protecting = self.clone().protect(transport, permit, protector);
                self.engine.spawn(protecting);
            }
            None => self.hand_out(transport, permit),
        }
    }

    /// Runs the handshake of a connection, unless the server closes meanwhile.
    async fn protect(
        self: Rc<Self>,
        transport: Transport,
        permit: HandlePermit,
        protector: Rc<dyn Protector>,
    ) {
        let activity = transport.activity.clone();
        let protected = {
            let protecting = pin!(transport.protect(&self.engine, Some(protector)));
            let closed = pin!(self.changed.until(|| self.is_closed().then_some(())));
            let idle = pin!(activity.expired());
            match select(protecting, select(closed, idle)).await {
                Either::Left(protected) => Some(protected),
                Either::Right(_) => None,
            }
        };
        match protected {
            Some(Ok(transport)) if !self.is_closed() => return self.hand_out(transport, permit),
            Some(Err(Failed {
                remains: Some(remains),
                ..
            })) => remains.linger(&self.engine).await,
            gone => drop(gone),
        }
        drop(permit);
        self.freed();
    }
}
