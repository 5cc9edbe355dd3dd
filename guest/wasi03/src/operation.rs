//! A pending operation of the host, and the task that waits for it.
//!
//! wit-bindgen cancels an operation when the future that waits for it is dropped. That call blocks the whole component
//! until the host has answered. Here an operation outlives the wait: it stays pending, in no task's set, until a later
//! wait continues it or its owner is dropped.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::abi;
use crate::call;
use crate::shared::{self, Shared};

/// The host's code for a pending operation.
pub(crate) const BLOCKED: u32 = u32::MAX;

/// The place where a task stores the host's code for an operation.
#[derive(Default)]
pub(crate) struct Event {
    code: Cell<Option<u32>>,
    waker: Cell<Option<Waker>>,
    /// The handle of a call that has not ended; 0 for other operations.
    call: Cell<u32>,
    /// The call has ended: its waitable is gone.
    gone: Cell<bool>,
    /// A task waits for it.
    pub(crate) pending: Cell<bool>,
}

impl Event {
    /// Stores the code and wakes the future that waits for it.
    pub(crate) fn arrive(&self, code: u32) {
        if call::is_final(code) {
            // wasmtime may free the call's task from now on. Dropping the handle after that would be a trap.
            self.drop_call();
        }
        self.code.set(Some(code));
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Event {
    /// Returns whether the waitable is gone after this code: that of a call which has ended.
    pub(crate) fn ends_with(&self, code: u32) -> bool {
        self.call.get() != 0 && call::is_final(code)
    }

    /// Drops the handle of a call that has ended, once.
    fn drop_call(&self) {
        let call = self.call.take();
        if call != 0 {
            self.gone.set(true);
            // SAFETY: The call has ended, and its event was delivered.
            unsafe { abi::call_drop(call) };
        }
    }
}

/// The operations of one waitable; at most one is pending at a time.
pub(crate) struct Operation {
    waitable: u32,
    event: Rc<Event>,
    /// The task whose set contains the waitable.
    task: Option<Arc<Shared>>,
}

impl Operation {
    /// Creates the operations of `waitable`: an end of a stream or of a future, or a call.
    pub(crate) fn new(waitable: u32) -> Self {
        Operation {
            waitable,
            event: Rc::default(),
            task: None,
        }
    }

    /// Creates the operation of a call from its handle; 0 means that the call has returned at once.
    pub(crate) fn of_call(handle: u32) -> Self {
        let operation = Self::new(handle);
        operation.event.call.set(handle);
        operation
    }

    /// Drops the handle of a call whose end no task delivered.
    pub(crate) fn call_has_ended(&self) {
        self.event.drop_call();
    }

    /// Polls the pending operation. Returns its code once the host has sent one.
    pub(crate) fn poll(&mut self, cx: &Context<'_>) -> Poll<u32> {
        if self.event.code.get().is_none() {
            self.event.waker.set(Some(cx.waker().clone()));
            self.join();
        }
        match self.event.code.take() {
            Some(code) => Poll::Ready(code),
            None => Poll::Pending,
        }
    }

    /// Stops waiting for a pending operation: its event stays with the host. The waitable of one that has ended stays in the task's
    /// set, for the next one.
    pub(crate) fn leave(&mut self) {
        if self.event.pending.get() {
            self.leave_set();
        }
        self.event.waker.set(None);
    }

    /// Takes the waitable out of the task's set, where its event may be on its way.
    fn leave_set(&mut self) {
        if let Some(task) = self.task.take()
            && !self.event.gone.get()
        {
            task.abandon(self.waitable);
        }
    }

    /// Returns whether the running task waits for the operation.
    pub(crate) fn is_in_this_task(&self) -> bool {
        match (&self.task, shared::current()) {
            (Some(task), Some(current)) => Arc::ptr_eq(task, &current),
            _ => false,
        }
    }

    /// Returns the code that has arrived and was not polled. If there is none, the waitable is in no set after it, so that the operation
    /// can be cancelled.
    pub(crate) fn take_arrived(&mut self) -> Option<u32> {
        self.leave_set();
        self.event.code.take()
    }

    /// Adds the waitable to the running task's set, unless it is there.
    fn join(&mut self) {
        let Some(current) = shared::current() else {
            debug_assert!(false, "an operation was polled outside of a task");
            return;
        };
        let is_member = match &self.task {
            Some(task) if Arc::ptr_eq(task, &current) => true,
            Some(task) => {
                task.hand_over(self.waitable);
                false
            }
            None => false,
        };
        current.add(self.waitable, &self.event, is_member);
        if !is_member {
            self.task = Some(current);
        }
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        self.leave();
        // An operation that nothing waits for has ended.
        if let Some(task) = self.task.take()
            && !self.event.gone.get()
        {
            task.remove(self.waitable);
        }
    }
}
