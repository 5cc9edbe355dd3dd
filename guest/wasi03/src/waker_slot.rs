//! The waker of one future that waits for a change.

use std::cell::RefCell;
use std::task::{Context, Waker};

/// The waker of at most one future.
#[derive(Default)]
pub struct WakerSlot(RefCell<Option<Waker>>);

impl WakerSlot {
    /// Creates a slot without a waker.
    pub const fn new() -> Self {
        WakerSlot(RefCell::new(None))
    }

    /// Stores the waker of `cx` for the next [`WakerSlot::wake`], in place of an earlier one.
    pub fn register(&self, cx: &Context<'_>) {
        let mut slot = self.0.borrow_mut();
        match slot.as_mut() {
            Some(waker) => waker.clone_from(cx.waker()),
            None => *slot = Some(cx.waker().clone()),
        }
    }

    /// Wakes the future and removes its waker.
    pub fn wake(&self) {
        let waker = self.0.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
