//! One store, driven from several tasks.
//!
//! A wasmtime store computes in one thread at a time, and its background work continues only while its event loop
//! runs. The driver, a separate task, runs the loop, one *turn* after another; between two turns the store is free. A
//! caller ends the turn in progress, submits its call and runs the next turn itself. So a call that does not wait has
//! its result within one poll of the caller's future. There is no moment at which bytes have been taken for a future
//! that is dropped before its next poll.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use tokio::sync::{Mutex as AsyncMutex, Notify, oneshot};
use wasmtime::Store;
use wasmtime::component::{Accessor, ResourceAny};

use crate::program::cause;
use crate::state::State;

/// A turn ends after this many rounds of the event loop, so that the thread's other tasks run.
const ROUNDS: u32 = 1024;
/// The rounds of a turn if a caller waits for the store.
const ROUNDS_WITH_WAITERS: u32 = 64;
/// The rounds for the rest of a call's work, before it is left to the driver: waking a task on another thread costs
/// more than these rounds.
const ROUNDS_AFTER_CALL: u32 = 32;

/// A job for the store between two turns: usually the start of a call.
pub(super) type Job = Box<dyn FnOnce(&mut Store<State>) -> wasmtime::Result<()> + Send>;

/// The event loop of one store.
pub(super) struct EventLoop {
    gate: AsyncMutex<Gate>,
    shared: Arc<Shared>,
}

/// The state of the store. The holder of the lock may use the store.
enum Gate {
    /// Between two turns.
    Idle(Box<Store<State>>),
    /// In a turn, which waits.
    Turn(Turn),
    /// The component trapped, or everything of it was dropped.
    Over,
}

/// Returns the store and the result of the turn.
type Turn = Pin<Box<dyn Future<Output = (Box<Store<State>>, wasmtime::Result<()>)> + Send>>;

/// The state that is accessible without the store.
#[derive(Default)]
pub(super) struct Shared {
    /// Wakes the driver for new work.
    wake: Notify,
    jobs: Mutex<VecDeque<Job>>,
    dropped: Mutex<Vec<ResourceAny>>,
    /// The holder of the gate wants the turn to end.
    interrupt: AtomicBool,
    /// A caller got its result.
    delivered: AtomicBool,
    /// Rounds until the turn ends.
    rounds: AtomicU32,
    /// The number of callers that wait for the gate.
    waiting: AtomicUsize,
    /// All objects were dropped: the loop ends when its background work is done.
    closing: AtomicBool,
    failure: OnceLock<Arc<str>>,
}

impl EventLoop {
    pub(super) fn new(store: Store<State>) -> Self {
        Self {
            gate: AsyncMutex::new(Gate::Idle(Box::new(store))),
            shared: Arc::default(),
        }
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Runs the loop until the component traps, or [`Shared::close`] was called and all work is done.
    pub(super) async fn drive(&self) {
        let _stop = Stop(self);
        loop {
            let mut gate = self.gate.lock().await;
            let ended = gate.advance(&self.shared, ROUNDS).is_ready();
            if let Gate::Over = *gate {
                return;
            }
            drop(gate);
            if ended {
                tokio::task::yield_now().await;
            } else {
                self.shared.wake.notified().await;
            }
        }
    }

    /// Does `job`, and runs the loop for a turn; returns the value that the job, or the task that it starts, sends to
    /// `result`.
    ///
    /// With `at_once`, the call does not wait. Its result is then available within the poll in which the job is done,
    /// unless the component blocks in a call to the host.
    pub(super) async fn call<T>(
        &self,
        job: Job,
        mut result: oneshot::Receiver<T>,
        at_once: bool,
    ) -> Result<T, Arc<str>> {
        let mut gate = {
            let _waiting = self.shared.wait();
            self.gate.lock().await
        };
        // No cancellation is possible from here to the next `await`.
        gate.end_turn(&self.shared);
        if !self.shared.push(job) {
            return Err(self.shared.failure());
        }
        let mut ended = gate.advance(&self.shared, ROUNDS).is_ready();
        loop {
            let given = result.try_recv();
            if given.is_ok() || !(ended && at_once) || matches!(*gate, Gate::Over) {
                if ended && gate.advance(&self.shared, ROUNDS_AFTER_CALL).is_ready() {
                    self.shared.wake.notify_one();
                }
                drop(gate);
                return match given {
                    Ok(given) => Ok(given),
                    Err(_) => result.await.map_err(|_| self.shared.failure()),
                };
            }
            ended = gate.advance(&self.shared, ROUNDS).is_ready();
        }
    }
}

/// Ends the loop when the driver is dropped, as by a tokio runtime that shuts down: later calls would never complete.
struct Stop<'a>(&'a EventLoop);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0
            .shared
            .fail("the tokio runtime that drove it has ended");
        // The holder of the gate, if there is one, will notice.
        if let Ok(mut gate) = self.0.gate.try_lock() {
            *gate = Gate::Over;
        }
    }
}

