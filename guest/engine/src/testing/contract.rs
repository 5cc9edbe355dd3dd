//! The checks of the platform's contract.

use std::cell::Cell;
use std::rc::Rc;
use std::task::{Context, Waker};

use super::tasks::TaskId;
use super::world::World;

thread_local! {
    static SYNC_CALL: Cell<bool> = const { Cell::new(false) };
}

/// Runs a call that a component would export as a sync call, or the drop of a resource. The platform panics if the
/// engine does something in it that is allowed only in async calls.
pub fn sync_call<T>(call: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            SYNC_CALL.set(self.0);
        }
    }
    let _restore = Restore(SYNC_CALL.replace(true));
    call()
}

/// Runs `run` as part of the background, even if a sync call is running.
pub(super) fn no_sync_call<T>(run: impl FnOnce() -> T) -> T {
    let before = SYNC_CALL.replace(false);
    let result = run();
    SYNC_CALL.set(before);
    result
}

pub(super) fn in_sync_call() -> bool {
    SYNC_CALL.get()
}

/// Panics because the contract of [`platform`](crate::platform) was broken. Does nothing in a thread that already
/// panics.
#[track_caller]
pub(super) fn broken(what: &str) {
    if !std::thread::panicking() {
        panic!("contract of the platform: {what}");
    }
}

/// The task that waits for an operation.
#[derive(Default)]
pub(super) struct Waiting {
    waker: Option<Waker>,
    task: Option<TaskId>,
}

impl Waiting {
    /// Makes the running task wait for the operation.
    pub(super) fn join(&mut self, world: &Rc<World>, cx: &Context<'_>) {
        self.waker = Some(cx.waker().clone());
        let current = world.current.get();
        if self.task != current {
            self.leave_task(world);
            if let Some(task) = current {
                world.join(task);
            }
            self.task = current;
        }
    }

    /// Removes the waiting task.
    pub(super) fn leave(&mut self, world: &World) {
        self.leave_task(world);
        self.waker = None;
    }

    /// Wakes the task: the operation has ended.
    pub(super) fn end(&mut self, world: &World) {
        self.leave_task(world);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn leave_task(&mut self, world: &World) {
        if let Some(task) = self.task.take() {
            world.part_from(task);
        }
    }
}
