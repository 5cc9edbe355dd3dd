//! A task of the component model: an exported call, from its start until nothing of it is left.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::abi;
use crate::blocking;
use crate::future_set::FutureSet;
use crate::hooks;
use crate::shared::{Shared, State};
use crate::spawned::{self, BoxFuture};
use crate::standing;

struct Task {
    /// The call itself; `None` once it has returned or was cancelled.
    root: Option<BoxFuture>,
    spawned: FutureSet<BoxFuture>,
    shared: Arc<Shared>,
    waker: Waker,
}

/// Starts a call. Returns the code that generated code returns to the host.
pub fn start_task(root: impl Future<Output = ()> + 'static) -> i32 {
    start(Box::pin(root)) as i32
}

/// Starts a call of a component that hardly blocks. A call that returns in its first turn exits in the next.
///
/// wasmtime 48 and 49 never free a task that exits before its caller has received the return; they free one that exits
/// later. The late exit is safe only if the caller has no handle. Otherwise the host frees the task before the handle
/// is dropped, and that drop is a trap. The caller has a handle if the call was held back or has blocked. See
/// `docs/upstream.md`.
pub fn start_nonblocking_task(root: impl Future<Output = ()> + 'static) -> i32 {
    start_nonblocking(Box::pin(root))
}

/// Starts a call of any kind: a copy for each kind would take some 0.7 KB.
#[inline(never)]
fn start_nonblocking(root: BoxFuture) -> i32 {
    blocking::avoid();
    let wanted = start(root);
    if wanted != abi::EXIT || blocking::caller_may_have_a_handle() {
        return wanted as i32;
    }
    EXITING.set(EXITING.get().saturating_add(1));
    // SAFETY: A null context refers to no task.
    unsafe { abi::context_set(std::ptr::null_mut()) };
    abi::YIELD as i32
}

/// The number of tasks that may be about to exit before calls that could return at once wait for them.
const MOST_EXITING: u32 = 512;

thread_local! {
    /// The number of tasks that have returned and exit in their next turn. A caller that never waits starts many of
    /// them.
    static EXITING: Cell<u32> = const { Cell::new(0) };
}

/// The number of times that a turn polls the futures, if the hook after them always wakes one.
const ROUNDS: u32 = 4;

thread_local! {
    /// Counts the turns of all tasks.
    static TURN: Cell<u64> = const { Cell::new(0) };
}

/// Returns the number of the current turn. A turn of a task lasts from one event of the host to the next.
pub(crate) fn turn() -> u64 {
    TURN.get()
}

/// Waits for the next turn of the running task. The host first runs everything else that is ready.
///
/// Waking alone is not enough: a set of futures between a future and the task may poll it again in the same turn.
pub async fn next_turn() {
    let this = TURN.get();
    poll_fn(|cx| {
        if TURN.get() != this {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Lets returned tasks exit when there are many of them. An exported call that may return at once awaits this before it
/// takes anything. So a caller that makes such calls in a loop waits now and then, and its tasks do not accumulate.
pub async fn let_tasks_exit() {
    if EXITING.get() >= MOST_EXITING {
        next_turn().await;
    }
}

#[inline(never)]
fn start(root: BoxFuture) -> u32 {
    let shared = Shared::new();
    let task = Box::new(Task {
        root: Some(root),
        spawned: FutureSet::new(),
        waker: Waker::from(shared.clone()),
        shared,
    });
    run(task, |_| {})
}

/// Continues the call that the host's context identifies.
///
/// # Safety
/// Only the host calls it, with an event for a task that [`start_task`] started.
pub unsafe fn callback(event: u32, waitable: u32, code: u32) -> u32 {
    // SAFETY: A call of the host without pointers.
    let context = unsafe { abi::context_get() }.cast::<Task>();
    if context.is_null() {
        EXITING.set(EXITING.get().saturating_sub(1));
        return abi::EXIT;
    }
    // SAFETY: The context is the task that `run` stored there. While it runs, nothing else has it.
    let task = unsafe {
        abi::context_set(std::ptr::null_mut());
        Box::from_raw(context)
    };
    run(task, |task| match event {
        abi::EVENT_NONE => {}
        abi::EVENT_CANCEL => task.root = None,
        _ => task.shared.deliver(waitable, code),
    })
}

/// Applies an event to the task and polls it. Leaves it in the host's context, unless it has ended.
fn run(mut task: Box<Task>, happen: impl FnOnce(&mut Task)) -> u32 {
    let shared = task.shared.clone();
    let wanted = shared.enter(|| {
        // Wakers that the event calls find the task awake.
        shared.state.set(State::Woken);
        happen(&mut task);
        task.turn()
    });
    if wanted == abi::EXIT {
        let shared = task.shared.clone();
        shared.state.set(State::Woken);
        drop(task);
        if !shared.outlives
            && let Some(wait_set) = shared.take_wait_set()
        {
            wait_set.give_back();
        }
    } else {
        // SAFETY: The host passes it only to `callback`, for this task.
        unsafe { abi::context_set(Box::into_raw(task).cast()) };
    }
    wanted
}

impl Task {
    /// Polls the task once, and returns the code for the host.
    ///
    /// Futures that were woken meanwhile run in the next turn, after all other tasks: the work until then counts as one
    /// turn. Only those that the program's hook wakes run in this turn too, some times: they wait for what is here already.
    fn turn(&mut self) -> u32 {
        TURN.set(TURN.get().wrapping_add(1));
        if self.shared.outlives || self.shared.waits_for_many() {
            // Many operations may have ended at once: an event costs less here than a turn of its own.
            self.shared.catch_up();
        }
        // Before the state changes, so that the tasks that it wakes are polled in this turn.
        hooks::before(&Context::from_waker(&self.waker));
        for _ in 0..ROUNDS {
            self.shared.state.set(State::Polling);
            self.poll();
            let done = self.is_done();
            let woken = self.shared.state.get() == State::Woken;
            hooks::after(&Context::from_waker(&self.waker), done);
            if done || woken || self.shared.state.get() != State::Woken {
                break;
            }
        }
        if let Some(next) = standing::take_next() {
            self.change_set(next);
        }
        let waits = self.shared.waits() && !self.shared.outlives;
        if self.is_done() && !waits {
            abi::EXIT
        } else if self.shared.state.get() == State::Woken {
            // A task that yields receives no events.
            self.shared.catch_up();
            abi::YIELD
        } else {
            abi::wait(self.shared.sleep())
        }
    }

    /// Returns whether no future is left.
    fn is_done(&self) -> bool {
        self.root.is_none() && self.spawned.is_empty()
    }

    /// Goes on with another set, in the same turn.
    fn change_set(&mut self, next: Arc<Shared>) {
        debug_assert!(!self.shared.waits() && self.spawned.is_empty());
        if let Some(wait_set) = self.shared.take_wait_set() {
            wait_set.give_back();
        }
        self.waker = Waker::from(next.clone());
        self.shared = next.clone();
        next.enter(|| {
            next.catch_up();
            next.state.set(State::Polling);
            self.poll();
        });
    }

    fn poll(&mut self) {
        let mut cx = Context::from_waker(&self.waker);
        if let Some(root) = &mut self.root
            && Pin::new(root).poll(&mut cx).is_ready()
        {
            self.root = None;
        }
        loop {
            self.spawned.extend(spawned::take_new());
            let _ = self.spawned.poll(&mut cx);
            if !spawned::has_new() {
                return;
            }
        }
    }
}
