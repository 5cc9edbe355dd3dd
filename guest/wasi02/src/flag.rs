//! A waker that sets a flag.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};

/// Whether a future was woken. There is one thread, so the order of the accesses does not matter.
pub(crate) struct Flag(AtomicBool);

impl Flag {
    /// A flag that is set.
    pub(crate) fn set() -> Arc<Self> {
        Arc::new(Flag(AtomicBool::new(true)))
    }

    pub(crate) fn waker(self: &Arc<Self>) -> Waker {
        self.clone().into()
    }

    /// Returns whether it is set, and clears it.
    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}
