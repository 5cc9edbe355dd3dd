//! The writing half of a stream: what is queued, who has to wait, and how it ends.
//!
//! # States
//!
//! | state | way in | way out |
//! |---|---|---|
//! | `Open` | `new` | `write_eof`, `close` → `Ending`; `abort` → `Aborted`; `lost` → `Lost` |
//! | `Ending`: takes no more writes, sends what is queued | see above | `next` gave `End` → `EndGiven`; `abort`, `lost` |
//! | `EndGiven`: the transport is to send its end | see above | `ended` → `Ended`; `abort`, `lost` |
//! | `Ended`: the peer was told | see above | `abort`, `lost`, but only while not closed |
//! | `Lost`, `Aborted`: nothing is queued any more | see above | none |
//!
//! `close` asks for two things, the end of this direction and then the end of the connection: it sets the mark
//! `closing` beside the state. `write_eof` asks for the first only. A writer that is `Ended` and `closing` has reached
//! its clean outcome, and nothing changes it any more.

use crate::defaults::{DEFAULT_HIGH, DEFAULT_LOW};
use crate::error::{InvalidArgument, WriteError};
use crate::queue::Queue;
use alloc::vec::Vec;

/// A queue between a caller who writes and a transport that sends, with the semantics of asyncio's `StreamWriter`.
///
/// Writing never waits. `drain` is [`drain_ready`](Self::drain_ready) and a wait; `flush` is
/// [`flushed_to`](Self::flushed_to) the position [`written`](Self::written) had when it was called; `wait_closed` is
/// [`outcome`](Self::outcome). Waiting and waking is the user's part: those three can change whenever a method that
/// takes `&mut self` was called. Giving up a wait changes nothing, for this waiter or another.
///
/// Once the connection is lost every call says so. (asyncio swallows writes then.)
#[derive(Debug)]
pub struct Writer<E> {
    state: State<E>,
    closing: bool,
    queue: Queue,
    /// How much of the piece that `next` gave last the transport has not yet taken.
    in_flight: usize,
    written: u64,
    taken: u64,
    max_queued: usize,
    low: usize,
    high: usize,
    /// Whether draining waits: set above `high`, reset at `low`.
    paused: bool,
}

#[derive(Debug)]
enum State<E> {
    Open,
    Ending,
    EndGiven,
    Ended,
    Lost(E),
    /// Holds what `wait_closed` says of it.
    Aborted(E),
}

/// What the transport has to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transmit {
    /// Send these bytes as one write, and tell by [`Writer::sent`] as they are taken.
    Data(Vec<u8>),
    /// Send the end of the stream (a FIN), and tell by [`Writer::ended`] once that is done. Given once.
    End,
    /// Nothing, until a call of the writer's changes it.
    Nothing,
}

/// The caller's side.
impl<E: Clone> Writer<E> {
    /// A writer that queues at most `max_queued` bytes, with asyncio's marks for draining: 64 KiB and 16 KiB.
    ///
    /// # Errors
    /// `InvalidArgument` if `max_queued` is 0.
    pub fn new(max_queued: usize) -> Result<Self, InvalidArgument> {
        if max_queued == 0 {
            return Err(InvalidArgument("at least one byte must fit the queue"));
        }
        Ok(Self {
            state: State::Open,
            closing: false,
            queue: Queue::default(),
            in_flight: 0,
            written: 0,
            taken: 0,
            max_queued,
            low: DEFAULT_LOW,
            high: DEFAULT_HIGH,
            paused: false,
        })
    }

    /// Queues `data`, all of it or nothing. What is queued while the transport is busy goes out as one write, up to
    /// 1 MiB; a single write is never split, nor copied if it comes first.
    ///
    /// # Errors
    /// `Lost`, after `lost`; `Closed`, after `close` or `abort`; `AfterEof`, after `write_eof`: each of them even for
    /// no bytes. `BufferFull` if more than `max_queued` bytes would be queued.
    pub fn write(&mut self, data: Vec<u8>) -> Result<(), WriteError<E>> {
        self.admit(Some(data.len()))?;
        self.push(data);
        self.pause_if_high();
        Ok(())
    }