impl Gate {
    /// Runs the turn in progress, or a new one, until it ends or has to wait, for up to `rounds` rounds of the event
    /// loop.
    fn advance(&mut self, shared: &Arc<Shared>, rounds: u32) -> Poll<()> {
        shared.rounds.store(rounds, SeqCst);
        let mut turn: Turn = match std::mem::replace(self, Self::Over) {
            Self::Idle(store) => Box::pin(turn(store, Arc::clone(shared))),
            Self::Turn(turn) => turn,
            Self::Over => return Poll::Ready(()),
        };
        let waker = Waker::from(Arc::clone(shared));
        let state = turn.as_mut().poll(&mut Context::from_waker(&waker));
        if let Poll::Ready((store, Err(error))) = &state {
            shared.fail(&cause(error, store.data().memory().refused()));
        }
        let ended = state.is_ready();
        match state {
            // Dropping the store ends all calls that wait for a result.
            _ if shared.is_over() => {}
            Poll::Ready((store, _)) => *self = Self::Idle(store),
            Poll::Pending => *self = Self::Turn(turn),
        }
        if ended || shared.is_over() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// Ends the turn in progress, unless the component blocks in a call to the host.
    fn end_turn(&mut self, shared: &Arc<Shared>) {
        if let Self::Turn(_) = self {
            shared.interrupt.store(true, SeqCst);
            let _ = self.advance(shared, ROUNDS);
            shared.interrupt.store(false, SeqCst);
        }
    }
}

async fn turn(
    mut store: Box<Store<State>>,
    shared: Arc<Shared>,
) -> (Box<Store<State>>, wasmtime::Result<()>) {
    let result = run_turn(&mut store, &shared).await;
    (store, result)
}

async fn run_turn(store: &mut Store<State>, shared: &Shared) -> wasmtime::Result<()> {
    loop {
        for resource in shared.take_dropped() {
            resource.resource_drop_async(&mut *store).await?;
        }
        while let Some(job) = shared.next_job() {
            job(store)?;
        }
        let ended = store.run_concurrent(async |store| {
            std::future::poll_fn(|cx| shared.poll_end(store, cx)).await
        });
        if ended.await? {
            return Ok(());
        }
    }
}

impl Shared {
    /// Releases a resource of the component; it is dropped before the next turn.
    pub(super) fn drop_resource(&self, resource: ResourceAny) {
        self.dropped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(resource);
        self.wake.notify_one();
    }

    /// Schedules a job without waiting for its result.
    pub(super) fn schedule(&self, job: Job) {
        if self.push(job) {
            self.wake.notify_one();
        }
    }

    /// Ends the turn because a caller got its result, so that its task runs.
    pub(super) fn delivered(&self) {
        self.delivered.store(true, SeqCst);
    }

    /// Lets the loop end when its background work is done.
    pub(super) fn close(&self) {
        self.closing.store(true, SeqCst);
        self.wake.notify_one();
    }

    /// Returns the reason why the loop has ended.
    pub(super) fn failure(&self) -> Arc<str> {
        self.fail("the host panicked while it computed");
        self.failure
            .get()
            .map_or_else(|| "the cause is unknown".into(), Arc::clone)
    }

    /// Ends the loop, and drops all jobs.
    fn fail(&self, cause: &str) {
        let orphans = {
            let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
            self.failure.get_or_init(|| cause.into());
            std::mem::take(&mut *jobs)
        };
        drop(orphans);
    }

    fn is_over(&self) -> bool {
        self.failure.get().is_some()
    }

    /// Queues a job; returns `false` when the loop has ended.
    fn push(&self, job: Job) -> bool {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let over = self.is_over();
        if !over {
            jobs.push_back(job);
        }
        !over
    }

    fn next_job(&self) -> Option<Job> {
        self.jobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    }

    fn take_dropped(&self) -> Vec<ResourceAny> {
        std::mem::take(&mut self.dropped.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn has_work(&self) -> bool {
        !self
            .jobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
            || !self
                .dropped
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .is_empty()
    }

    fn wait(&self) -> impl Drop {
        struct Waiting<'a>(&'a AtomicUsize);
        impl Drop for Waiting<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, SeqCst);
            }
        }
        self.waiting.fetch_add(1, SeqCst);
        Waiting(&self.waiting)
    }

    /// Decides in each round of the event loop whether the turn ends (`true`) or is only interrupted for new work.
    fn poll_end(&self, store: &Accessor<State>, cx: &mut Context<'_>) -> Poll<bool> {
        let left = self.rounds.load(SeqCst).saturating_sub(1);
        self.rounds.store(left, SeqCst);
        let waited_for = left < ROUNDS - ROUNDS_WITH_WAITERS && self.waiting.load(SeqCst) > 0;
        if self.interrupt.load(SeqCst)
            || self.delivered.swap(false, SeqCst)
            || waited_for
            || left == 0
        {
            return Poll::Ready(true);
        }
        if self.has_work() {
            return Poll::Ready(false);
        }
        if self.closing.load(SeqCst) && store.poll_no_interesting_tasks(cx).is_ready() {
            self.failure
                .get_or_init(|| "everything that came from it was dropped".into());
            return Poll::Ready(true);
        }
        Poll::Pending
    }
}

impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.wake.notify_one();
    }
}
