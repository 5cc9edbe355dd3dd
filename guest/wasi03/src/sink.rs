//! Writing to a stream of bytes: one write at a time, which outlives the call that waits for it.

use std::pin::Pin;
use std::task::{Context, Poll};

use crate::background;
use crate::blocking::block;
use crate::operation::Operation;
use crate::stream::{MAX_LENGTH, Progress, StreamWriter};

/// The reader of the stream is gone: it takes no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

/// A stream that is written to.
///
/// A write whose future is dropped stays pending, with its bytes, and the next [`Sink::finish`] goes on with it. Dropping
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
}

impl Sink {
    /// Writes to `writer`.
    pub fn new(writer: StreamWriter<u8>) -> Self {
        Sink {
            end: Some(End {
                operation: Operation::new(writer.handle()),
                writer,
                bytes: Vec::new(),
                taken: 0,
                pending: false,
                ended: false,
            }),
        }
    }

    /// Whether bytes of an earlier write are still to be taken.
    pub fn has_rest(&self) -> bool {
        self.end
            .as_ref()
            .is_some_and(|end| end.pending || !end.rest().is_empty())
    }

    /// Starts to write `bytes`; returns how many of them were taken at once. [`Sink::finish`] writes the others, and must
    /// have done so before the next write starts.
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

    /// Waits until all bytes were taken, and calls `sent` with the length of each part. A dropped call takes nothing back.
    ///
    /// # Errors
    ///
    /// When the reader is gone.
    pub async fn finish(&mut self, mut sent: impl FnMut(usize)) -> Result<(), Gone> {
        let Some(end) = self.end.as_mut() else {
            return Err(Gone);
        };
        loop {
            if !end.pending {
                if end.rest().is_empty() {
                    return Ok(());
                }
                if end.ended {
                    return Err(Gone);
                }
                if let Progress::Copied { items, .. } = end.write() {
                    sent(end.took(items));
                    continue;
                }
            }
            let items = Waiting(end).await;
            sent(end.took(items));
        }
    }

    /// Waits until the stream's reader reads. Nothing may be left of an earlier write.
    ///
    /// # Errors
    ///
    /// When the reader is gone.
    pub async fn reader_waits(&mut self) -> Result<(), Gone> {
        let Some(end) = self.end.as_mut() else {
            return Err(Gone);
        };
        if end.pending || (!end.ended && end.write() == Progress::Blocked) {
            Waiting(end).await;
        }
        if end.ended { Err(Gone) } else { Ok(()) }
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

/// Waits for the write that is pending. Dropped, it leaves the write in no task's set.
struct Waiting<'a>(&'a mut End);

impl Future for Waiting<'_> {
    type Output = usize;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        self.0.poll(cx)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.operation.leave();
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
        background::reap(Box::pin(async move {
            let (cancel, handle) = (end.writer.cancel_write, end.writer.handle());
            // SAFETY: A write is pending, its waitable's event was not delivered, and it is in no set.
            block(|| unsafe { cancel(handle) });
            drop(end);
        }));
    }
}
