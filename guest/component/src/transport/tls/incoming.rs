//! The incoming direction: records become bytes when somebody waits for them.

use crate::bindings::exports::asyncio::streams::types::Error;
use crate::driver;
use crate::transport::{plain, read_buffers};

use super::session::{Session, Step};

/// Reads in a row without anything to give, after which other tasks get a turn.
const TURN: u32 = 16;

/// The bytes that come in protected.
pub(crate) struct Incoming {
    raw: plain::Incoming,
    session: Session,
}

impl Incoming {
    pub(super) fn new(raw: plain::Incoming, session: Session) -> Self {
        Incoming { raw, session }
    }

    /// Waits until there is something to read; false at the end. A dropped wait loses nothing.
    pub(crate) async fn ready(&mut self) -> bool {
        let mut reads: u32 = 0;
        loop {
            match self.session.advance() {
                Step::Plaintext => return true,
                Step::Ended => return false,
                Step::Starved => {}
            }
            if !more(&mut self.raw, &self.session).await {
                return false;
            }
            reads = reads.wrapping_add(1);
            if reads.is_multiple_of(TURN) {
                driver::next_turn().await;
            }
        }
    }

    /// Reads what comes next; `None` at the end. There is no buffer until there is something to fill it with.
    pub(crate) async fn read(&mut self, size: usize) -> Option<Vec<u8>> {
        if !self.ready().await {
            return None;
        }
        let mut bytes = read_buffers::take(size);
        self.session.take(&mut bytes);
        Some(bytes)
    }

    /// How the stream ended. To be asked after the end; a dropped call can be repeated.
    pub(crate) async fn outcome(&mut self) -> Result<(), Error> {
        match self.session.end() {
            Some(end) => end,
            None => {
                let outcome = self.raw.outcome().await;
                self.session.network_ended(outcome)
            }
        }
    }

    /// How the stream ended, for those who read nothing of it: data that is missing is no loss to them.
    pub(crate) async fn outcome_unread(&mut self) -> Result<(), Error> {
        match self.outcome().await {
            Err(error @ Error::Network(_)) => Err(error),
            _ => Ok(()),
        }
    }
}

/// Waits for ciphertext and takes it; false at the end of the stream. A dropped wait loses nothing.
pub(super) async fn more(raw: &mut plain::Incoming, session: &Session) -> bool {
    match read_buffers::read(raw, read_buffers::LARGE).await {
        Some(bytes) => {
            session.feed(bytes);
            true
        }
        None => false,
    }
}
