//! Futures that run even while no call is running.
//!
//! A spawned future runs inside the exported async call that spawned it, and a sync call or a destructor cannot spawn.
//! So the first async call that needs it spawns one future, the driver, which takes futures from anywhere. The driver
//! makes progress whenever the store's event loop runs, and ends when nothing is left to wait for. The next call that
//! needs it starts it again.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::future_set::FutureSet;
use crate::shared::{self, Shared};
use crate::spawned::BoxFuture;
use crate::task::next_turn;
use crate::waker_slot::WakerSlot;

/// Starts the driver unless it runs. Only in async calls.
pub fn start() {
    DRIVER.with(|driver| {
        if !driver.running.replace(true) {
            crate::spawn(run());
        }
    });
}

/// Runs `future` in the background. In a sync call or a destructor, the driver must already run: kept by a
/// [`KeepRunning`] or by another future.
pub fn spawn(future: impl Future<Output = ()> + 'static) {
    push(Box::pin(future));
}

/// Runs `future` as long as other futures run in the background, then drops it.
pub fn spawn_daemon(future: impl Future<Output = ()> + 'static) {
    DRIVER.with(|driver| {
        driver.daemons.borrow_mut().push(Box::pin(future));
        driver.waker.wake();
    });
}

/// Runs `f` at once as a part of the background, also in a sync call: what it polls stays pending there. Returns `None`, and does
/// not run it, if the background does not run.
///
/// `f` polls nothing that may block, such as the end of a cancelled operation.
pub fn as_background<T>(f: impl FnOnce() -> T) -> Option<T> {
    let task = DRIVER.with(|driver| driver.task.borrow().clone())?;
    Some(task.enter(f))
}

/// Spawns a future that is on the heap.
pub(crate) fn push(future: BoxFuture) {
    // A call on a set that outlives it has no place for the driver, and runs only while something else keeps that going.
    if shared::current().is_some_and(|shared| !shared.outlives) {
        start();
    }
    DRIVER.with(|driver| {
        driver.spawned.borrow_mut().push(future);
        driver.waker.wake();
    });
}

/// Keeps the driver running until it is dropped, with or without futures.
pub struct KeepRunning(());

impl KeepRunning {
    /// Starts the driver and keeps it. Only in async calls.
    #[expect(
        clippy::new_without_default,
        reason = "it starts the driver, which only async calls may do"
    )]
    pub fn new() -> Self {
        keep();
        KeepRunning(())
    }
}

impl Drop for KeepRunning {
    fn drop(&mut self) {
        release();
    }
}

/// Starts the driver, and keeps it running until [`release`]. Only in async calls.
pub(crate) fn keep() {
    start();
    DRIVER.with(|driver| driver.kept.set(driver.kept.get().saturating_add(1)));
}

/// Reverts one [`keep`].
pub(crate) fn release() {
    DRIVER.with(|driver| {
        debug_assert!(driver.kept.get() > 0, "each keep is released once");
        driver.kept.set(driver.kept.get().saturating_sub(1));
        if driver.kept.get() == 0 {
            driver.waker.wake();
        }
    });
}

/// A value that cancelled calls may still borrow, such as a socket that was connecting.
///
/// A cancelled call ends in the background, and dropping a resource that is lent to a call is a trap. So the value is
/// dropped only once all calls that were cancelled before have ended.
pub struct Late<T: 'static>(ManuallyDrop<T>);

impl<T: 'static> Late<T> {
    /// Wraps `value`.
    pub fn new(value: T) -> Self {
        Late(ManuallyDrop::new(value))
    }

    /// Returns the value. No call that borrows it may have been cancelled.
    pub fn into_inner(self) -> T {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: The value is taken once: `this` is not dropped.
        unsafe { ManuallyDrop::take(&mut this.0) }
    }
}

impl<T: 'static> Deref for Late<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: 'static> Drop for Late<T> {
    fn drop(&mut self) {
        // SAFETY: The value is taken once: this is the end of `self`.
        let value = unsafe { ManuallyDrop::take(&mut self.0) };
        after_cancelled(move || drop(value));
    }
}

