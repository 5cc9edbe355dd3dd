//! The background of a host: one task that runs its futures, like the executor for WASI 0.3.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use futures::stream::{FuturesUnordered, StreamExt};

use crate::platform::BoxFuture;

use super::contract::{broken, no_sync_call};
use super::counts::{Counted, Kind};
use super::host::Host;
use super::tasks::TaskId;

type Then = Box<dyn FnOnce()>;

#[derive(Default)]
pub(super) struct Background {
    running: Cell<bool>,
    /// The task of the background; another one each time that the background starts.
    task: Cell<TaskId>,
    kept: RefCell<Vec<Counted>>,
    spawned: RefCell<Vec<BoxFuture<'static, ()>>>,
    waker: RefCell<Option<Waker>>,
    /// The numbers of the cancelled operations that have not ended.
    cancelled: RefCell<BTreeSet<u64>>,
    next: Cell<u64>,
    /// Closures that wait for them, each with the last operation that must end first.
    late: RefCell<Vec<(u64, Then)>>,
}

impl Background {
    fn wake(&self) {
        let waker = self.waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn poll(
        &self,
        futures: &mut FuturesUnordered<BoxFuture<'static, ()>>,
        cx: &Context<'_>,
    ) -> Poll<()> {
        *self.waker.borrow_mut() = Some(cx.waker().clone());
        loop {
            // No borrow is held while a future runs: it may spawn.
            futures.extend(self.spawned.take());
            let mut cx = Context::from_waker(cx.waker());
            let more = matches!(futures.poll_next_unpin(&mut cx), Poll::Ready(Some(())));
            if more || !self.spawned.borrow().is_empty() {
                continue;
            }
            if !futures.is_empty() || !self.kept.borrow().is_empty() {
                return Poll::Pending;
            }
            self.running.set(false);
            return Poll::Ready(());
        }
    }

    /// Removes a cancelled operation that has ended, and runs the closures that waited for it.
    fn reaped(&self, id: u64) {
        self.cancelled.borrow_mut().remove(&id);
        let first = self.cancelled.borrow().first().copied();
        let due: Vec<_> = self
            .late
            .borrow_mut()
            .extract_if(.., |(last, _)| first.is_none_or(|first| *last < first))
            .collect();
        for (_, then) in due {
            then();
        }
    }
}

impl Host {
    /// Starts the background unless it runs.
    pub(super) fn start_background(&self) {
        if self.machine.background.running.replace(true) {
            return;
        }
        let host = self.clone();
        let mut futures = FuturesUnordered::new();
        let run =
            poll_fn(move |cx| no_sync_call(|| host.machine.background.poll(&mut futures, cx)));
        let task = self.world.tasks.start(Box::pin(run));
        self.machine.background.task.set(task);
    }

    pub(super) fn run_as_background(&self, f: &mut dyn FnMut()) -> bool {
        let background = &self.machine.background;
        if !background.running.get() {
            return false;
        }
        let before = self.world.current.replace(Some(background.task.get()));
        no_sync_call(f);
        self.world.current.set(before);
        true
    }

    pub(super) fn spawn_in_background(&self, future: BoxFuture<'static, ()>) {
        if self.world.is_async() {
            self.start_background();
        } else if !self.machine.background.running.get() {
            broken("a future was spawned in a sync call or a destructor while no background runs");
        }
        let counted = self.world.counts.count(Kind::Background);
        let future = async move {
            future.await;
            drop(counted);
        };
        self.machine
            .background
            .spawned
            .borrow_mut()
            .push(Box::pin(future));
        self.machine.background.wake();
    }

    pub(super) fn keep_background(&self) {
        self.start_background();
        let kept = self.world.counts.count(Kind::Kept);
        self.machine.background.kept.borrow_mut().push(kept);
    }

    pub(super) fn release_background(&self) {
        if self.machine.background.kept.borrow_mut().pop().is_none() {
            broken("the background was released more often than it was kept");
        }
        self.machine.background.wake();
    }

    /// Ends a cancelled operation a few turns later.
    pub(super) fn reap(&self, then: impl FnOnce() + 'static) {
        let id = self.machine.background.next.get();
        self.machine.background.next.set(id + 1);
        self.machine.background.cancelled.borrow_mut().insert(id);
        let counted = self.world.counts.count(Kind::Cancelled);
        let mut turns = self.world.cancel_turns();
        let host = self.clone();
        self.spawn_in_background(Box::pin(async move {
            poll_fn(|cx| {
                if turns == 0 {
                    return Poll::Ready(());
                }
                turns -= 1;
                cx.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
            then();
            drop(counted);
            host.machine.background.reaped(id);
        }));
    }

    pub(super) fn run_after_cancelled(&self, then: Then) {
        let last = self.machine.background.cancelled.borrow().last().copied();
        match last {
            Some(last) => self.machine.background.late.borrow_mut().push((last, then)),
            None => then(),
        }
    }
}
