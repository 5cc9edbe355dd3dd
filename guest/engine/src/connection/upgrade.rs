//! `start-tls`: protects a connection that is in use.
//!
//! The call prepares the handshake and waits. The transmitting task runs it once everything queued is sent.

use std::pin::pin;
use std::rc::Rc;

use crate::platform::Sink;
use crate::protection::{Protector, Unprotected};
use crate::select::{Either, select};
use crate::transport::Incoming;
use crate::types::{Error, TlsError, TlsFailure};

use super::Connection;
use super::input::{Away, Slot};

/// A handshake that has not begun yet.
pub(super) struct Upgrade {
    protector: Rc<dyn Protector>,
    incoming: Incoming,
    /// Input that was read before and belongs to the handshake.
    early: Vec<u8>,
}

impl Connection {
    /// Protects the connection from now on.
    ///
    /// Dropping the call aborts the connection.
    ///
    /// # Errors
    ///
    /// `busy`, `not-supported`, `closed`, `write-after-eof`, `tls(plaintext-pending)` and an earlier failure of the
    /// connection change nothing. Every other error ends the connection.
    pub(crate) async fn start_tls(
        self: &Rc<Self>,
        protector: Rc<dyn Protector>,
    ) -> Result<(), Error> {
        let _reading = self.input.reading.enter()?;
        let _writing = self.output.streaming.enter()?;
        self.output.queue.borrow().writable()?;
        if self.session.borrow().is_some() {
            return Err(Error::NotSupported("TLS: it is protected already".into()));
        }
        self.prepare(protector.clone())?;

        self.engine.platform().start();
        let mut unfinished = Unfinished(Some(self));
        self.mark_dirty();
        let done = self.output.changed.until(|| match self.outcome() {
            Some(Err(error)) => Some(Err(error)),
            Some(Ok(())) => Some(Err(Error::Closed)),
            None => self.session.borrow().is_some().then_some(Ok(())),
        });
        let late = self.engine.sleep(protector.handshake_timeout());
        let result = match select(pin!(done), late).await {
            Either::Left(result) => result,
            Either::Right(()) => {
                self.expire();
                Err(Error::DeadlineExceeded)
            }
        };
        unfinished.0 = None;
        result
    }

    /// Takes the input away from reads.
    fn prepare(&self, protector: Rc<dyn Protector>) -> Result<(), Error> {
        {
            let input = self.input.buffer.borrow();
            if let Some(failure) = input.failure() {
                return Err(failure.clone());
            }
            if input.buffered() > 0 && protector.is_client() {
                return Err(plaintext_pending());
            }
        }
        // Take the source before the buffer: if the peer has ended its side, its bytes stay readable.
        let Some(incoming) = self.input.take_source() else {
            return Err(Error::Closed);
        };
        let early = self.input.buffer.borrow_mut().take_buffer();
        self.set_aside(early.len());
        *self.upgrade.borrow_mut() = Some(Box::new(Upgrade {
            protector,
            incoming,
            early,
        }));
        Ok(())
    }

    /// Runs the requested handshake, if there is one. Returns the sink.
    pub(super) async fn begin_upgrade(
        self: &Rc<Self>,
        sink: Box<dyn Sink>,
    ) -> Result<Box<dyn Sink>, Error> {
        let Some(upgrade) = self.upgrade.take() else {
            return Ok(sink);
        };
        let upgrade = *upgrade;
        let _away = Away(self.clone());
        let unprotected = Unprotected {
            engine: self.engine.clone(),
            incoming: upgrade.incoming,
            outgoing: sink,
            early: upgrade.early,
            activity: self.activity.clone(),
        };
        let protecting = upgrade.protector.protect(unprotected);
        let protected = protecting.await.map_err(|failed| {
            self.remains.set(failed.remains.map(Box::new));
            failed.error
        })?;
        *self.input.source.borrow_mut() = Slot::Here(protected.incoming);
        self.set_session(protected.session);
        self.output.changed.wake();
        Ok(protected.outgoing)
    }

    /// Drops a handshake that has not begun.
    pub(super) fn forget_upgrade(&self) {
        let upgrade = self.upgrade.take();
        if upgrade.is_some()
            && let Some(this) = self.this.upgrade()
        {
            let _away = Away(this);
            drop(upgrade);
        }
    }
}

/// Aborts the connection when a pending `start-tls` is dropped: the application could not tell whether it is protected.
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
