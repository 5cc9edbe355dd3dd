//! A wait set that outlives the calls that wait on it.
//!
//! Operations that are pending stay in the set from one call to the next. So a call that waits for thousands of them adds only
//! those that are new, and what happens between two calls is found by the second.

use std::cell::RefCell;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use crate::shared::Shared;

thread_local! {
    /// The set that the running task is about to wait on.
    static NEXT: RefCell<Option<Arc<Shared>>> = const { RefCell::new(None) };
}

/// The set, and the operations in it.
pub struct StandingSet(Arc<Shared>);

impl StandingSet {
    /// Creates an empty set. It takes handles from the first wait on.
    pub fn new() -> Self {
        StandingSet(Shared::standing())
    }

    /// Makes it the set of the running call until the call returns: what the call waits for after this stays in the set. One
    /// call at a time; it awaits this before anything else, and it spawns nothing.
    pub async fn enter(&self) {
        let mut entered = false;
        poll_fn(|cx| {
            if entered {
                return Poll::Ready(());
            }
            entered = true;
            NEXT.set(Some(self.0.clone()));
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

impl Default for StandingSet {
    fn default() -> Self {
        StandingSet::new()
    }
}

impl Drop for StandingSet {
    fn drop(&mut self) {
        debug_assert!(!self.0.waits(), "the operations are dropped before the set");
        if let Some(wait_set) = self.0.take_wait_set() {
            wait_set.give_back_later();
        }
    }
}

/// Takes the set that the running task has entered.
pub(crate) fn take_next() -> Option<Arc<Shared>> {
    NEXT.take()
}
