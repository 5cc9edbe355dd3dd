//! Takes input from the transport while a read waits.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use asyncio_streams_core::{ReadError, Reader};

use crate::engine::Coop;
use crate::errors;
use crate::read_buffers::{HAND_ON, LARGE};
use crate::transport::Incoming;
use crate::types::Error;

use super::Connection;
use super::input::Input;

/// The number of pieces of input that one read takes before it lets other tasks run.
const TURN: u32 = 16;
/// The number of turns that an end waits for the loss that a pending write may report. A host takes one turn to end the write and
/// another to report the reason.
const LOSS_TURNS: u32 = 8;

/// The answer of the transport to a read.
enum Received {
    Bytes(Vec<u8>),
    /// No more input, with its outcome.
    End(Result<(), Error>),
    /// The input has failed meanwhile.
    Nothing,
}

impl Connection {
    /// Runs a read of the core until it returns an answer, and takes input meanwhile.
    ///
    /// The read is pending from the call on; it fails with `busy` while another read or wait is pending. A dropped
    /// future consumes nothing.
    pub(crate) fn read<T>(
        &self,
        mut attempt: impl FnMut(&mut Reader<Error>) -> Result<Option<T>, ReadError<Error>>,
    ) -> impl Future<Output = Result<T, Error>> {
        // Thousands of reads may wait: what this future keeps is memory of each.
        let reading = self.input.reading.enter().ok();
        if reading.is_some() {
            self.input.cancelled.set(false);
        }
        async move {
            let _reading = reading.ok_or(Error::Busy)?;
            let mut coop = Coop::new(TURN);
            loop {
                let answer = self.take(&mut attempt);
                if let Some(answer) = answer? {
                    return Ok(answer);
                }
                self.receive(&mut coop).await?;
            }
        }
    }

    /// Runs a read of the core that does not wait.
    pub(crate) fn try_read<T>(
        &self,
        attempt: impl FnOnce(&mut Reader<Error>) -> Result<Option<T>, ReadError<Error>>,
    ) -> Result<Option<T>, Error> {
        if self.input.reading.is_busy() {
            return Err(Error::Busy);
        }
        Ok(self.take(attempt)?)
    }

    /// Runs a read of the core, and no longer counts what it took.
    fn take<T>(
        &self,
        attempt: impl FnOnce(&mut Reader<Error>) -> Result<T, ReadError<Error>>,
    ) -> Result<T, ReadError<Error>> {
        let mut input = self.input.buffer.borrow_mut();
        let before = input.buffered();
        let answer = attempt(&mut input);
        self.memory.less(before.saturating_sub(input.buffered()));
        answer
    }

    /// Returns whether a read or a wait is pending.
    pub(crate) fn is_reading(&self) -> bool {
        self.input.reading.is_busy()
    }

    /// Ends the pending read or wait with `cancelled`.
    pub(crate) fn cancel_read(&self) {
        if self.input.reading.is_busy() {
            self.input.cancelled.set(true);
            self.input.waiting.wake();
        }
    }

    /// Flushes queued output, then waits for input and feeds it to the core. Most reads wait for the answer to what was
    /// just written.
    async fn receive(&self, coop: &mut Coop) -> Result<(), Error> {
        if self.room() == 0 {
            return Err(errors::out_of_memory());
        }
        coop.spend(&self.engine).await;
        self.input.buffer.borrow_mut().about_to_wait();
        self.flush_now();
        let received = {
            let _waiting = Waiting(&self.input);
            poll_fn(|cx| self.poll_received(cx)).await?
        };
        match received {
            Received::Bytes(bytes) => self.feed(bytes),
            Received::Nothing => {}
            Received::End(outcome) => {
                if outcome.is_ok() {
                    self.await_loss().await;
                }
                self.input.drop_source();
                self.end(outcome);
                if self.input_unwanted() {
                    self.mark_dirty();
                }
            }
        }
        Ok(())
    }

    /// Polls for the next bytes, or the outcome after the end, unless the read was cancelled.
    ///
    /// This poll takes the source and puts it back, so that a close or an abort finds it also when the read is not polled any more.
    fn poll_received(&self, cx: &mut Context<'_>) -> Poll<Result<Received, Error>> {
        if self.input.cancelled.replace(false) {
            return Poll::Ready(Err(Error::Cancelled));
        }
        if self.input.buffer.borrow().failure().is_some() {
            return Poll::Ready(Ok(Received::Nothing));
        }
        self.input.waiting.register(cx);
        let Some(mut incoming) = self.input.take_source() else {
            self.input.buffer.borrow_mut().fail(Error::Closed);
            return Poll::Ready(Ok(Received::Nothing));
        };
        let received = poll_incoming(cx, &mut incoming);
        self.input.put_back(incoming);
        received.map(Ok)
    }

    /// Waits until the pending write has ended, for a few turns. The system reports a loss only once: if the write
    /// receives it, the end that the read found is the same loss.
    async fn await_loss(&self) {
        for _ in 0..LOSS_TURNS {
            if !self.is_transmitting() || self.outcome().is_some() {
                return;
            }
            self.engine.next_turn().await;
        }
    }

    /// Records that the transport has no more input.
    fn end(&self, outcome: Result<(), Error>) {
        match (self.outcome(), outcome) {
            // The system reports a loss only once. When a write has received it, this end is the same loss; TLS reports
            // it as a truncation.
            (Some(Err(loss)), _) => self.end_input(loss),
            (_, Err(error)) => {
                self.lost(error.clone());
                self.end_input(error);
            }
            (_, Ok(())) => self.input.buffer.borrow_mut().feed_end(),
        }
    }

    fn feed(&self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.note_input();
        }
        let mut input = self.input.buffer.borrow_mut();
        if bytes.len() >= HAND_ON || bytes.len() == bytes.capacity() {
            input.feed_owned(bytes);
        } else {
            input.feed(&bytes);
            self.engine.buffers().give_back(bytes);
        }
        drop(input);
        self.weigh();
    }
}

fn poll_incoming(cx: &mut Context<'_>, incoming: &mut Incoming) -> Poll<Received> {
    Poll::Ready(match ready!(incoming.poll_read(cx, LARGE)) {
        Some(bytes) => Received::Bytes(bytes),
        None => Received::End(ready!(incoming.poll_outcome(cx))),
    })
}

/// Ends the wait for the source when it is dropped, unless something else has the source by then.
struct Waiting<'a>(&'a Input);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.leave_source();
    }
}
