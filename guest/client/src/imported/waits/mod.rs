//! The one wait of a program, for all its tasks.
//!
//! A task that waits for a reader or a writer adds its interest to a list, and sleeps. At the end of each turn the
//! executor tells the watch of the streams component what has changed, and sees to it that a read of the watch's reports is pending.
//! When the read returns keys, their tasks are woken, before the futures of that turn are polled.
//!
//! ```text
//!   turn:  before   keys have arrived: wake their tasks
//!          futures  read, write, wait for more
//!          after    add, renew and remove what has changed, send the written bytes, look what is there, else begin the next read
//! ```
//!
//! A task that reads the same reader again crosses into the component for the read and to renew its event, which is still in the watch.

mod arrived;
mod interest;
mod reports;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use asyncio_streams_wasi03::{TurnHooks, in_task, set_turn_hooks};

use crate::Error;
use crate::bindings::numbers::{self, Watch};

use interest::{Progress, State};
use reports::Reports;

pub(crate) use interest::Interest;

thread_local! {
    static WAITS: Waits = Waits::new();
}

/// The watch, its keys and its reports.
struct Waits {
    /// The watch and its number; none until something waits.
    watch: OnceCell<(&'static Watch, u64)>,
    /// The interests by their keys. A key is not used again: a report of a removed one may be on its way.
    interests: RefCell<BTreeMap<u32, Rc<State>>>,
    next_key: Cell<u32>,
    /// The number of interests that the watch waits for.
    armed: Cell<usize>,
    /// The interests that have changed since the last end of a turn.
    changed: RefCell<Vec<Rc<State>>>,
    reports: Reports,
    /// Bytes were queued that nothing is sure to send.
    written: Cell<bool>,
    installed: Cell<bool>,
}

/// Bytes were written by number: they go out at the end of this turn.
pub(super) fn written() {
    if in_task() {
        WAITS.with(|waits| {
            waits.install();
            waits.written.set(true);
        });
    } else {
        numbers::kick();
    }
}

/// For the interests.
impl Waits {
    fn new() -> Self {
        Waits {
            watch: OnceCell::new(),
            interests: RefCell::default(),
            next_key: Cell::new(0),
            armed: Cell::new(0),
            changed: RefCell::default(),
            reports: Reports::default(),
            written: Cell::new(false),
            installed: Cell::new(false),
        }
    }

    fn list(&self, state: &Rc<State>) {
        if !state.listed.replace(true) {
            self.install();
            self.changed.borrow_mut().push(state.clone());
        }
    }

    fn disarmed(&self) {
        self.armed.set(self.armed.get().saturating_sub(1));
    }

    /// Removes a key from the watch, and returns the result of its wait.
    fn remove(&self, key: u32) -> Result<(), Error> {
        self.interests.borrow_mut().remove(&key);
        numbers::remove(self.watch().1, key)?;
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
                after: |_, ends| WAITS.with(|waits| waits.after(ends)),
            });
        }
    }
}

/// The turns.
impl Waits {
    /// Wakes the tasks whose events were reported.
    fn before(&self) {
        if self.reports.have_arrived() {
            self.read();
        }
    }

    /// Sends what was written, tells the watch what has changed, and waits for the next reports.
    fn after(&self, ends: bool) {
        let told = !ends && self.tell_changes();
        let woken = told && self.look();
        if self.written.take() {
            numbers::kick();
        }
        if ends {
            self.task_ends();
        } else if !woken && self.armed.get() > 0 && !self.reports.is_pending() {
            self.read();
        }
    }

    /// A task of the component model ends. Another one goes on with the read, which would keep this one from ending.
    fn task_ends(&self) {
        self.reports.leave_task();
        if self.armed.get() == 0 || self.reports.is_pending() {
            return;
        }
        let next = self
            .interests
            .borrow()
            .values()
            .find(|state| state.is_pending())
            .cloned();
        if let Some(next) = next {
            next.wake();
        }
    }

