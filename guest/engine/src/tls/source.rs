//! The incoming direction: decrypts records when a call waits for their bytes.

use std::any::Any;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use crate::engine::{Coop, Engine};
use crate::platform::Source;
use crate::read_buffers::{LARGE, Room};
use crate::transport::Incoming;
use crate::types::Error;

use super::session::{Session, Step};

/// The number of reads without plaintext before other tasks run.
const TURN: u32 = 16;

/// The decrypted bytes of a connection.
pub(super) struct Decrypted {
    engine: Engine,
    raw: Incoming,
    session: Session,
    coop: Coop,
}

impl Decrypted {
    pub(super) fn new(engine: &Engine, raw: Incoming, session: Session) -> Self {
        Decrypted {
            engine: engine.clone(),
            raw,
            session,
            coop: Coop::new(TURN),
        }
    }
}

impl Source for Decrypted {
    // Takes a buffer only when there is plaintext to fill it.
    fn poll_read(&mut self, cx: &mut Context<'_>, room: &Room<'_>) -> Poll<Option<Vec<u8>>> {
        if !ready!(self.poll_readable(cx)) {
            return Poll::Ready(None);
        }
        let mut bytes = room.for_ready();
        self.session.take(&mut bytes);
        Poll::Ready(Some(bytes))
    }

    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        loop {
            match self.session.advance() {
                Step::Plaintext => {
                    self.coop = Coop::new(TURN);
                    return Poll::Ready(true);
                }
                Step::Ended => return Poll::Ready(false),
                Step::Starved => {}
            }
            ready!(self.coop.poll_spend(&self.engine, cx));
            match ready!(self.raw.poll_read(cx, LARGE)) {
                Some(bytes) => self.session.feed(bytes),
                None => return Poll::Ready(false),
            }
        }
    }

    fn leave(&mut self) {
        self.raw.leave();
    }

    fn handle(&self) -> Option<Rc<dyn Any>> {
        self.raw.handle()
    }

    fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if let Some(end) = self.session.end() {
            return Poll::Ready(end);
        }
        let outcome = ready!(self.raw.poll_outcome(cx));
        Poll::Ready(self.session.network_ended(outcome))
    }

    fn poll_outcome_unread(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match ready!(self.poll_outcome(cx)) {
            Err(error @ Error::Network(_)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(())),
        }
    }
}
