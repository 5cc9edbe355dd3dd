//! Whether a pending call has an event.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Wake;

/// Records that a pending call has an event. It wakes no task: the one that received the event is about to run.
#[derive(Clone, Default)]
pub(super) struct Arrived(Arc<Flag>);

#[derive(Default)]
pub(super) struct Flag(AtomicBool);

impl Arrived {
    /// Returns whether there was one since the last call.
    pub(super) fn take(&self) -> bool {
        self.0.0.swap(false, Ordering::Relaxed)
    }

    pub(super) fn waker(&self) -> Arc<Flag> {
        self.0.clone()
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}
