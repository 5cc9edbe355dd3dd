//! Futures that run beside a task's own.

use std::cell::RefCell;
use std::pin::Pin;

pub(crate) type BoxFuture = Pin<Box<dyn Future<Output = ()>>>;

thread_local! {
    /// The futures that the running task has not taken yet.
    static NEW: RefCell<Vec<BoxFuture>> = const { RefCell::new(Vec::new()) };
}

/// Runs `future` beside the running task. The caller gets the result of the task's call as soon as there is one; the
/// task ends with the last of its futures.
pub fn spawn(future: impl Future<Output = ()> + 'static) {
    push(Box::pin(future));
}

pub(crate) fn push(future: BoxFuture) {
    NEW.with_borrow_mut(|new| new.push(future));
}

/// Returns whether the running task has not taken all futures yet.
pub(crate) fn has_new() -> bool {
    NEW.with_borrow(|new| !new.is_empty())
}

/// Returns the futures that were spawned since the last call.
pub(crate) fn take_new() -> Vec<BoxFuture> {
    NEW.take()
}
