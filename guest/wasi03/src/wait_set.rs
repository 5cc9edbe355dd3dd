//! The wait sets of tasks, reused from one task to the next.

use std::cell::RefCell;

use crate::abi;
use crate::background;
use crate::operation::BLOCKED;

/// The number of unused sets that are kept.
const KEPT: usize = 32;

thread_local! {
    static FREE: RefCell<Vec<WaitSet>> = const { RefCell::new(Vec::new()) };
}

/// A waitable set that contains a wake stream. A write to the stream wakes the task that waits on the set.
pub(crate) struct WaitSet {
    set: u32,
    /// The ends of the wake stream. The reading end is in the set.
    rx: u32,
    tx: u32,
    wake: Wake,
}

enum Wake {
    /// No read is pending.
    Idle,
    /// A read is pending; the next wake ends it.
    Reading,
    /// The read has ended, and the set will report it.
    Written,
}

impl WaitSet {
    /// Returns an unused set, or a new one.
    pub(crate) fn take() -> Self {
        let free = FREE.with_borrow_mut(Vec::pop);
        free.unwrap_or_else(WaitSet::new)
    }

    fn new() -> Self {
        // SAFETY: Calls of the host without pointers; the set owns the ends.
        unsafe {
            let set = abi::set_new();
            let ends = abi::wake_stream_new();
            let (rx, tx) = (ends as u32, (ends >> 32) as u32);
            abi::join(rx, set);
            WaitSet {
                set,
                rx,
                tx,
                wake: Wake::Idle,
            }
        }
    }

    /// Keeps the set for the next task. Only in async calls; nothing else may be in the set.
    pub(crate) fn give_back(self) {
        let enough = FREE.with_borrow(|free| free.len() >= KEPT);
        if enough {
            self.end();
        } else {
            FREE.with_borrow_mut(|free| free.push(self));
        }
    }

    /// Keeps the set for the next task, also outside of async calls: if enough are kept, it is ended in the background.
    pub(crate) fn give_back_later(self) {
        let enough = FREE.with_borrow(|free| free.len() >= KEPT);
        if enough {
            background::spawn(async move { self.give_back() });
        } else {
            self.give_back();
        }
    }

    fn end(self) {
        // SAFETY: Calls of the host without pointers. The end leaves the set before it is cancelled and dropped, and
        // the set is empty then.
        unsafe {
            abi::join(self.rx, 0);
            if !matches!(self.wake, Wake::Idle) {
                abi::wake_stream_cancel_read(self.rx);
            }
            abi::wake_stream_drop_readable(self.rx);
            abi::wake_stream_drop_writable(self.tx);
            abi::set_drop(self.set);
        }
    }

    /// Returns the set, with a read of the wake stream pending.
    pub(crate) fn listen(&mut self) -> u32 {
        if matches!(self.wake, Wake::Idle) {
            // SAFETY: A read of a unit stream touches no memory. It is pending afterwards, because nothing was written.
            let code = unsafe { abi::wake_stream_read(self.rx, std::ptr::null_mut(), 1) };
            debug_assert_eq!(code, BLOCKED, "the read is pending");
            self.wake = Wake::Reading;
        }
        self.set
    }

    /// Wakes the task that waits on the set.
    pub(crate) fn wake_task(&mut self) {
        if matches!(self.wake, Wake::Reading) {
            // SAFETY: A write of a unit stream touches no memory. It ends at once, because a read is pending.
            let code = unsafe { abi::wake_stream_write(self.tx, std::ptr::null(), 1) };
            debug_assert_ne!(code, BLOCKED, "the read takes the item at once");
            self.wake = Wake::Written;
        }
    }

    /// Returns the next event of the set, if there is one: the waitable and its code.
    pub(crate) fn poll(&self) -> Option<[u32; 2]> {
        let mut happened = [0; 2];
        // SAFETY: The host writes two words, and there is room for two.
        let event = unsafe { abi::set_poll(self.set, &mut happened) };
        (event != abi::EVENT_NONE).then_some(happened)
    }

    /// Returns whether the event was the wake stream's.
    pub(crate) fn heard(&mut self, waitable: u32) -> bool {
        let wake = waitable == self.rx;
        if wake {
            self.wake = Wake::Idle;
        }
        wake
    }

    /// Adds a waitable to the set.
    pub(crate) fn join(&self, waitable: u32) {
        // SAFETY: A call of the host without pointers.
        unsafe { abi::join(waitable, self.set) };
    }
}

/// Takes a waitable out of its set.
pub(crate) fn leave(waitable: u32) {
    // SAFETY: A call of the host without pointers.
    unsafe { abi::join(waitable, 0) };
}
