//! Futures that run beside a task's own.

use std::cell::RefCell;
use std::pin::Pin;

pub(crate) type BoxFuture = Pin<Box<dyn Future<Output = ()>>>;

thread_local! {
    /// Those that the task which runs has not taken up yet.
    static NEW: RefCell<Vec<BoxFuture>> = const { RefCell::new(Vec::new()) };
}

/// Runs `future` beside the task that is running. The task's call has its result as soon as it gives one; the task itself
/// ends with the last of its futures.
pub fn spawn(future: impl Future<Output = ()> + 'static) {
    push(Box::pin(future));
}

pub(crate) fn push(future: BoxFuture) {
    NEW.with_borrow_mut(|new| new.push(future));
}

/// Those that were spawned since it was asked last.
pub(crate) fn take_new() -> Vec<BoxFuture> {
    NEW.take()
}