    /// Sends the written bytes, has new waits begin, and wakes the tasks whose events are there already. Returns whether there are any.
    fn look(&self) -> bool {
        self.written.set(false);
        match numbers::ready(self.watch().1) {
            Ok(keys) => self.all_fired(&keys),
            Err(error) => {
                self.failed(&Error::from(error));
                true
            }
        }
    }

    /// Wakes the tasks of the next reports, or waits for them.
    fn read(&self) {
        while let Some(result) = self.reports.read(self.watch().0) {
            let keys = match result {
                Ok(keys) => keys,
                Err(error) => return self.failed(&Error::from(error)),
            };
            let woken = self.all_fired(&keys);
            self.reports.reuse(keys);
            if woken {
                return;
            }
        }
    }

    /// Wakes the tasks that wait for these keys; returns false if none does any more.
    fn all_fired(&self, keys: &[u32]) -> bool {
        keys.iter()
            .fold(false, |woken, key| self.fired(*key) | woken)
    }

    /// Wakes the task that waits for this key; returns false if none does any more.
    fn fired(&self, key: u32) -> bool {
        let state = self.interests.borrow().get(&key).cloned();
        let Some(state) = state.filter(|state| state.progress.get() == Progress::Armed(key)) else {
            return false;
        };
        self.disarmed();
        state.progress.set(Progress::Fired(key));
        self.list(&state);
        state.end(Ok(()));
        true
    }

    /// The watch reports nothing: every wait has failed.
    fn failed(&self, error: &Error) {
        let interests = self.interests.take();
        for (key, state) in interests {
            if state.progress.get() == Progress::Armed(key) {
                self.disarmed();
                state.progress.set(Progress::Idle);
                // The watch's error is the reason.
                let _ = self.remove(key);
                state.end(Err(error.clone()));
            } else {
                self.interests.borrow_mut().insert(key, state);
            }
        }
    }

    /// Adds new interests to the watch, renews those that have fired and are waited for again, and removes those that no future waits for.
    /// Returns whether waits are to begin.
    fn tell_changes(&self) -> bool {
        let mut waits = false;
        for state in self.changed.take() {
            state.listed.set(false);
            match state.progress.get() {
                Progress::New if state.is_pending() => {
                    let key = self.unused_key();
                    self.interests.borrow_mut().insert(key, state.clone());
                    self.arm(key, &state, true);
                    waits = true;
                }
                Progress::New => state.progress.set(Progress::Idle),
                Progress::Fired(key) if state.is_pending() => {
                    self.arm(key, &state, state.changed.get());
                    waits = true;
                }
                // Its future has not run yet: it may wait again.
                Progress::Fired(_) if state.is_untaken() => self.list(&state),
                Progress::Fired(key) => {
                    state.progress.set(Progress::Idle);
                    // The program does not wait for it, so the result is of no interest.
                    let _ = self.remove(key);
                }
                Progress::Idle | Progress::Armed(_) => {}
            }
        }
        waits
    }

    fn unused_key(&self) -> u32 {
        let interests = self.interests.borrow();
        loop {
            let key = self.next_key.get();
            self.next_key.set(key.wrapping_add(1));
            if !interests.contains_key(&key) {
                return key;
            }
        }
    }

    /// Has the watch wait for an interest, which it has already unless `add`.
    fn arm(&self, key: u32, state: &Rc<State>, add: bool) {
        state.changed.set(false);
        let watch = self.watch().1;
        let event = state.event.borrow();
        let armed = match event.as_ref() {
            Some(event) if add => numbers::add(watch, state.number.get(), event, key),
            _ => numbers::again(watch, key),
        };
        if let Err(error) = armed {
            state.progress.set(Progress::Idle);
            // It is not in the watch: this frees the key.
            let _ = self.remove(key);
            return state.end(Err(error.into()));
        }
        self.armed.set(self.armed.get().saturating_add(1));
        state.progress.set(Progress::Armed(key));
    }
}