    /// Queues all of `parts`, or nothing.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn writelines(&mut self, parts: Vec<Vec<u8>>) -> Result<(), WriteError<E>> {
        self.admit(
            parts
                .iter()
                .try_fold(0, |sum: usize, part| sum.checked_add(part.len())),
        )?;
        for part in parts {
            self.push(part);
        }
        self.pause_if_high();
        Ok(())
    }

    /// Whether a write would be taken at all, its size aside.
    ///
    /// # Errors
    /// As [`write`](Self::write), `BufferFull` excepted.
    pub fn writable(&self) -> Result<(), WriteError<E>> {
        self.admit(Some(0))
    }

    /// Ends this direction once everything queued is sent; reading goes on. Idempotent, and nothing more after `close`.
    ///
    /// # Errors
    /// `Lost`, after `lost`; `Closed`, after `abort`.
    pub fn write_eof(&mut self) -> Result<(), WriteError<E>> {
        match &self.state {
            State::Lost(error) => return Err(WriteError::Lost(error.clone())),
            State::Aborted(_) => return Err(WriteError::Closed),
            State::Open => self.state = State::Ending,
            State::Ending | State::EndGiven | State::Ended => {}
        }
        Ok(())
    }

    /// Ends the connection once everything queued is sent. Idempotent. It has no deadline of its own: the user
    /// [aborts](Self::abort) when theirs has passed.
    pub fn close(&mut self) {
        if matches!(self.state, State::Open) {
            self.state = State::Ending;
        }
        self.closing = true;
    }

    /// Ends the connection now and drops what is queued. `outcome` is what all waiters are told from now on: that it was
    /// closed, or that a deadline passed. (In asyncio an abort looks like a clean end.) No effect once there is an
    /// [`outcome`](Self::outcome).
    pub fn abort(&mut self, outcome: E) {
        self.finish(State::Aborted(outcome));
    }

    /// Whether `drain` would return at once: unless more than the high mark was queued and it is not down to the low
    /// mark yet. That holds after `close` too.
    ///
    /// # Errors
    /// The loss, or what the abort was given.
    pub fn drain_ready(&self) -> Result<bool, E> {
        self.alive()?;
        Ok(!self.paused)
    }

    /// How many bytes were written since the beginning.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Whether the transport has taken the first `position` bytes: to flush is to wait for this, with what
    /// [`written`](Self::written) says now.
    ///
    /// # Errors
    /// The loss, or what the abort was given; also if those bytes had been taken before.
    pub fn flushed_to(&self, position: u64) -> Result<bool, E> {
        self.alive()?;
        Ok(self.taken >= position)
    }

    /// How the connection ended: `Ok` after a clean close, the loss, or what the abort was given. `None` as long as it
    /// has not, however long ago `close` was called. Once there is one it stays the same.
    pub fn outcome(&self) -> Option<Result<(), E>> {
        match &self.state {
            State::Lost(error) | State::Aborted(error) => Some(Err(error.clone())),
            State::Ended if self.closing => Some(Ok(())),
            State::Open | State::Ending | State::EndGiven | State::Ended => None,
        }
    }

    /// Whether `close` or `abort` was called, or the connection was lost. The peer's end does not count, as in asyncio.
    pub fn is_closing(&self) -> bool {
        self.closing || matches!(self.state, State::Lost(_) | State::Aborted(_))
    }

    /// How many bytes the transport has not yet taken.
    pub fn queued(&self) -> usize {
        self.queue.len().saturating_add(self.in_flight)
    }

    /// How many bytes more may be queued.
    pub fn room(&self) -> usize {
        self.max_queued.saturating_sub(self.queued())
    }

    /// The marks for draining, in bytes: (low, high).
    pub fn limits(&self) -> (usize, usize) {
        (self.low, self.high)
    }

    /// Sets the marks for draining, by asyncio's rules: `high` is 64 KiB if not given, or four times `low` if that is;
    /// `low` is a quarter of `high` if not given. More than `high` being queued pauses at once; nothing else changes
    /// before the transport takes something.
    ///
    /// # Errors
    /// `InvalidArgument` if `low` is above `high`.
    pub fn set_limits(
        &mut self,
        high: Option<usize>,
        low: Option<usize>,
    ) -> Result<(), InvalidArgument> {
        let high = match (high, low) {
            (Some(high), _) => high,
            (None, Some(low)) => low.saturating_mul(4),
            (None, None) => DEFAULT_HIGH,
        };
        let low = low.unwrap_or(high / 4);
        if low > high {
            return Err(InvalidArgument("the low mark is above the high mark"));
        }
        self.high = high;
        self.low = low;
        self.pause_if_high();
        Ok(())
    }
}

