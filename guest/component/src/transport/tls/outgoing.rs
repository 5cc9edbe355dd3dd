//! The outgoing direction: bytes become records, a piece at a time.

use std::pin::pin;

use futures::future::{Either, select};

use crate::bindings::exports::asyncio::streams::types::Error;
use crate::driver;
use crate::transport::plain;

use super::session::Session;

/// Bytes that are protected and written at once.
const PIECE: usize = 64 * 1024;

/// Pieces in a row after which other tasks get a turn.
const TURN: u32 = 4;

/// Nanoseconds that an alert may take to leave.
const LAST_WORDS: u64 = 1_000_000_000;

/// The bytes that go out protected.
pub(crate) struct Outgoing {
    raw: plain::Outgoing,
    session: Session,
    /// A record may have left in part, so nothing can follow it.
    torn: bool,
    /// What [`Outgoing::write_now`] could not write.
    rest: Option<Rest>,
}

/// Bytes that are not written yet.
enum Rest {
    /// So many of them are protected, and on their way.
    Protected(usize),
    /// Too many to be protected at once.
    Plain(Vec<u8>),
}

impl Outgoing {
    pub(super) fn new(raw: plain::Outgoing, session: Session) -> Self {
        Outgoing {
            raw,
            session,
            torn: false,
            rest: None,
        }
    }

    /// Writes the whole chunk; `sent` hears of each part that was taken.
    pub(crate) async fn write(
        &mut self,
        chunk: Vec<u8>,
        mut sent: impl FnMut(usize),
    ) -> Result<(), Error> {
        let mut pieces: u32 = 0;
        for piece in chunk.chunks(PIECE) {
            let records = self.session.protect(piece);
            self.put(records).await?;
            sent(piece.len());
            pieces = pieces.wrapping_add(1);
            if pieces.is_multiple_of(TURN) {
                driver::next_turn().await;
            }
        }
        Ok(())
    }

    /// Writes what the network takes at once, and gives how many bytes that are: all or none.
    pub(crate) fn write_now(&mut self, chunk: Vec<u8>) -> usize {
        if chunk.len() > PIECE {
            self.rest = Some(Rest::Plain(chunk));
            return 0;
        }
        let records = self.session.protect(&chunk);
        self.raw.write_now(records);
        if self.raw.has_rest() {
            self.torn = true;
            self.rest = Some(Rest::Protected(chunk.len()));
            return 0;
        }
        chunk.len()
    }

    /// Whether [`Outgoing::write_now`] has left a rest.
    pub(crate) fn has_rest(&self) -> bool {
        self.rest.is_some()
    }

    /// Writes what [`Outgoing::write_now`] could not write; `sent` hears of each part that was taken.
    pub(crate) async fn write_rest(&mut self, mut sent: impl FnMut(usize)) -> Result<(), Error> {
        match self.rest.take() {
            None => Ok(()),
            Some(Rest::Plain(chunk)) => self.write(chunk, sent).await,
            Some(Rest::Protected(bytes)) => {
                self.raw.write_rest(|_| {}).await?;
                self.torn = false;
                sent(bytes);
                Ok(())
            }
        }
    }

    /// Says what TLS has to say by itself.
    pub(crate) async fn speak(&mut self) -> Result<(), Error> {
        let records = self.session.protect(&[]);
        self.put(records).await
    }

    /// Ends the output with `close_notify`, then the stream under it.
    ///
    /// If a close waits for the peer, the stream ends in [`Outgoing::peer_ended`]: many peers, asyncio's among them, do not
    /// send their `close_notify` once they have seen the end of the stream.
    pub(crate) async fn finish(&mut self) -> Result<(), Error> {
        let records = self.session.close_notify();
        self.put(records).await?;
        if self.waits_for_peer() {
            return Ok(());
        }
        self.raw.finish().await
    }

    /// Whether a close waits for the peer.
    pub(crate) fn waits_for_peer(&self) -> bool {
        self.session.wait_for_peer().is_some()
    }

    /// Waits until the peer has ended its side too, then ends the stream. Another task has to read meanwhile.
    pub(crate) async fn peer_ended(&mut self) -> Result<(), Error> {
        let Some(nanoseconds) = self.session.wait_for_peer() else {
            return Ok(());
        };
        let late = driver::sleep(nanoseconds);
        match select(pin!(self.session.ended()), pin!(late)).await {
            Either::Left((end, _)) => end?,
            Either::Right(((), _)) => return Err(Error::DeadlineExceeded),
        }
        self.raw.finish().await
    }

    /// Says why the connection failed, if there is an alert for it that has not left yet.
    pub(crate) async fn last_words(&mut self) {
        if self.torn {
            return;
        }
        let records = self.session.protect(&[]);
        if !records.is_empty() {
            let late = driver::sleep(LAST_WORDS);
            // Nobody hears whether it could be said.
            select(pin!(self.put(records)), pin!(late)).await;
        }
    }

    async fn put(&mut self, records: Vec<u8>) -> Result<(), Error> {
        if records.is_empty() {
            return Ok(());
        }
        self.torn = true;
        self.raw.write(records, |_| {}).await?;
        self.torn = false;
        Ok(())
    }
}
