//! The handle of a reading end of a stream or a future.

use std::cell::Cell;

/// Replaces the handle of a reading end that was handed over.
const HANDED_ON: u32 = u32::MAX;

/// The handle of a reading end. Dropping it drops the end, unless it was handed over.
pub(crate) struct Readable {
    handle: Cell<u32>,
    drop: unsafe extern "C" fn(end: u32),
}

impl Readable {
    /// Wraps the end `handle`, which the host's function `drop` drops.
    pub(crate) fn new(handle: u32, drop: unsafe extern "C" fn(end: u32)) -> Self {
        Readable {
            handle: Cell::new(handle),
            drop,
        }
    }

    /// Returns the handle.
    pub(crate) fn get(&self) -> u32 {
        self.handle.get()
    }

    /// Hands the end over: returns the handle, which is no longer dropped here.
    pub(crate) fn hand_on(&self) -> u32 {
        self.handle.replace(HANDED_ON)
    }
}

impl Drop for Readable {
    fn drop(&mut self) {
        let handle = self.handle.get();
        if handle != HANDED_ON {
            // SAFETY: The handle belongs to this end, and no operation is pending on it.
            unsafe { (self.drop)(handle) };
        }
    }
}
