//! What goes on when no call is running: writing what is queued, closing, discarding, timers.
//!
//! A spawned future runs inside the exported async call that spawned it, and a sync call or a destructor can spawn
//! nothing. So one future, the driver, is spawned by the first async call that opens something; tasks are
//! handed to it from anywhere. It makes progress whenever the store's event loop runs, and ends when nothing is left to
//! wait for; the next call that opens something starts it again.

mod timer;

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::stream::{FuturesUnordered, StreamExt};

use crate::signal::Sleeper;

pub(crate) use timer::{Sleep, now, sleep};

/// Makes sure that the driver runs. Only in async calls.
pub(crate) fn start() {
    DRIVER.with(|driver| {
        if !driver.running.replace(true) {
            asyncio_streams_task::spawn(run());
        }
    });
}

/// Runs `task` in the background. The driver must have been started and be kept, by a [`Keep`] or another task.
pub(crate) fn spawn(task: impl Future<Output = ()> + 'static) {
    DRIVER.with(|driver| {
        driver.spawned.borrow_mut().push(Box::pin(task));
        driver.sleeper.wake();
    });
}

/// Keeps the driver running, with or without tasks.
pub(crate) struct Keep(());

impl Keep {
    /// Starts the driver and keeps it. Only in async calls.
    pub(crate) fn new() -> Self {
        start();
        DRIVER.with(|driver| driver.keeps.set(driver.keeps.get().saturating_add(1)));
        Keep(())
    }
}

impl Drop for Keep {
    fn drop(&mut self) {
        DRIVER.with(|driver| {
            driver.keeps.set(driver.keeps.get().saturating_sub(1));
            driver.sleeper.wake();
        });
    }
}

/// Lets other tasks run. To be awaited now and then in loops that a fast peer could keep busy.
pub(crate) async fn yield_now() {
    wit_bindgen::yield_async().await;
}

type Task = Pin<Box<dyn Future<Output = ()>>>;

#[derive(Default)]
struct Driver {
    running: Cell<bool>,
    keeps: Cell<usize>,
    spawned: RefCell<Vec<Task>>,
    sleeper: Sleeper,
    timers: timer::Timers,
}

thread_local! {
    static DRIVER: Driver = Driver::default();
}

async fn run() {
    let mut tasks = FuturesUnordered::new();
    let mut clock = timer::Clock::default();
    poll_fn(|cx| DRIVER.with(|driver| driver.poll(&mut tasks, &mut clock, cx))).await;
}

impl Driver {
    fn poll(
        &self,
        tasks: &mut FuturesUnordered<Task>,
        clock: &mut timer::Clock,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        self.sleeper.sleep(cx);
        loop {
            // No borrow is held while a task runs: it may spawn.
            tasks.extend(self.spawned.take());
            match tasks.poll_next_unpin(cx) {
                Poll::Ready(Some(())) => {}
                Poll::Ready(None) | Poll::Pending => {
                    if self.spawned.borrow().is_empty() {
                        break;
                    }
                }
            }
        }
        clock.poll(&self.timers, cx);
        let idle = tasks.is_empty() && self.keeps.get() == 0 && self.timers.is_empty();
        if idle {
            self.running.set(false);
            return Poll::Ready(());
        }
        Poll::Pending
    }
}
