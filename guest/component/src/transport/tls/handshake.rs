//! The handshake, and how a connection ends whose handshake has failed.

use std::pin::pin;

use futures::future::select;

use crate::activity::Activity;
use crate::bindings::exports::asyncio::streams::types::{Error, TlsFailure};
use crate::driver;
use crate::transport::{self, plain, read_buffers};

use super::incoming::{Incoming, more};
use super::outgoing::Outgoing;
use super::session::{Session, Step};
use super::{Role, failure};

/// Reads in a row after which other tasks get a turn.
const TURN: u32 = 16;

/// Nanoseconds for which a connection that failed is kept, so that the peer gets the alert: the system answers input that
/// nobody read with a reset when the socket goes, and that could come before it.
const PARTING: u64 = 2_000_000_000;

/// Both directions, and what they share.
pub(crate) type Protected = (transport::Incoming, transport::Outgoing, Session);

/// A handshake that failed.
pub(crate) struct Failed {
    pub(crate) error: Error,
    /// What is left of the connection, if it had begun. It counts until it is gone.
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
    /// Has the remains part in the background, and keeps `held` until they are gone.
    pub(crate) fn leave(self, held: impl Sized + 'static) -> Error {
        if let Some(remains) = self.remains {
            driver::spawn(async move {
                remains.part().await;
                drop(held);
            });
        }
        self.error
    }
}

/// A connection whose handshake has failed.
pub(crate) struct Remains {
    incoming: plain::Incoming,
    outgoing: plain::Outgoing,
}

/// Does the handshake. `early` is what has been read of it already. The driver must be kept meanwhile.
///
/// Dropping the call drops the connection.
///
/// # Errors
///
/// What failed, after the peer was told. The remains are still to [part](Remains::part).
pub(crate) async fn protect(
    incoming: transport::Incoming,
    outgoing: transport::Outgoing,
    early: Vec<u8>,
    role: Role,
    activity: Activity,
) -> Result<Protected, Failed> {
    let (transport::Incoming::Plain(mut incoming), transport::Outgoing::Plain(mut outgoing)) =
        (incoming, outgoing)
    else {
        return Err(Error::NotSupported("TLS within TLS".into()).into());
    };
    let session = role.session(activity)?;
    session.feed(early);
    if let Err(error) = shake_hands(&mut incoming, &mut outgoing, &session).await {
        let remains = Some(Remains { incoming, outgoing });
        return Err(Failed { error, remains });
    }
    Ok((
        transport::Incoming::Tls(Incoming::new(incoming, session.clone())),
        transport::Outgoing::Tls(Outgoing::new(outgoing, session.clone())),
        session,
    ))
}

async fn shake_hands(
    incoming: &mut plain::Incoming,
    outgoing: &mut plain::Outgoing,
    session: &Session,
) -> Result<(), Error> {
    // When the peer takes nothing any more, it may have said why.
    let mut unheard = Ok(());
    let mut reads: u32 = 0;
    loop {
        let step = session.advance();
        let records = session.protect(&[]);
        if !records.is_empty() && unheard.is_ok() {
            unheard = outgoing.write(records, |_| {}).await;
        }
        // Once it is done, whatever came behind it is for whoever reads.
        if !session.is_handshaking() {
            return unheard;
        }
        if let Some(Err(error)) = session.end() {
            return Err(error);
        }
        match step {
            Step::Starved => {}
            Step::Ended => return Err(failure::cut_short()),
            Step::Plaintext => {
                let message = "data before the handshake was done".into();
                return Err(failure::tls(TlsFailure::Protocol, message));
            }
        }
        if !more(incoming, session).await {
            incoming.outcome().await?;
            unheard?;
            return Err(failure::cut_short());
        }
        reads = reads.wrapping_add(1);
        if reads.is_multiple_of(TURN) {
            driver::next_turn().await;
        }
    }
}

impl Remains {
    /// Ends the output, and takes what the peer still sends, for a while.
    pub(crate) async fn part(self) {
        let Remains {
            mut incoming,
            mut outgoing,
        } = self;
        let parting = async {
            // The connection has failed already.
            let _ = outgoing.finish().await;
            while let Some(bytes) = read_buffers::read(&mut incoming, read_buffers::LARGE).await {
                read_buffers::give_back(bytes);
            }
        };
        select(pin!(parting), pin!(driver::sleep(PARTING))).await;
    }
}
