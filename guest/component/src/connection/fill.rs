//! Taking input from the transport while a read waits.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use asyncio_streams_core::{ReadError, Reader};

use crate::bindings::exports::asyncio::streams::types::Error;
use crate::driver;
use crate::errors;
use crate::transport::{Incoming, read_buffers};

use super::{Connection, Slot};

/// Reads in a row after which other tasks get a turn: a fast peer's bytes are always ready.
const TURN: u32 = 16;

impl Connection {
    /// Runs a read of the core until it has an answer, taking input meanwhile.
    ///
    /// `busy` while another read or wait is pending. Dropping the call takes nothing.
    pub(crate) async fn read<T>(
        &self,
        attempt: impl FnMut(&mut Reader<Error>) -> Result<Option<T>, ReadError<Error>>,
    ) -> Result<T, Error> {
        self.read_from(0, attempt).await
    }

    /// The same, after dropping what comes before `position`.
    pub(crate) async fn read_from<T>(
        &self,
        position: u64,
        mut attempt: impl FnMut(&mut Reader<Error>) -> Result<Option<T>, ReadError<Error>>,
    ) -> Result<T, Error> {
        let _reading = self.begin_reading()?;
        self.drop_before(position);
        let mut fills: u32 = 0;
        // Before the attempt, whose result a dropped call would lose.
        driver::let_tasks_exit().await;
        loop {
            let answer = attempt(&mut self.input.borrow_mut());
            self.weigh();
            if let Some(answer) = answer? {
                return Ok(answer);
            }
            if self.room() == 0 {
                return Err(errors::out_of_memory());
            }
            fills = fills.wrapping_add(1);
            if fills.is_multiple_of(TURN) {
                driver::next_turn().await;
            }
            self.fill().await?;
        }
    }

    /// Runs a read of the core that does not wait.
    pub(crate) fn try_read<T>(
        &self,
        attempt: impl FnOnce(&mut Reader<Error>) -> Result<Option<T>, ReadError<Error>>,
    ) -> Result<Option<T>, Error> {
        if self.reading.get() {
            return Err(Error::Busy);
        }
        let answer = attempt(&mut self.input.borrow_mut());
        self.weigh();
        Ok(answer?)
    }

    /// Drops what comes before `position`, counted from the beginning of the stream.
    fn drop_before(&self, position: u64) {
        let mut input = self.input.borrow_mut();
        let taken = position.saturating_sub(input.taken());
        if taken > 0 {
            input.discard(usize::try_from(taken).unwrap_or(usize::MAX));
        }
    }

    /// Ends the read or wait that is pending with `cancelled`.
    pub(crate) fn cancel_read(&self) {
        if self.reading.get() {
            self.read_cancelled.set(true);
            self.reader.wake();
        }
    }

    /// Marks that a read is pending, until the guard is dropped.
    pub(super) fn begin_reading(&self) -> Result<Reading<'_>, Error> {
        if self.reading.replace(true) {
            return Err(Error::Busy);
        }
        self.read_cancelled.set(false);
        Ok(Reading(&self.reading))
    }

    /// Waits for bytes, the end or a failure, and puts it into the core. What is to go out goes first: a peer that waits
    /// for it is what most reads wait for.
    async fn fill(&self) -> Result<(), Error> {
        self.input.borrow_mut().about_to_wait();
        self.flush_now();
        let Some(mut lent) = Lent::borrow(self) else {
            self.input.borrow_mut().fail(Error::Closed);
            return Ok(());
        };
        let Some(incoming) = lent.incoming.as_mut() else {
            return Ok(());
        };
        match self.unless_interrupted(incoming.read_next()).await? {
            Some(Some(bytes)) => self.feed(bytes),
            Some(None) => {
                if let Some(outcome) = self.unless_interrupted(incoming.outcome()).await? {
                    lent.incoming = None;
                    self.end(outcome);
                }
            }
            None => {}
        }
        Ok(())
    }

    /// The transport has no more input.
    fn end(&self, outcome: Result<(), Error>) {
        match (self.outcome(), outcome) {
            // The system reports a loss once. When writing has met it, this end is the same loss, and TLS takes it for a
            // truncation.
            (Some(Err(loss)), _) => self.end_input(loss),
            (_, Err(error)) => {
                self.lost(error.clone());
                self.end_input(error);
            }
            (_, Ok(())) => self.input.borrow_mut().feed_end(),
        }
    }

    /// Runs `future` until it is done, `None` when the input failed meanwhile, `cancelled` when cancelled.
    async fn unless_interrupted<T>(
        &self,
        future: impl Future<Output = T>,
    ) -> Result<Option<T>, Error> {
        let mut future = pin!(future);
        poll_fn(|cx| {
            if self.read_cancelled.replace(false) {
                return Poll::Ready(Err(Error::Cancelled));
            }
            if self.input.borrow().failure().is_some() {
                return Poll::Ready(Ok(None));
            }
            self.reader.register(cx);
            future.as_mut().poll(cx).map(|done| Ok(Some(done)))
        })
        .await
    }

    fn feed(&self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.note_input();
        }
        let mut input = self.input.borrow_mut();
        if bytes.len() >= read_buffers::HAND_ON {
            input.feed_owned(bytes);
        } else {
            input.feed(&bytes);
            read_buffers::give_back(bytes);
        }
    }
}

/// A read is pending.
pub(super) struct Reading<'a>(&'a Cell<bool>);

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// The incoming bytes, with the task that reads. They go back when it is done, unless they were taken out for good.
pub(super) struct Lent<'a> {
    connection: &'a Connection,
    pub(super) incoming: Option<Incoming>,
}

impl<'a> Lent<'a> {
    /// `None` when somebody else has them, or nobody any more.
    pub(super) fn borrow(connection: &'a Connection) -> Option<Self> {
        let mut slot = connection.incoming.borrow_mut();
        match std::mem::replace(&mut *slot, Slot::Lent) {
            Slot::Here(incoming) => Some(Lent {
                connection,
                incoming: Some(incoming),
            }),
            other => {
                *slot = other;
                None
            }
        }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        *self.connection.incoming.borrow_mut() = match self.incoming.take() {
            Some(incoming) => Slot::Here(incoming),
            None => Slot::Gone,
        };
        if self.connection.input_unwanted() {
            self.connection.pump.wake();
        }
    }
}

/// The input is with an upgrade, or given away. When this is dropped, what was taken out of the buffer is gone, and the input
/// too unless it was put back by then.
pub(super) struct Away<'a>(pub(super) &'a Connection);

impl Drop for Away<'_> {
    fn drop(&mut self) {
        self.0.set_aside(0);
        let mut slot = self.0.incoming.borrow_mut();
        if matches!(*slot, Slot::Lent) {
            *slot = Slot::Gone;
        }
        drop(slot);
        self.0.pump.wake();
    }
}
