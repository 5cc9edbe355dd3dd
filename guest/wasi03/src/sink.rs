//! Writing to a stream of bytes: one write at a time, which outlives the call that waits for it.

use std::task::{Context, Poll, ready};

use crate::background;
use crate::blocking::block;
use crate::operation::Operation;
use crate::stream::{MAX_LENGTH, Progress, StreamWriter};

/// The reader of the stream is gone: it takes no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

/// A stream that is written to.
///
/// A write that is no longer polled stays pending, with its bytes, and the next [`Sink::poll_rest`] goes on with it. Dropping
/// the sink ends the stream; bytes that were not taken by then are dropped.
pub struct Sink {
    /// None once it was taken apart by the drop.
    end: Option<End>,
}

struct End {
    operation: Operation,
    writer: StreamWriter<u8>,
    /// The bytes of the current write, and how many of them were taken.
    bytes: Vec<u8>,
    taken: usize,
    pending: bool,
    /// The reader is gone. One more write would be a trap.
    ended: bool,
    /// Whether the drop cancels a pending write in this turn.
    cancels_at_once: bool,
}

impl Sink {
    /// Writes to `writer`, whose reader belongs to the host.
    pub fn new(writer: StreamWriter<u8>) -> Self {
        Self::with(writer, false)
    }

    /// Writes to `writer`, whose reader belongs to a component.
    ///
    /// To cancel such a write does not block, so the drop cancels it in this turn: in a later one, the component could have
    /// read all of it.
    pub fn to_component(writer: StreamWriter<u8>) -> Self {
        Self::with(writer, true)
    }

    fn with(writer: StreamWriter<u8>, cancels_at_once: bool) -> Self {
        Sink {
            end: Some(End {
                operation: Operation::new(writer.handle()),
                writer,
                bytes: Vec::new(),
                taken: 0,
                pending: false,
                ended: false,
                cancels_at_once,
            }),
        }
    }

    /// Whether bytes of an earlier write are still to be taken.
    pub fn has_rest(&self) -> bool {
        self.end
            .as_ref()
            .is_some_and(|end| end.pending || !end.rest().is_empty())
    }

    /// Starts to write `bytes`; returns how many of them were taken at once. [`Sink::poll_rest`] writes the others, and
    /// must have done so before the next write starts.
    pub fn start(&mut self, bytes: Vec<u8>) -> usize {
        debug_assert!(!self.has_rest(), "one write at a time");
        let Some(end) = self.end.as_mut() else {
            return 0;
        };
        (end.bytes, end.taken) = (bytes, 0);
        if end.ended {
            return 0;
        }
        match end.write() {
            Progress::Copied { items, .. } => end.took(items),
            Progress::Blocked => 0,
        }
    }

    /// Polls for the next part of the write to be taken, and returns its length; 0 when nothing is left. When the caller
    /// stops polling it calls [`Sink::leave`].
    ///
    /// # Errors
    ///
    /// When the reader is gone.
    pub fn poll_rest(&mut self, cx: &Context<'_>) -> Poll<Result<usize, Gone>> {
        let Some(end) = self.end.as_mut() else {
            return Poll::Ready(Err(Gone));
        };
        loop {
            let items = if end.pending {
                ready!(end.poll(cx))
            } else if end.rest().is_empty() {
                return Poll::Ready(Ok(0));
            } else if end.ended {
                return Poll::Ready(Err(Gone));
            } else {
                match end.write() {
                    Progress::Copied { items, .. } => items,
                    Progress::Blocked => continue,
                }
            };
            if items > 0 {
                return Poll::Ready(Ok(end.took(items)));
            }
        }
    }

    /// Polls whether the stream's reader reads. Nothing may be left of an earlier write.
    ///
    /// # Errors
    ///
    /// When the reader is gone.
    pub fn poll_wanted(&mut self, cx: &Context<'_>) -> Poll<Result<(), Gone>> {
        let Some(end) = self.end.as_mut() else {
            return Poll::Ready(Err(Gone));
        };
        if end.pending || (!end.ended && end.write() == Progress::Blocked) {
            ready!(end.poll(cx));
        }
        Poll::Ready(if end.ended { Err(Gone) } else { Ok(()) })
    }

    /// Takes the pending write out of the task's set: nothing waits for it now.
    pub fn leave(&mut self) {
        if let Some(end) = self.end.as_mut() {
            end.operation.leave();
        }
    }

    /// Takes the buffer of the last write, to be used again. Nothing may be left of it.
    pub fn take_buffer(&mut self) -> Vec<u8> {
        match self.end.as_mut() {
            Some(end) if !end.pending => {
                end.taken = 0;
                std::mem::take(&mut end.bytes)
            }
            _ => Vec::new(),
        }
    }
}

impl End {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.taken..).unwrap_or_default()
    }

    fn write(&mut self) -> Progress {
        let rest = self.rest();
        let (from, n) = (rest.as_ptr(), rest.len().min(MAX_LENGTH));
        // SAFETY: The bytes stay where they are until the operation has ended.
        let code = unsafe { (self.writer.start_write)(self.writer.handle(), from, n) };
        self.pending = true;
        self.note(code)
    }

    fn note(&mut self, code: u32) -> Progress {
        let progress = Progress::of(code);
        if let Progress::Copied { ended, .. } = progress {
            self.pending = false;
            self.ended |= ended;
        }
        progress
    }

    fn took(&mut self, n: usize) -> usize {
        self.taken = self.taken.saturating_add(n);
        n
    }

    fn poll(&mut self, cx: &Context<'_>) -> Poll<usize> {
        while let Poll::Ready(code) = self.operation.poll(cx) {
            if let Progress::Copied { items, .. } = self.note(code) {
                return Poll::Ready(items);
            }
        }
        Poll::Pending
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let Some(mut end) = self.end.take() else {
            return;
        };
        if !end.pending || end.operation.take_arrived().is_some() {
            return;
        }
        let at_once = end.cancels_at_once;
        let cancelled = Box::pin(async move {
            let (cancel, handle) = (end.writer.cancel_write, end.writer.handle());
            // SAFETY: A write is pending, its waitable's event was not delivered, and it is in no set.
            block(|| unsafe { cancel(handle) });
            drop(end);
        });
        if at_once {
            background::reap_at_once(cancelled);
        } else {
            background::reap(cancelled);
        }
    }
}
