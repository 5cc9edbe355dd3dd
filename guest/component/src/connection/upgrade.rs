//! Protecting a connection that is in use: `start-tls`.
//!
//! The call prepares the upgrade and waits; the pump, which has the outgoing bytes, carries it out when everything that
//! was queued has left.

use std::pin::pin;
use std::rc::Rc;

use futures::future::{Either, select};

use crate::bindings::exports::asyncio::streams::types::{Error, TlsError, TlsFailure};
use crate::driver::{self, Sleep};
use crate::transport::tls::{self, Role};
use crate::transport::{Incoming, Outgoing};

use super::fill::{Away, Lent};
use super::{Connection, Slot};

/// What the pump is to do.
pub(super) struct Upgrade {
    role: Role,
    incoming: Incoming,
    /// What was read before, which belongs to the handshake.
    early: Vec<u8>,
}

impl Connection {
    /// Protects the connection from here on.
    ///
    /// Dropping the call aborts the connection.
    ///
    /// # Errors
    ///
    /// `busy`, `not-supported`, `closed`, `write-after-eof` and `tls(plaintext-pending)` leave the connection as it was,
    /// and so does the failure that ended it before. Everything else is the end of it.
    pub(crate) async fn start_tls(self: &Rc<Self>, role: Role) -> Result<(), Error> {
        let _reading = self.begin_reading()?;
        if self.streaming.replace(true) {
            return Err(Error::Busy);
        }
        let _writing = Writing(self);
        self.output.borrow().writable()?;
        if self.session.borrow().is_some() {
            return Err(Error::NotSupported("TLS: it is protected already".into()));
        }
        self.prepare(role.clone())?;

        driver::start();
        let mut unfinished = Unfinished(Some(self));
        self.pump.wake();
        let done = self.output_changed.until(|| match self.outcome() {
            Some(Err(error)) => Some(Err(error)),
            Some(Ok(())) => Some(Err(Error::Closed)),
            None => self.session.borrow().is_some().then_some(Ok(())),
        });
        let deadline = driver::now().saturating_add(role.handshake_timeout());
        let result = match select(pin!(done), pin!(Sleep::until(deadline))).await {
            Either::Left((result, _)) => result,
            Either::Right(((), _)) => {
                self.output.borrow_mut().abort(Error::DeadlineExceeded);
                self.end_here();
                Err(Error::DeadlineExceeded)
            }
        };
        unfinished.0 = None;
        result
    }

    /// Takes the input out of everybody's reach, and has the pump told.
    fn prepare(&self, role: Role) -> Result<(), Error> {
        {
            let input = self.input.borrow();
            if let Some(failure) = input.failure() {
                return Err(failure.clone());
            }
            if input.buffered() > 0 && matches!(role, Role::Client(_)) {
                return Err(plaintext_pending());
            }
        }
        // Before anything is taken out of the buffer: when the peer has ended its side, what it sent stays readable.
        let Some(incoming) = Lent::borrow(self).and_then(|mut lent| lent.incoming.take()) else {
            return Err(Error::Closed);
        };
        let early = self.input.borrow_mut().take_buffer();
        self.set_aside(early.len());
        // Until the pump gives it back.
        *self.incoming.borrow_mut() = Slot::Lent;
        *self.upgrade.borrow_mut() = Some(Upgrade {
            role,
            incoming,
            early,
        });
        Ok(())
    }

    /// Carries out the upgrade that was asked for, if one was; gives the outgoing bytes back.
    pub(super) async fn upgrade(&self, outgoing: Outgoing) -> Result<Outgoing, Error> {
        let Some(upgrade) = self.upgrade.take() else {
            return Ok(outgoing);
        };
        let _away = Away(self);
        let Upgrade {
            role,
            incoming,
            early,
        } = upgrade;
        let activity = self.activity.clone();
        let protecting = tls::protect(incoming, outgoing, early, role, activity);
        let (incoming, outgoing, session) = protecting.await.map_err(|failed| {
            *self.remains.borrow_mut() = failed.remains;
            failed.error
        })?;
        *self.incoming.borrow_mut() = Slot::Here(incoming);
        *self.session.borrow_mut() = Some(session);
        self.output_changed.wake();
        Ok(outgoing)
    }

    /// Drops an upgrade that the pump did not come to. Only in async tasks.
    pub(super) fn forget_upgrade(&self) {
        let upgrade = self.upgrade.take();
        if upgrade.is_some() {
            let _away = Away(self);
            drop(upgrade);
        }
    }
}

/// The writer is not to be used.
struct Writing<'a>(&'a Connection);

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.0.streaming.set(false);
    }
}

/// An upgrade that nobody waits for any more is the end of the connection: nobody could tell whether it is protected.
struct Unfinished<'a>(Option<&'a Connection>);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.0 {
            connection.abort();
        }
    }
}

fn plaintext_pending() -> Error {
    Error::Tls(TlsError {
        failure: TlsFailure::PlaintextPending,
        message: "bytes that came before TLS are still unread".into(),
    })
}
