//! An operation of the host that can be pending, and the task that waits for it.
//!
//! wit-bindgen cancels an operation when the future that waits for it is dropped, with a call that blocks the whole
//! component until the host has answered. Here an operation outlives the wait: it stays pending, in no task's set, until
//! somebody waits for it again or its owner goes.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::shared::{self, Shared};

/// The code by which the host says that an operation is pending.
pub(crate) const BLOCKED: u32 = u32::MAX;

/// Where a task leaves the code that the host has sent for an operation.
#[derive(Default)]
pub(crate) struct Event {
    code: Cell<Option<u32>>,
    waker: Cell<Option<Waker>>,
}

impl Event {
    /// Stores the code and wakes the future that waits for it.
    pub(crate) fn arrive(&self, code: u32) {
        self.code.set(Some(code));
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// The operations of one waitable, of which at most one is pending at a time.
pub(crate) struct Operation {
    waitable: u32,
    event: Rc<Event>,
    /// The task that has the waitable in its set.
    task: Option<Arc<Shared>>,
}

impl Operation {
    /// The operations of `waitable`: an end of a stream or of a future, or a call.
    pub(crate) fn new(waitable: u32) -> Self {
        Operation {
            waitable,
            event: Rc::default(),
            task: None,
        }
    }

    /// Polls the pending operation; returns its code once the host has sent one.
    pub(crate) fn poll(&mut self, cx: &Context<'_>) -> Poll<u32> {
        if self.event.code.get().is_none() {
            self.event.waker.set(Some(cx.waker().clone()));
            self.join();
        }
        match self.event.code.take() {
            Some(code) => {
                self.leave();
                Poll::Ready(code)
            }
            None => Poll::Pending,
        }
    }

    /// Takes the waitable out of the task's set: nothing waits for it now.
    pub(crate) fn leave(&mut self) {
        if let Some(task) = self.task.take() {
            // An event that the task has received is in `event`, and the waitable has left the set by then.
            if self.event.code.get().is_none() {
                task.remove(self.waitable);
            }
        }
        self.event.waker.set(None);
    }

    /// Returns the code that has arrived and was not polled.
    pub(crate) fn take_arrived(&mut self) -> Option<u32> {
        self.event.code.take()
    }

    /// Adds the waitable to the running task's set, unless it is there.
    fn join(&mut self) {
        let Some(current) = shared::current() else {
            debug_assert!(false, "an operation was polled outside of a task");
            return;
        };
        if self
            .task
            .as_ref()
            .is_some_and(|task| Arc::ptr_eq(task, &current))
        {
            return;
        }
        if let Some(task) = self.task.take() {
            task.remove(self.waitable);
        }
        current.add(self.waitable, self.event.clone());
        self.task = Some(current);
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        self.leave();
    }
}
