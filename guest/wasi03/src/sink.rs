//! Writes to a stream: one write at a time, which outlives the call that waits for it.

use std::task::{Context, Poll, ready};

use crate::background;
use crate::blocking::block;
use crate::operation::Operation;
use crate::stream::{MAX_LENGTH, Progress, StreamWriter};

/// The reader of the stream is gone and takes no more bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

/// An item of a stream whose form in memory is that of the component model.
pub trait Plain: Copy + 'static {}

impl Plain for u8 {}
impl Plain for u32 {}

/// Writes to a stream of bytes, or of other plain items.
///
/// A write that is no longer polled stays pending, with its items, and the next [`Sink::poll_rest`] continues it.
/// Dropping the sink ends the stream, and drops items that were not taken by then.
pub struct Sink<T: Plain = u8> {
    /// `None` once the drop has taken it.
    end: Option<End<T>>,
}

struct End<T: Plain> {
    operation: Operation,
    writer: StreamWriter<T>,
    /// The items of the current write, and how many of them were taken.
    items: Vec<T>,
    taken: usize,
    pending: bool,
    /// The reader is gone. Another write would be a trap.
    ended: bool,
    /// Whether the drop cancels a pending write in this turn.
    cancels_at_once: bool,
}

impl<T: Plain> Sink<T> {
    /// Creates a sink that writes to `writer`, whose reader belongs to the host.
    pub fn new(writer: StreamWriter<T>) -> Self {
        Self::with(writer, false)
    }

    /// Writes to `writer`, whose reader belongs to a component.
    ///
    /// Cancelling such a write does not block, so the drop cancels it in this turn. In a later turn the component could
    /// have read all of it.
    pub fn to_component(writer: StreamWriter<T>) -> Self {
        Self::with(writer, true)
    }

    fn with(writer: StreamWriter<T>, cancels_at_once: bool) -> Self {
        Sink {
            end: Some(End {
                operation: Operation::new(writer.handle()),
                writer,
                items: Vec::new(),
                taken: 0,
                pending: false,
                ended: false,
                cancels_at_once,
            }),
        }
    }

    /// Returns whether items of the last write were not taken yet.
    pub fn has_rest(&self) -> bool {
        self.end
            .as_ref()
            .is_some_and(|end| end.pending || !end.rest().is_empty())
    }

    /// Starts to write `items`, and returns how many were taken at once. [`Sink::poll_rest`] writes the rest, and must
    /// have ended before the next write.
    pub fn start(&mut self, items: Vec<T>) -> usize {
        debug_assert!(!self.has_rest(), "the write before has not ended");
        let Some(end) = self.end.as_mut() else {
            return 0;
        };
        (end.items, end.taken) = (items, 0);
        if end.ended {
            return 0;
        }
        match end.write() {
            Progress::Copied { items, .. } => end.took(items),
            Progress::Blocked => 0,
        }
    }

    /// Polls until the next part of the write is taken, and returns its length; 0 if nothing is left. When the caller
    /// stops polling, it calls [`Sink::leave`].
    ///
    /// # Errors
    ///
    /// If the reader is gone.
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

    /// Polls until the stream's reader reads. The previous write must have ended.
    ///
    /// # Errors
    ///
    /// If the reader is gone.
    pub fn poll_wanted(&mut self, cx: &Context<'_>) -> Poll<Result<(), Gone>> {
        let Some(end) = self.end.as_mut() else {
            return Poll::Ready(Err(Gone));
        };
        if end.pending || (!end.ended && end.write() == Progress::Blocked) {
            ready!(end.poll(cx));
        }
        Poll::Ready(if end.ended { Err(Gone) } else { Ok(()) })
    }

    /// Takes the pending write out of the task's set: no task waits for it any more.
    pub fn leave(&mut self) {
        if let Some(end) = self.end.as_mut() {
            end.operation.leave();
        }
    }

    /// Takes the buffer of the last write for reuse. The write must have ended.
    pub fn take_buffer(&mut self) -> Vec<T> {
        match self.end.as_mut() {
            Some(end) if !end.pending => {
                end.taken = 0;
                std::mem::take(&mut end.items)
            }
            _ => Vec::new(),
        }
    }
}

impl<T: Plain> End<T> {
    fn rest(&self) -> &[T] {
        self.items.get(self.taken..).unwrap_or_default()
    }

    fn write(&mut self) -> Progress {
        let rest = self.rest();
        let (from, n) = (rest.as_ptr().cast(), rest.len().min(MAX_LENGTH));
        // SAFETY: The items do not move until the operation has ended.
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

impl<T: Plain> Drop for Sink<T> {
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
