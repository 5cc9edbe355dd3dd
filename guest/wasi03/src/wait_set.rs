//! What a task waits with, kept from one task to the next.

use std::cell::RefCell;

use crate::abi;

/// How many are kept that nobody needs at the moment.
const KEPT: usize = 32;

thread_local! {
    static FREE: RefCell<Vec<Lane>> = const { RefCell::new(Vec::new()) };
}

/// A waitable set, and the bell in it: a stream by which others wake the task that waits on the set.
pub(crate) struct Lane {
    set: u32,
    /// The ends of the bell's stream. The reading end is in the set.
    ear: u32,
    clapper: u32,
    bell: Bell,
}

enum Bell {
    /// No read is pending.
    Silent,
    /// A read is pending, which the next ring ends.
    Listening,
    /// The read is over, and the set is going to say so.
    Rung,
}

impl Lane {
    /// One that is free, or a new one.
    pub(crate) fn take() -> Self {
        let free = FREE.with_borrow_mut(Vec::pop);
        free.unwrap_or_else(Lane::new)
    }

    fn new() -> Self {
        // SAFETY: Calls of the host without pointers; the ends are this lane's, and so is the set.
        unsafe {
            let set = abi::set_new();
            let ends = abi::bell_new();
            let (ear, clapper) = (ends as u32, (ends >> 32) as u32);
            abi::join(ear, set);
            Lane {
                set,
                ear,
                clapper,
                bell: Bell::Silent,
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

    fn end(self) {
        // SAFETY: Calls of the host without pointers. The end leaves the set before it is cancelled and dropped, and the
        // set is empty then.
        unsafe {
            abi::join(self.ear, 0);
            if !matches!(self.bell, Bell::Silent) {
                abi::bell_cancel_read(self.ear);
            }
            abi::bell_drop_readable(self.ear);
            abi::bell_drop_writable(self.clapper);
            abi::set_drop(self.set);
        }
    }

    /// The set, with the bell listening.
    pub(crate) fn listen(&mut self) -> u32 {
        if matches!(self.bell, Bell::Silent) {
            // SAFETY: A read of a unit stream touches no memory. It is pending then: nobody has rung.
            unsafe { abi::bell_read(self.ear, std::ptr::null_mut(), 1) };
            self.bell = Bell::Listening;
        }
        self.set
    }

    /// Has the host tell the task that waits on the set.
    pub(crate) fn ring(&mut self) {
        if matches!(self.bell, Bell::Listening) {
            // SAFETY: A write of a unit stream touches no memory. It is over at once: a read is pending.
            unsafe { abi::bell_write(self.clapper, std::ptr::null(), 1) };
            self.bell = Bell::Rung;
        }
    }

    /// What has happened to a waitable of the set, if something has: which one, and its code.
    pub(crate) fn poll(&self) -> Option<[u32; 2]> {
        let mut happened = [0; 2];
        // SAFETY: The host writes two words where there is room for two.
        let event = unsafe { abi::set_poll(self.set, &mut happened) };
        (event != abi::EVENT_NONE).then_some(happened)
    }

    /// Whether that was the bell.
    pub(crate) fn heard(&mut self, waitable: u32) -> bool {
        let bell = waitable == self.ear;
        if bell {
            self.bell = Bell::Silent;
        }
        bell
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
