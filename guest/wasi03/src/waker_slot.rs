//! One future that waits for a change.

use std::cell::RefCell;
use std::task::{Context, Waker};

/// The waker of at most one future.
#[derive(Default)]
pub struct WakerSlot(RefCell<Option<Waker>>);

impl WakerSlot {
    /// Stores `cx`'s waker in the place of the one before, for the next [`WakerSlot::wake`].
    pub fn register(&self, cx: &Context<'_>) {
        let mut slot = self.0.borrow_mut();
        match slot.as_mut() {
            Some(waker) => waker.clone_from(cx.waker()),
            None => *slot = Some(cx.waker().clone()),
        }
    }

    /// Wakes the future and forgets it.
    pub fn wake(&self) {
        let waker = self.0.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
