//! The outgoing direction: converts bytes into records, piece by piece.

use std::task::{Context, Poll, ready};

use crate::engine::{Coop, Engine};
use crate::platform::Sink;
use crate::types::Error;

use super::session::Session;

/// The number of bytes that are encrypted and written at once.
const PIECE: usize = 64 * 1024;

/// The number of pieces that are written before other tasks run.
const TURN: u32 = 4;

/// The sink for the bytes of a connection that are to be encrypted.
pub(super) struct Encrypted {
    engine: Engine,
    raw: Box<dyn Sink>,
    session: Session,
    /// A write of more than one piece: its bytes, and how many of them were encrypted.
    plain: Vec<u8>,
    at: usize,
    /// The number of bytes of plaintext in the records that the raw sink writes.
    in_flight: usize,
    ending: Ending,
    coop: Coop,
}

/// The progress of ending the output.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    No,
    /// The raw sink writes `close_notify`.
    Notified,
    /// `close_notify` was written: the underlying stream can end.
    Sent,
}

impl Encrypted {
    pub(super) fn new(engine: &Engine, raw: Box<dyn Sink>, session: Session) -> Self {
        Encrypted {
            engine: engine.clone(),
            raw,
            session,
            plain: Vec::new(),
            at: 0,
            in_flight: 0,
            ending: Ending::No,
            coop: Coop::new(TURN),
        }
    }

    fn put(&mut self, records: Vec<u8>) {
        if !records.is_empty() {
            self.raw.start(records);
        }
    }

    /// Polls until the raw sink has written all records.
    fn poll_raw(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        while ready!(self.raw.poll_rest(cx))? > 0 {}
        Poll::Ready(Ok(()))
    }
}

impl Sink for Encrypted {
    // A small write is taken completely, or nothing of it yet.
    fn start(&mut self, bytes: Vec<u8>) -> usize {
        if bytes.len() > PIECE {
            (self.plain, self.at) = (bytes, 0);
            return 0;
        }
        let records = self.session.protect(&bytes);
        self.put(records);
        if self.raw.has_rest() {
            self.in_flight = bytes.len();
            return 0;
        }
        bytes.len()
    }

    fn has_rest(&self) -> bool {
        self.in_flight > 0 || self.at < self.plain.len()
    }

    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, Error>> {
        loop {
            ready!(self.poll_raw(cx))?;
            if self.in_flight > 0 {
                return Poll::Ready(Ok(std::mem::take(&mut self.in_flight)));
            }
            if self.at >= self.plain.len() {
                (self.plain, self.at) = (Vec::new(), 0);
                return Poll::Ready(Ok(0));
            }
            ready!(self.coop.poll_spend(&self.engine, cx));
            let rest = self.plain.get(self.at..).unwrap_or_default();
            let piece = rest.get(..PIECE).unwrap_or(rest);
            self.in_flight = piece.len();
            let records = self.session.protect(piece);
            self.at = self.at.saturating_add(self.in_flight);
            self.put(records);
        }
    }

    fn leave(&mut self) {
        self.raw.leave();
    }

    // Sends `close_notify`, then ends the underlying stream. If a close waits for the peer, the stream ends in
    // `poll_peer_end`. Many peers, among them asyncio, send no `close_notify` once they have seen the end of the
    // stream.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        while self.ending != Ending::Sent {
            ready!(self.poll_raw(cx))?;
            if self.ending == Ending::No {
                self.ending = Ending::Notified;
                let records = self.session.close_notify();
                self.put(records);
            } else {
                self.ending = Ending::Sent;
            }
        }
        if self.peer_end_timeout().is_some() {
            return Poll::Ready(Ok(()));
        }
        self.raw.poll_end(cx)
    }

    // Nothing can follow a partial record, or `close_notify`.
    fn wants_control(&self) -> bool {
        self.ending == Ending::No && !self.raw.has_rest() && self.session.wants_control()
    }

    fn poll_control(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.ending != Ending::No {
            return Poll::Ready(Ok(()));
        }
        ready!(self.poll_raw(cx))?;
        let records = self.session.protect(&[]);
        self.put(records);
        self.poll_raw(cx)
    }

    fn peer_end_timeout(&self) -> Option<u64> {
        self.session.wait_for_peer()
    }

    fn poll_peer_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        ready!(self.session.poll_ended(cx))?;
        self.raw.poll_end(cx)
    }
}
