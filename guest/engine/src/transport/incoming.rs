//! The incoming bytes: a dropped read loses nothing.

use std::any::Any;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::platform::Source;
use crate::read_buffers::{LARGE, ReadBuffers, Room, SMALL};
use crate::types::Error;

/// A source, and the kept bytes.
pub(crate) struct Incoming {
    source: Box<dyn Source>,
    buffers: ReadBuffers,
    kept: Option<Vec<u8>>,
    /// Whether the last read filled its buffer.
    full: bool,
}

impl Incoming {
    pub(crate) fn new(source: Box<dyn Source>, buffers: &ReadBuffers) -> Self {
        Incoming {
            source,
            buffers: buffers.clone(),
            kept: None,
            full: false,
        }
    }

    /// Waits until at least one byte was read, and keeps the bytes for the next read. Returns false at the end, every
    /// time. A dropped wait loses nothing.
    pub(crate) async fn ready(&mut self) -> bool {
        let waiting = Waiting(self);
        let bytes = poll_fn(|cx| waiting.0.poll_in_a_crowd(cx)).await;
        waiting.0.kept = bytes;
        waiting.0.kept.is_some()
    }

    /// Reads the next bytes; `None` at the end. A dropped call loses nothing: the next one returns its bytes.
    pub(crate) async fn read_next(&mut self) -> Option<Vec<u8>> {
        self.read_up_to(LARGE).await
    }

    /// Reads the next bytes with a buffer of `size` bytes, unless too many reads wait. The result may be larger after a dropped
    /// read that had a larger buffer.
    pub(crate) async fn read_up_to(&mut self, size: usize) -> Option<Vec<u8>> {
        let waiting = Waiting(self);
        poll_fn(|cx| waiting.0.poll_read(cx, size)).await
    }

    /// Waits until there seems to be input, without taking it. Returns false at the end.
    pub(crate) async fn readable(&mut self) -> bool {
        if self.kept.is_some() {
            return true;
        }
        let waiting = Waiting(self);
        poll_fn(|cx| waiting.0.source.poll_readable(cx)).await
    }

    /// Waits for the outcome of the stream. Called after the end; a dropped call can be repeated.
    pub(crate) async fn outcome(&mut self) -> Result<(), Error> {
        let waiting = Waiting(self);
        poll_fn(|cx| waiting.0.poll_outcome(cx)).await
    }

    /// Waits for the outcome for a caller that did not want the bytes: missing bytes are no error, a lost connection is.
    pub(crate) async fn outcome_unread(&mut self) -> Result<(), Error> {
        let waiting = Waiting(self);
        poll_fn(|cx| waiting.0.source.poll_outcome_unread(cx)).await
    }

    /// Polls for the next bytes. After the last poll, the caller calls [`Incoming::leave`].
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, size: usize) -> Poll<Option<Vec<u8>>> {
        if let Some(kept) = self.kept.take() {
            return Poll::Ready(Some(kept));
        }
        let polled = self.poll_source(cx, size);
        let Poll::Ready(Some(mut bytes)) = polled else {
            return polled;
        };
        // After a full buffer there is usually more input. Without this, its answer would be sent separately and wait
        // for a delayed ACK.
        if self.full
            && bytes.len() <= SMALL
            && size > SMALL
            && let Poll::Ready(Some(rest)) = self.poll_source(cx, size.saturating_sub(bytes.len()))
        {
            bytes.extend_from_slice(&rest);
            self.buffers.give_back(rest);
        }
        Poll::Ready(Some(bytes))
    }

    /// Polls for the outcome of the stream. After the last poll, the caller calls [`Incoming::leave`].
    pub(crate) fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.source.poll_outcome(cx)
    }

    /// Returns the platform's handle of the stream, unless it has ended or bytes of it are here.
    pub(crate) fn handle(&self) -> Option<Rc<dyn Any>> {
        if self.kept.is_some() {
            return None;
        }
        self.source.handle()
    }

    /// Stops waiting; a pending read stays pending.
    pub(crate) fn leave(&mut self) {
        self.source.leave();
    }

    /// Ends a pending read, and returns its bytes. Only in async calls.
    pub(crate) fn stop(&mut self) -> Option<Vec<u8>> {
        self.kept.take().or_else(|| self.source.stop())
    }

    /// Drops the stream. `then` receives the bytes of a pending read, now or later in the background.
    pub(crate) fn stop_then(mut self, then: impl FnOnce(Vec<u8>) + 'static) {
        match self.kept.take() {
            Some(bytes) => then(bytes),
            None => self.source.stop_then(Box::new(then)),
        }
    }

    fn poll_source(&mut self, cx: &mut Context<'_>, size: usize) -> Poll<Option<Vec<u8>>> {
        let room = Room::new(&self.buffers, size, self.full);
        let polled = self.source.poll_read(cx, &room);
        if let Poll::Ready(bytes) = &polled {
            self.full = bytes
                .as_ref()
                .is_some_and(|bytes| self.source.filled(bytes));
        }
        polled
    }

    fn poll_in_a_crowd(&mut self, cx: &mut Context<'_>) -> Poll<Option<Vec<u8>>> {
        match self.kept.take() {
            Some(kept) => Poll::Ready(Some(kept)),
            None => self.source.poll_read(cx, &Room::in_a_crowd(&self.buffers)),
        }
    }
}

/// Calls [`Incoming::leave`] when it is dropped.
struct Waiting<'a>(&'a mut Incoming);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}
