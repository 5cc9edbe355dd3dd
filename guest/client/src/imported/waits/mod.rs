//! The one wait of a program, for all its tasks.
//!
//! A task that waits for a reader or a writer adds its interest to a list, and sleeps. At the end of each turn the
//! executor tells the watch of the streams component what has changed, and sees to it that one call of `watch.wait` is pending.
//! When that call returns keys, their tasks are woken, before the futures of that turn are polled. A program that waits for one or two things
//! waits for reports instead (`direct`).
//!
//! ```text
//!   turn:  before   the call has returned: wake its tasks
//!          futures  read, write, wait for more
//!          after    add and remove what has changed, begin the next call, which sends the written bytes
//! ```
//!
//! A task that reads the same reader again crosses into the component for the read only: its event is still in the watch, and the next
//! call waits for it again.

mod arrived;
mod direct;
mod interest;
mod reports;

use std::cell::{Cell, OnceCell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use asyncio_streams_wasi03::{TurnHooks, in_task, set_turn_hooks};
use slab::Slab;

use crate::Error;
use crate::backend::{length, size};
use crate::bindings::numbers::{self, Watch};
use crate::bindings::types;

use arrived::Arrived;
use direct::Directs;
use interest::{Progress, State};

pub(crate) use interest::Interest;

thread_local! {
    static WAITS: Waits = Waits::new();
}

/// The number of keys, beyond the armed ones, that may wait for the end of the pending call.
const MOST_REMOVED: usize = 1000;

type Call = Pin<Box<dyn Future<Output = Result<Vec<u32>, types::Error>>>>;

/// The watch, its keys and the pending call.
struct Waits {
    /// The watch and its number; none until something waits.
    watch: OnceCell<(&'static Watch, u64)>,
    /// The interests by their keys; none for a key that was removed and that the pending call may still return.
    keys: RefCell<Slab<Option<Rc<State>>>>,
    removed: RefCell<Vec<u32>>,
    /// The pending call was cancelled, so that the removed keys are free.
    renewed: Cell<bool>,
    /// The number of interests that the watch waits for.
    armed: Cell<usize>,
    /// The interests that have changed since the last end of a turn.
    changed: RefCell<Vec<Rc<State>>>,
    /// The number of futures that have an outcome and have not taken it.
    untaken: Cell<usize>,
    /// The next call was put off by a turn, for those.
    put_off: Cell<bool>,
    call: RefCell<Option<Call>>,
    arrived: Arrived,
    /// The tasks of the component model whose futures have waited. Each can wait for all.
    tasks: RefCell<Vec<Waker>>,
    /// A future of the running task waits.
    waits: Cell<bool>,
    direct: Directs,
    /// Bytes were queued that nothing is sure to send.
    written: Cell<bool>,
    /// Counts how often tasks were polled.
    round: Cell<u64>,
    installed: Cell<bool>,
}

/// Bytes were written by number: they go out at the end of this round of the turn. Returns the round; none outside of tasks, where they
/// go out at once.
pub(super) fn written() -> Option<u64> {
    if !in_task() {
        numbers::kick();
        return None;
    }
    WAITS.with(|waits| {
        waits.install();
        waits.written.set(true);
        Some(waits.round.get())
    })
}

/// Returns whether this round still lasts. Until it ends, nothing is sent, and connections end only by calls of the program.
pub(super) fn is_round(round: u64) -> bool {
    WAITS.with(|waits| waits.round.get() == round)
}

/// Ends the round before a call that may end any connection.
pub(super) fn end_round() {
    WAITS.with(Waits::end_round);
}

/// For the interests.
impl Waits {
    fn new() -> Self {
        Waits {
            watch: OnceCell::new(),
            keys: RefCell::default(),
            removed: RefCell::default(),
            renewed: Cell::new(false),
            armed: Cell::new(0),
            changed: RefCell::default(),
            untaken: Cell::new(0),
            put_off: Cell::new(false),
            call: RefCell::new(None),
            arrived: Arrived::default(),
            tasks: RefCell::default(),
            waits: Cell::new(false),
            direct: Directs::default(),
            written: Cell::new(false),
            round: Cell::new(0),
            installed: Cell::new(false),
        }
    }

    fn list(&self, state: &Rc<State>) {
        if !state.listed.replace(true) {
            self.install();
            self.changed.borrow_mut().push(state.clone());
        }
    }

    fn ended(&self) {
        self.untaken.set(self.untaken.get().saturating_add(1));
    }

    fn taken(&self) {
        self.untaken.set(self.untaken.get().saturating_sub(1));
    }

    fn disarmed(&self) {
        self.armed.set(self.armed.get().saturating_sub(1));
    }

    /// Removes a key from the watch, and returns the result of its wait.
    fn remove(&self, key: u32) -> Result<(), Error> {
        let (watch, number) = self.watch();
        if self.call.borrow().is_none() {
            self.keys.borrow_mut().try_remove(length(key));
        } else if let Some(entry) = self.keys.borrow_mut().get_mut(length(key)) {
            *entry = None;
            self.removed.borrow_mut().push(key);
        }
        let many = self.removed.borrow().len() > self.armed.get().saturating_add(MOST_REMOVED);
        if many && !self.renewed.replace(true) {
            // The end of the pending call frees the keys.
            watch.cancel();
        }
        numbers::remove(number, key)?;
        Ok(())
    }

    fn watch(&self) -> (&'static Watch, u64) {
        *self.watch.get_or_init(|| {
            let watch: &Watch = Box::leak(Box::new(Watch::new()));
            (watch, watch.number())
        })
    }

    fn install(&self) {
        if !self.installed.replace(true) {
            set_turn_hooks(TurnHooks {
                before: |_| WAITS.with(Waits::before),
                after: |cx, ends| WAITS.with(|waits| waits.after(cx, ends)),
            });
        }
    }
}

/// The turns.
impl Waits {
    /// A future of the running task waits.
    fn registered(&self) {
        self.waits.set(true);
    }

    /// Wakes the tasks whose events the pending call has returned.
    fn before(&self) {
        self.direct.arrived();
        if self.arrived.take() {
            let call = self.call.take();
            if let Some(call) = call {
                self.poll(call);
            }
        }
    }

    fn end_round(&self) {
        self.round.set(self.round.get().wrapping_add(1));
    }

    /// Tells the watch what has changed, and begins the next call.
    fn after(&self, cx: &Context<'_>, ends: bool) {
        self.end_round();
        let waits = self.waits.take();
        if ends {
            return self.task_ends(cx);
        }
        if waits {
            self.task_waits(cx);
        }
        let is_pending = self.call.borrow().is_some();
        // Tasks that were woken will wait for the same events again, once they have run: until then they keep their keys.
        if self.untaken.get() > 0 && !is_pending && !self.put_off.replace(true) {
            return cx.waker().wake_by_ref();
        }
        self.put_off.set(false);
        for state in self.tell_changes() {
            self.direct.begin(&state);
        }
        let woken = self.direct.look();
        if woken.is_some() {
            self.written.set(false);
        }
        if is_pending || self.armed.get() == 0 {
            self.send_written();
        } else {
            // The call sends it.
            self.written.set(false);
            let watch = self.watch().0;
            self.poll(Box::pin(watch.wait()));
        }
        // Tasks that were woken run before this one waits.
        if woken != Some(true) {
            self.direct.wait();
        }
    }

    fn task_waits(&self, cx: &Context<'_>) {
        let mut tasks = self.tasks.borrow_mut();
        if !tasks.iter().any(|task| task.will_wake(cx.waker())) {
            tasks.push(cx.waker().clone());
        }
    }

    /// A task of the component model ends. Another one goes on with what it has waited for.
    fn task_ends(&self, cx: &Context<'_>) {
        self.send_written();
        self.tasks
            .borrow_mut()
            .retain(|task| !task.will_wake(cx.waker()));
        let mut nobody_waits = self.direct.leave_task();
        if self.call.borrow().is_none() {
            nobody_waits |= !self.is_unused();
        } else if self.armed.get() == 0 {
            // It would keep the task from ending.
            let call = self.call.take();
            drop(call);
        }
        // Not by the waker of a wait: the future that polled it last may be gone, and its task too.
        if nobody_waits && let Some(task) = self.tasks.borrow().last() {
            task.wake_by_ref();
        }
    }

    fn send_written(&self) {
        if self.written.replace(false) {
            numbers::kick();
        }
    }

    fn poll(&self, mut call: Call) {
        let waker = Waker::from(self.arrived.waker());
        match call.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Pending => {
                self.call.replace(Some(call));
            }
            Poll::Ready(result) => {
                drop(call);
                self.returned(result);
            }
        }
    }

    fn returned(&self, result: Result<Vec<u32>, types::Error>) {
        match result {
            Ok(keys) => {
                for key in keys {
                    let state = self.keys.borrow().get(length(key)).cloned().flatten();
                    if let Some(state) = state {
                        self.fired(key, &state);
                    }
                }
            }
            Err(types::Error::Cancelled) => {}
            Err(error) => self.failed(&Error::from(error)),
        }
        self.renewed.set(false);
        // No call is pending that could return them.
        let mut keys = self.keys.borrow_mut();
        for key in self.removed.take() {
            keys.try_remove(length(key));
        }
    }

    fn fired(&self, key: u32, state: &Rc<State>) {
        if state.progress.get() != Progress::Armed(key) {
            return;
        }
        self.disarmed();
        state.progress.set(Progress::Fired(key));
        self.list(state);
        state.end(Ok(()));
    }

    /// The call has failed: so has every wait.
    fn failed(&self, error: &Error) {
        let states: Vec<_> = self
            .keys
            .borrow()
            .iter()
            .filter_map(|(_, state)| state.clone())
            .collect();
        for state in states {
            if let Progress::Armed(key) = state.progress.get() {
                self.disarmed();
                state.progress.set(Progress::Idle);
                // The call's error is the reason.
                let _ = self.remove(key);
                state.end(Err(error.clone()));
            }
        }
    }

    /// Adds new interests to the watch, and removes those that have fired and that no future waits for again. Returns the interests
    /// that are to wait by calls of their own.
    fn tell_changes(&self) -> Vec<Rc<State>> {
        let changed = self.changed.take();
        let alone = changed.len() == 1 && self.armed.get() == 0;
        let mut direct = Vec::new();
        for state in changed {
            state.listed.set(false);
            match state.progress.get() {
                Progress::New if state.is_pending() => {
                    if self.is_unused() && direct.len() < self.direct_places() {
                        direct.push(state);
                    } else {
                        let key = self.keys.borrow_mut().insert(Some(state.clone()));
                        self.arm(size(key), &state, true);
                    }
                }
                Progress::New => state.progress.set(Progress::Idle),
                Progress::Fired(key) if state.is_pending() => {
                    if alone && self.direct_places() > 0 {
                        state.progress.set(Progress::Idle);
                        // An error appears again.
                        let _ = self.remove(key);
                        direct.push(state);
                    } else {
                        self.arm(key, &state, state.changed.get());
                    }
                }
                Progress::Fired(key) => {
                    state.progress.set(Progress::Idle);
                    let result = self.remove(key);
                    if state.is_untaken() && result.is_err() {
                        state.end(result);
                    }
                }
                Progress::Idle | Progress::Armed(_) | Progress::Direct | Progress::Reported => {}
            }
        }
        direct
    }

    /// Returns whether the watch waits for nothing, and will not when all changes are told.
    fn is_unused(&self) -> bool {
        self.keys.borrow().len() == self.removed.borrow().len()
    }

    fn direct_places(&self) -> usize {
        direct::MOST.saturating_sub(self.direct.len())
    }

    /// Has the watch wait for an interest, which it has already unless `add`.
    fn arm(&self, key: u32, state: &Rc<State>, add: bool) {
        state.changed.set(false);
        let event = state.event.borrow();
        if add && let Some(event) = event.as_ref() {
            let added = numbers::add(self.watch().1, state.number.get(), event, key);
            if let Err(error) = added {
                state.progress.set(Progress::Idle);
                // It is not in the watch: this frees the key.
                let _ = self.remove(key);
                return state.end(Err(error.into()));
            }
        }
        self.armed.set(self.armed.get().saturating_add(1));
        state.progress.set(Progress::Armed(key));
    }
}
