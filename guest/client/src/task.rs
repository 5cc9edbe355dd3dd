//! Tasks: futures that run beside the caller.

use std::pin::Pin;
use std::task::{Context, Poll};

use wit_bindgen::JoinHandle;

/// Runs `future` beside the caller, from now on. asyncio's `create_task`.
///
/// It belongs to the call from outside in which it was spawned: the `main` of [`run!`](crate::run),
/// or one call of the handler of [`serve!`](crate::serve). `wasmtime run` ends the program when
/// `main` returns, and with it all tasks; tasks of a handler go on after it returned.
///
/// Call it while a future of this program is being polled, as all code in `main` and in a handler
/// is; elsewhere, in a native test say, it panics.
pub fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> Task<T> {
    Task {
        handle: wit_bindgen::spawn_local(future),
    }
}

/// A spawned task. Await it for its result: none when it was cancelled. Dropping it lets the task
/// go on.
#[must_use = "a task runs by itself; say `drop(task)` if its result is of no interest"]
pub struct Task<T> {
    handle: JoinHandle<T>,
}

impl<T> Task<T> {
    /// Drops the task's future, unless it has ended already. asyncio's `Task.cancel`.
    pub fn cancel(&mut self) {
        self.handle.cancel();
    }
}

impl<T> Future for Task<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        Pin::new(&mut self.handle).poll(cx)
    }
}

impl<T> std::fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task").finish_non_exhaustive()
    }
}
