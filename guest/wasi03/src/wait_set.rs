//! What a task waits with, kept from one task to the next.

use std::cell::RefCell;

use crate::abi;
use crate::background;
use crate::operation::BLOCKED;

/// How many are kept that nobody needs at the moment.
const KEPT: usize = 32;

thread_local! {
    static FREE: RefCell<Vec<WaitSet>> = const { RefCell::new(Vec::new()) };
}

/// A waitable set with a wake stream in it: others write to the stream to wake the task that waits on the set.
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
    /// A read is pending, which the next wake ends.
    Reading,
    /// The read is over, and the set is about to report it.
    Written,
}

impl WaitSet {
    /// One that is free, or a new one.
    pub(crate) fn take() -> Self {
        let free = FREE.with_borrow_mut(Vec::pop);
        free.unwrap_or_else(WaitSet::new)
    }

    fn new() -> Self {
        // SAFETY: Calls of the host without pointers; the ends are this set's.
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

    /// Keeps it for the next task. Only in async calls; nothing else may be in the set.
    pub(crate) fn give_back(self) {
        let enough = FREE.with_borrow(|free| free.len() >= KEPT);
        if enough {
            self.end();
        } else {
            FREE.with_borrow_mut(|free| free.push(self));
        }
    }

    /// The same anywhere: it is ended in the background, if enough are kept.
    pub(crate) fn give_back_later(self) {
        let enough = FREE.with_borrow(|free| free.len() >= KEPT);
        if enough {
            background::spawn(async move { self.give_back() });
        } else {
            self.give_back();
        }
    }

    fn end(self) {
        // SAFETY: Calls of the host without pointers. The end leaves the set before it is cancelled and dropped, and the
        // set is empty then.
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
            // SAFETY: A read of a unit stream touches no memory. It is pending then: nothing was written.
            let code = unsafe { abi::wake_stream_read(self.rx, std::ptr::null_mut(), 1) };
            debug_assert_eq!(code, BLOCKED, "the read is pending");
            self.wake = Wake::Reading;
        }
        self.set
    }

    /// Wakes the task that waits on the set.
    pub(crate) fn wake_task(&mut self) {
        if matches!(self.wake, Wake::Reading) {
            // SAFETY: A write of a unit stream touches no memory. It is over at once: a read is pending.
            let code = unsafe { abi::wake_stream_write(self.tx, std::ptr::null(), 1) };
            debug_assert_ne!(code, BLOCKED, "the read takes the item at once");
            self.wake = Wake::Written;
        }
    }

    /// What has happened to a waitable of the set, if something has: which one, and its code.
    pub(crate) fn poll(&self) -> Option<[u32; 2]> {
        let mut happened = [0; 2];
        // SAFETY: The host writes two words where there is room for two.
        let event = unsafe { abi::set_poll(self.set, &mut happened) };
        (event != abi::EVENT_NONE).then_some(happened)
    }

    /// Returns whether that was the wake stream.
    pub(crate) fn heard(&mut self, waitable: u32) -> bool {
        let wake = waitable == self.rx;
        if wake {
            self.wake = Wake::Idle;
        }
        wake
    }

    /// Adds a waitable.
    pub(crate) fn join(&self, waitable: u32) {
        // SAFETY: A call of the host without pointers.
        unsafe { abi::join(waitable, self.set) };
    }
}

/// Takes a waitable out of the set that it is in.
pub(crate) fn leave(waitable: u32) {
    // SAFETY: A call of the host without pointers.
    unsafe { abi::join(waitable, 0) };
}