/// The transport's side.
impl<E: Clone> Writer<E> {
    /// What is to be done now. At most one `Data` is under way: the next comes when all of it was taken.
    #[expect(
        clippy::should_implement_trait,
        reason = "not an iterator: `Nothing` is not the end"
    )]
    pub fn next(&mut self) -> Transmit {
        if self.in_flight > 0 {
            return Transmit::Nothing;
        }
        if let Some(piece) = self.queue.pop() {
            self.in_flight = piece.len();
            return Transmit::Data(piece);
        }
        if matches!(self.state, State::Ending) {
            self.state = State::EndGiven;
            return Transmit::End;
        }
        Transmit::Nothing
    }

    /// Whether there is something to do for the transport: bytes that it has not taken yet, or an end that was not given.
    pub fn wants_transport(&self) -> bool {
        self.queued() > 0 || matches!(self.state, State::Ending)
    }

    /// The transport has taken `n` more bytes of what is under way; more than that do not count.
    pub fn sent(&mut self, n: usize) {
        let n = n.min(self.in_flight);
        self.in_flight = self.in_flight.saturating_sub(n);
        self.taken = self.taken.saturating_add(n as u64);
        if self.queued() <= self.low {
            self.paused = false;
        }
    }

    /// The transport has sent the end. Without effect before `next` has asked for it.
    pub fn ended(&mut self) {
        if matches!(self.state, State::EndGiven) {
            self.state = State::Ended;
        }
    }

    /// The transport has failed. Drops what is queued; the first failure is kept. No effect once there is an
    /// [`outcome`](Self::outcome).
    pub fn lost(&mut self, error: E) {
        self.finish(State::Lost(error));
    }
}

impl<E: Clone> Writer<E> {
    /// Whether so many more bytes may be queued; `None` is more than can be counted.
    fn admit(&self, bytes: Option<usize>) -> Result<(), WriteError<E>> {
        match &self.state {
            State::Lost(error) => return Err(WriteError::Lost(error.clone())),
            State::Aborted(_) => return Err(WriteError::Closed),
            _ if self.closing => return Err(WriteError::Closed),
            State::Ending | State::EndGiven | State::Ended => return Err(WriteError::AfterEof),
            State::Open => {}
        }
        match bytes.and_then(|bytes| self.queued().checked_add(bytes)) {
            Some(queued) if queued <= self.max_queued => Ok(()),
            _ => Err(WriteError::BufferFull),
        }
    }

    fn push(&mut self, data: Vec<u8>) {
        self.written = self.written.saturating_add(data.len() as u64);
        self.queue.push(data);
    }

    fn pause_if_high(&mut self) {
        if self.queued() > self.high {
            self.paused = true;
        }
    }

    fn alive(&self) -> Result<(), E> {
        match &self.state {
            State::Lost(error) | State::Aborted(error) => Err(error.clone()),
            State::Open | State::Ending | State::EndGiven | State::Ended => Ok(()),
        }
    }

    fn finish(&mut self, end: State<E>) {
        if self.outcome().is_none() {
            self.queue.clear();
            self.in_flight = 0;
            self.state = end;
        }
    }
}
