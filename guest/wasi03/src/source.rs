//! Reads from a stream: one read at a time, which outlives the call that waits for it.

use std::mem;
use std::task::{Context, Poll, ready};

use crate::background;
use crate::blocking::block;
use crate::operation::Operation;
use crate::stream::{Block, MAX_LENGTH, Progress, StreamReader};

/// Reads from a stream.
///
/// A read that is no longer polled stays pending, with its buffer, and the next read returns its items. So nothing is
/// lost; only dropping the source cancels.
///
/// `P` is dropped when a read has ended: a permit for the read's buffer.
pub struct Source<T: 'static, P: 'static = ()> {
    /// `None` once the drop has taken it.
    end: Option<End<T, P>>,
    /// The kept items of a read that has ended.
    kept: Vec<T>,
}

struct End<T: 'static, P: 'static> {
    operation: Operation,
    reader: StreamReader<T>,
    pending: Option<Reading<T, P>>,
    /// The other end is gone. Another read would be a trap.
    ended: bool,
}

/// A pending read.
struct Reading<T, P> {
    room: Vec<T>,
    /// The memory that the host writes to, if not to `room`.
    block: Option<Block>,
    _permit: P,
}

impl<T: 'static, P: 'static> Source<T, P> {
    /// Creates a source that reads from `reader`.
    pub fn new(reader: StreamReader<T>) -> Self {
        Source {
            end: Some(End {
                operation: Operation::new(reader.handle()),
                reader,
                pending: None,
                ended: false,
            }),
            kept: Vec::new(),
        }
    }

    /// Polls for at least one item, read into the spare capacity that `room` returns; `None` at the end, every time.
    ///
    /// A pending earlier read continues, with its own buffer. When the caller stops polling, it calls
    /// [`Source::leave`].
    pub fn poll_read(
        &mut self,
        cx: &Context<'_>,
        mut room: impl FnMut() -> (Vec<T>, P),
    ) -> Poll<Option<Vec<T>>> {
        if !self.kept.is_empty() {
            return Poll::Ready(Some(mem::take(&mut self.kept)));
        }
        let Some(end) = self.end.as_mut() else {
            return Poll::Ready(None);
        };
        loop {
            let items = if end.pending.is_some() {
                ready!(end.poll(cx))
            } else if end.ended {
                return Poll::Ready(None);
            } else {
                let (room, permit) = room();
                match end.start(room, permit) {
                    Progress::Copied { items, .. } => items,
                    Progress::Blocked => continue,
                }
            };
            if let Some(items) = end.finish(items) {
                return Poll::Ready(Some(items));
            }
        }
    }

    /// Polls until there seems to be something to read, without taking it; false at the end.
    ///
    /// Exact for a stream that a program writes; only a hint for a stream of the host.
    pub fn poll_readable(&mut self, cx: &Context<'_>) -> Poll<bool>
    where
        P: Default,
    {
        let Some(end) = self.end.as_mut() else {
            return Poll::Ready(false);
        };
        if !self.kept.is_empty() {
            return Poll::Ready(true);
        }
        let started = if end.pending.is_some() {
            Progress::Blocked
        } else if end.ended {
            return Poll::Ready(false);
        } else {
            end.start_of(0, Vec::new(), P::default())
        };
        let items = match started {
            Progress::Copied { items, .. } => items,
            Progress::Blocked => ready!(end.poll(cx)),
        };
        if let Some(items) = end.finish(items) {
            self.kept = items;
        }
        Poll::Ready(!self.kept.is_empty() || !end.ended)
    }

    /// Takes the pending read out of the task's set: no task waits for it any more.
    pub fn leave(&mut self) {
        if let Some(end) = self.end.as_mut() {
            end.operation.leave();
        }
    }

    /// Returns whether the running task waits for the pending read.
    pub fn is_in_this_task(&self) -> bool {
        self.end
            .as_ref()
            .is_some_and(|end| end.operation.is_in_this_task())
    }

    /// Ends the pending read, if there is one, and returns its items. May block: only in async calls and in the
    /// background.
    pub fn stop(&mut self) -> Option<Vec<T>> {
        if !self.kept.is_empty() {
            return Some(mem::take(&mut self.kept));
        }
        let end = self.end.as_mut()?;
        end.pending.as_ref()?;
        end.stop()
    }

    /// Drops the source. `then` receives the items of the pending read, now or later in the background.
    pub fn stop_then(mut self, then: impl FnOnce(Vec<T>) + 'static) {
        self.take_apart(then);
    }

    fn take_apart(&mut self, then: impl FnOnce(Vec<T>) + 'static) {
        let Some(mut end) = self.end.take() else {
            return;
        };
        if !self.kept.is_empty() {
            return then(mem::take(&mut self.kept));
        }
        if end.pending.is_some() {
            background::reap(Box::pin(async move {
                if let Some(items) = end.stop() {
                    then(items);
                }
            }));
        }
    }
}

impl<T: 'static, P: 'static> End<T, P> {
    fn start(&mut self, mut room: Vec<T>, permit: P) -> Progress {
        if room.capacity() == room.len() {
            room.reserve(1);
        }
        let n = room.capacity().saturating_sub(room.len()).min(MAX_LENGTH);
        self.start_of(n, room, permit)
    }