/// Runs `then` once all operations that were cancelled before have ended and freed their handles: now, or later in the
/// background.
pub fn after_cancelled(then: impl FnOnce() + 'static) {
    let last = DRIVER.with(|driver| driver.reaping.borrow().back().copied());
    match last {
        Some(last) => DRIVER.with(|driver| {
            driver.late.borrow_mut().push((last, Box::new(then)));
        }),
        None => then(),
    }
}

/// Ends a cancelled operation in the next turn. Ending it blocks, and calls of this turn must be able to start before.
pub(crate) fn reap(future: BoxFuture) {
    reap_at_once(Box::pin(async move {
        next_turn().await;
        future.await;
    }));
}

/// Runs the end of a cancelled operation in this turn, if the driver still runs in it.
pub(crate) fn reap_at_once(future: BoxFuture) {
    let id = DRIVER.with(|driver| {
        let id = driver.next_reaping.get();
        driver.next_reaping.set(id.wrapping_add(1));
        driver.reaping.borrow_mut().push_back(id);
        id
    });
    spawn(async move {
        future.await;
        DRIVER.with(|driver| driver.reaped(id));
    });
}

type Then = Box<dyn FnOnce()>;

struct Driver {
    running: Cell<bool>,
    /// The task that the driver runs in, once it has run.
    task: RefCell<Option<Arc<Shared>>>,
    kept: Cell<usize>,
    spawned: RefCell<Vec<BoxFuture>>,
    daemons: RefCell<Vec<BoxFuture>>,
    waker: WakerSlot,
    /// The numbers of the cancelled operations that have not ended, in their order.
    reaping: RefCell<VecDeque<u64>>,
    next_reaping: Cell<u64>,
    /// Closures of [`after_cancelled`], each with the last operation that must end first.
    late: RefCell<Vec<(u64, Then)>>,
}

thread_local! {
    static DRIVER: Driver = const { Driver::new() };
}

async fn run() {
    let mut running = Running::default();
    poll_fn(|cx| DRIVER.with(|driver| driver.poll(&mut running, cx))).await;
}

#[derive(Default)]
struct Running {
    futures: FutureSet<BoxFuture>,
    daemons: FutureSet<BoxFuture>,
}

impl Driver {
    const fn new() -> Self {
        Driver {
            running: Cell::new(false),
            task: RefCell::new(None),
            kept: Cell::new(0),
            spawned: RefCell::new(Vec::new()),
            daemons: RefCell::new(Vec::new()),
            waker: WakerSlot::new(),
            reaping: RefCell::new(VecDeque::new()),
            next_reaping: Cell::new(0),
            late: RefCell::new(Vec::new()),
        }
    }

    fn poll(&self, running: &mut Running, cx: &mut Context<'_>) -> Poll<()> {
        self.waker.register(cx);
        if self.task.borrow().is_none() {
            *self.task.borrow_mut() = shared::current();
        }
        loop {
            // No borrow is held while a future runs: it may spawn.
            running.futures.extend(self.spawned.take());
            running.daemons.extend(self.daemons.take());
            let futures = running.futures.poll(cx);
            let _ = running.daemons.poll(cx);
            if self.has_new() {
                continue;
            }
            if futures.is_pending() || self.kept.get() > 0 {
                return Poll::Pending;
            }
            // Dropping them may cancel operations, which then end here.
            running.daemons.clear();
            if !self.has_new() {
                self.running.set(false);
                *self.task.borrow_mut() = None;
                return Poll::Ready(());
            }
        }
    }

    fn has_new(&self) -> bool {
        !self.spawned.borrow().is_empty() || !self.daemons.borrow().is_empty()
    }

    /// Removes a cancelled operation that has ended, and runs the closures that waited for it.
    fn reaped(&self, id: u64) {
        let mut reaping = self.reaping.borrow_mut();
        if let Ok(place) = reaping.binary_search(&id) {
            reaping.remove(place);
        }
        let first = reaping.front().copied();
        drop(reaping);
        let due = |last: u64| first.is_none_or(|first| last < first);
        let runs: Vec<_> = self
            .late
            .borrow_mut()
            .extract_if(.., |(last, _)| due(*last))
            .collect();
        for (_, then) in runs {
            then();
        }
    }
}
