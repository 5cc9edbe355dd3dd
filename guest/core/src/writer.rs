//! The writing half of a stream: the queued bytes, when callers wait, and how it ends.
//!
//! # States
//!
//! | state | way in | way out |
//! |---|---|---|
//! | `Open` | `new` | `write_eof`, `close` → `Ending`; `abort` → `Aborted`; `lost` → `Lost` |
//! | `Ending`: accepts no more writes, sends the queued bytes | see above | `next` returned `End` → `EndGiven`;
//! `abort`, `lost` |
//! | `EndGiven`: the transport has to send its end | see above | `ended` → `Ended`; `abort`, `lost` |
//! | `Ended`: the end was sent | see above | `abort`, `lost`, but only while not closed |
//! | `Lost`, `Aborted`: nothing is queued any more | see above | none |
//!
//! `close` requests the end of this direction and then the end of the connection: it sets the flag `closing` beside the
//! state. `write_eof` requests only the first. A writer that is `Ended` and `closing` has reached its clean outcome,
//! which is final.

use crate::defaults::{DEFAULT_HIGH, DEFAULT_LOW};
use crate::error::{InvalidArgument, WriteError};
use crate::queue::Queue;
use alloc::vec::Vec;

/// A queue between a caller who writes and a transport that sends, with the semantics of asyncio's `StreamWriter`.
///
/// Writing never waits. The caller builds the waiting calls:
/// - `drain` waits for [`drain_ready`](Self::drain_ready).
/// - `flush` waits for [`flushed_to`](Self::flushed_to), with the value of [`written`](Self::written) at the time of
///   the call.
/// - `wait_closed` waits for [`outcome`](Self::outcome).
///
/// These results can change with any call of a method that takes `&mut self`. A caller that stops waiting
/// changes nothing.
///
/// Once the connection is lost, every call returns the loss. (asyncio then ignores writes.)
#[derive(Debug)]
pub struct Writer<E> {
    state: State<E>,
    closing: bool,
    queue: Queue,
    /// The number of bytes of the last piece from `next` that the transport has not yet taken.
    in_flight: usize,
    written: u64,
    taken: u64,
    max_queued: usize,
    low: usize,
    high: usize,
    /// Whether `drain` waits: set above `high`, reset at `low`.
    paused: bool,
}

#[derive(Debug)]
enum State<E> {
    Open,
    Ending,
    EndGiven,
    Ended,
    Lost(E),
    /// The error that `wait_closed` returns.
    Aborted(E),
}

/// The next step for the transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transmit {
    /// Send these bytes as one write, and call [`Writer::sent`] as they are taken.
    Data(Vec<u8>),
    /// Send the end of the stream (a FIN), then call [`Writer::ended`]. Returned once.
    End,
    /// Nothing, until a call on the writer changes this.
    Nothing,
}

/// The caller's side.
impl<E: Clone> Writer<E> {
    /// Creates a writer that queues at most `max_queued` bytes, with asyncio's marks for draining: 64 KiB and 16 KiB.
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

    /// Queues `data`, all of it or nothing. Writes that are queued while the transport is busy are sent as one, up to
    /// 1 MiB. A single write is never split, and not copied if the queue is empty.
    ///
    /// # Errors
    /// `Lost` after `lost`; `Closed` after `close` or `abort`; `AfterEof` after `write_eof`. These apply even to an
    /// empty write. `BufferFull` if more than `max_queued` bytes would be queued.
    pub fn write(&mut self, data: Vec<u8>) -> Result<(), WriteError<E>> {
        self.admit(Some(data.len()))?;
        self.push(data);
        self.pause_if_high();
        Ok(())
    }

    /// Queues a copy of `data`, all of it or nothing. A write that fails copies nothing.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn write_copy(&mut self, data: &[u8]) -> Result<(), WriteError<E>> {
        self.admit(Some(data.len()))?;
        self.written = self.written.saturating_add(data.len() as u64);
        self.queue.push_copy(data);
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

    /// Returns whether a write would be accepted, regardless of its size.
    ///
    /// # Errors
    /// As [`write`](Self::write), except `BufferFull`.
    pub fn writable(&self) -> Result<(), WriteError<E>> {
        self.admit(Some(0))
    }

