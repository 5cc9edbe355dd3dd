//! The handshake.

use std::rc::Rc;

use crate::engine::{Coop, Engine};
use crate::platform::Sink;
use crate::protection::{Failed, Protected, Remains, Unprotected};
use crate::transport::{self, Incoming};
use crate::types::{Error, TlsFailure};

use super::failure;
use super::session::{Session, Step};
use super::sink::Encrypted;
use super::source::Decrypted;

/// The number of reads before other tasks run.
const TURN: u32 = 16;

/// Runs the handshake of `session`.
///
/// # Errors
///
/// The reason, once the alert was written if the peer takes it; and the remains of the connection.
pub(super) async fn protect(
    unprotected: Unprotected,
    session: Session,
) -> Result<Protected, Failed> {
    let Unprotected {
        engine,
        mut incoming,
        mut outgoing,
        early,
        ..
    } = unprotected;
    session.feed(early);
    if let Err(error) = handshake(&engine, &mut incoming, &mut *outgoing, &session).await {
        let remains = Some(Remains { incoming, outgoing });
        return Err(Failed { error, remains });
    }
    let source = Decrypted::new(&engine, incoming, session.clone());
    Ok(Protected {
        incoming: Incoming::new(Box::new(source), engine.buffers()),
        outgoing: Box::new(Encrypted::new(&engine, outgoing, session.clone())),
        session: Rc::new(session),
    })
}

async fn handshake(
    engine: &Engine,
    incoming: &mut Incoming,
    outgoing: &mut dyn Sink,
    session: &Session,
) -> Result<(), Error> {
    // If the peer takes no more bytes, it may have sent the reason: continue to read.
    let mut unsent = Ok(());
    let mut coop = Coop::new(TURN);
    loop {
        let step = session.advance();
        let records = session.protect(&[]);
        if !records.is_empty() && unsent.is_ok() {
            unsent = transport::write_all(outgoing, records, |_| {}).await;
        }
        // Input after the handshake is for later reads.
        if !session.is_handshaking() {
            return unsent;
        }
        if let Some(Err(error)) = session.end() {
            return Err(error);
        }
        match step {
            Step::Starved => {}
            Step::Ended => return Err(failure::cut_short()),
            Step::Plaintext => {
                let message = "the peer sent data before the end of the handshake".into();
                return Err(failure::tls(TlsFailure::Protocol, message));
            }
        }
        match incoming.read_next().await {
            Some(bytes) => session.feed(bytes),
            None => {
                incoming.outcome().await?;
                unsent?;
                return Err(failure::cut_short());
            }
        }
        coop.spend(engine).await;
    }
}