    /// Starts to read at most `n` items into `room`, which has space for them.
    fn start_of(&mut self, n: usize, mut room: Vec<T>, permit: P) -> Progress {
        let spare = room.spare_capacity_mut();
        let (to, block) = match self.reader.lift {
            None => (spare.as_mut_ptr().cast(), None),
            Some(_) => {
                let block = Block::new(self.reader.layout, n);
                (block.at(), Some(block))
            }
        };
        // SAFETY: There is room for `n` items, and it does not move until the operation has ended.
        let code = unsafe { (self.reader.start_read)(self.reader.handle(), to, n) };
        self.pending = Some(Reading {
            room,
            block,
            _permit: permit,
        });
        self.note(code)
    }

    /// Ends the pending read. Returns its items, or `None` if it got none. May block.
    fn stop(&mut self) -> Option<Vec<T>> {
        let code = self.operation.take_arrived().unwrap_or_else(|| {
            let (cancel, handle) = (self.reader.cancel_read, self.reader.handle());
            // SAFETY: A read is pending, its waitable's event was not delivered, and it is in no set.
            block(|| unsafe { cancel(handle) })
        });
        match self.note(code) {
            Progress::Copied { items, .. } => self.finish(items),
            Progress::Blocked => None,
        }
    }

    fn note(&mut self, code: u32) -> Progress {
        let progress = Progress::of(code);
        if let Progress::Copied { ended, .. } = progress {
            self.ended |= ended;
        }
        progress
    }

    fn poll(&mut self, cx: &Context<'_>) -> Poll<usize> {
        while let Poll::Ready(code) = self.operation.poll(cx) {
            if let Progress::Copied { items, .. } = self.note(code) {
                return Poll::Ready(items);
            }
        }
        Poll::Pending
    }

    /// Returns the items of the read that has ended; `None` if it got none.
    fn finish(&mut self, items: usize) -> Option<Vec<T>> {
        let Reading {
            mut room, block, ..
        } = self.pending.take()?;
        match (block, self.reader.lift) {
            (Some(block), Some(lift)) => {
                for index in 0..items {
                    let offset = self.reader.layout.size().wrapping_mul(index);
                    // SAFETY: The host has written this many items.
                    room.push(unsafe { lift(block.at().wrapping_add(offset)) });
                }
            }
            // SAFETY: The host has written this many items into the spare capacity.
            _ => unsafe { room.set_len(room.len().saturating_add(items)) },
        }
        (items > 0).then_some(room)
    }
}

impl<T: 'static, P: 'static> Drop for Source<T, P> {
    fn drop(&mut self) {
        self.take_apart(drop);
    }
}