    /// Ends this direction once everything queued is sent; reading continues. Idempotent; no effect after `close`.
    ///
    /// # Errors
    /// `Lost` after `lost`; `Closed` after `abort`.
    pub fn write_eof(&mut self) -> Result<(), WriteError<E>> {
        match &self.state {
            State::Lost(error) => return Err(WriteError::Lost(error.clone())),
            State::Aborted(_) => return Err(WriteError::Closed),
            State::Open => self.state = State::Ending,
            State::Ending | State::EndGiven | State::Ended => {}
        }
        Ok(())
    }

    /// Ends the connection once everything queued is sent. Idempotent. It has no deadline: the caller
    /// [aborts](Self::abort) when its own deadline has passed.
    pub fn close(&mut self) {
        if matches!(self.state, State::Open) {
            self.state = State::Ending;
        }
        self.closing = true;
    }

    /// Ends the connection now and drops the queue. From now on, all waiting calls return `outcome`: that it was
    /// closed, or that a deadline passed. (In asyncio an abort looks like a clean end.) No effect once there is an
    /// [`outcome`](Self::outcome).
    pub fn abort(&mut self, outcome: E) {
        self.finish(State::Aborted(outcome));
    }

    /// Returns whether `drain` would return at once. False from the time when more than the high mark is queued until
    /// the queue is down to the low mark, also after `close`.
    ///
    /// # Errors
    /// The loss, or the error passed to `abort`.
    pub fn drain_ready(&self) -> Result<bool, E> {
        self.alive()?;
        Ok(!self.paused)
    }

    /// Returns how many bytes were written in total.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Returns whether the transport has taken the first `position` bytes. `flush` waits for this, with the current
    /// value of [`written`](Self::written).
    ///
    /// # Errors
    /// The loss, or the error passed to `abort`; even if those bytes had been taken before.
    pub fn flushed_to(&self, position: u64) -> Result<bool, E> {
        self.alive()?;
        Ok(self.taken >= position)
    }

    /// Returns how the connection ended: `Ok` after a clean close, the loss, or the error passed to `abort`. `None`
    /// until then, even long after `close`. It never changes again.
    pub fn outcome(&self) -> Option<Result<(), E>> {
        match &self.state {
            State::Lost(error) | State::Aborted(error) => Some(Err(error.clone())),
            State::Ended if self.closing => Some(Ok(())),
            State::Open | State::Ending | State::EndGiven | State::Ended => None,
        }
    }

    /// Returns whether `close` or `abort` was called, or the connection was lost. The peer's end does not count, as in
    /// asyncio.
    pub fn is_closing(&self) -> bool {
        self.closing || matches!(self.state, State::Lost(_) | State::Aborted(_))
    }

    /// Returns how many bytes the transport has not yet taken.
    pub fn queued(&self) -> usize {
        self.queue.len().saturating_add(self.in_flight)
    }

    /// Returns how many more bytes may be queued.
    pub fn room(&self) -> usize {
        self.max_queued.saturating_sub(self.queued())
    }

    /// Returns the marks for draining, in bytes: (low, high).
    pub fn limits(&self) -> (usize, usize) {
        (self.low, self.high)
    }

    /// Sets the marks for draining, by asyncio's rules. Without `high`, it is four times `low`, or 64 KiB without both;
    /// without `low`, it is a quarter of `high`. If more than `high` is queued, `drain` waits from now on. A wait never
    /// ends before the transport takes something.
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
    /// Returns the next step. At most one `Data` is in flight: the next follows when all of it was taken.
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

    /// Returns whether the transport has work: bytes that it has not taken yet, or an end that it was not asked to send
    /// yet.
    pub fn wants_transport(&self) -> bool {
        self.queued() > 0 || matches!(self.state, State::Ending)
    }

    /// Records that the transport has taken `n` more bytes of the piece in flight; any excess is ignored.
    pub fn sent(&mut self, n: usize) {
        let n = n.min(self.in_flight);
        self.in_flight = self.in_flight.saturating_sub(n);
        self.taken = self.taken.saturating_add(n as u64);
        if self.queued() <= self.low {
            self.paused = false;
        }
    }

    /// Records that the transport has sent the end. No effect before `next` has returned `End`.
    pub fn ended(&mut self) {
        if matches!(self.state, State::EndGiven) {
            self.state = State::Ended;
        }
    }

    /// Records that the transport has failed. Drops the queue; the first failure is kept. No effect once there is an
    /// [`outcome`](Self::outcome).
    pub fn lost(&mut self, error: E) {
        self.finish(State::Lost(error));
    }
}

impl<E: Clone> Writer<E> {
    /// Checks whether so many more bytes may be queued; `None` stands for an overflow.
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
