//! The waits of a program that waits for little. The watch reports them by a stream, whose read costs less than a call of `wait`; for
//! many events a call costs less, because it collects those that come meanwhile.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use crate::Error;
use crate::bindings::numbers::{self, Watch};

use super::interest::{Progress, State};
use super::reports::Reports;

/// The number of interests that wait here; of more, the watch waits for those that come last.
pub(super) const MOST: usize = 2;

/// The watch that reports, and the interests that wait.
#[derive(Default)]
pub(super) struct Directs {
    /// The watch and its number; none until something waits.
    watch: OnceCell<(&'static Watch, u64)>,
    /// The interests that wait, by their keys.
    waiting: RefCell<Vec<(u32, Rc<State>)>>,
    /// A key is not used for another interest: a report of it may be on its way.
    next_key: Cell<u32>,
    /// Waits are to begin.
    begun: Cell<bool>,
    reports: Reports,
}

impl Directs {
    pub(super) fn len(&self) -> usize {
        self.waiting.borrow().len()
    }

    /// Has an interest wait, from the next [`Directs::look`] on.
    pub(super) fn begin(&self, state: &Rc<State>) {
        let Some(event) = state.event.borrow().clone() else {
            return;
        };
        let to = self.watch().1;
        let known = state.reported.take();
        let (key, told) = match known {
            Some((key, before)) if before == event => (key, numbers::again(to, key)),
            known => {
                let key = known.map_or_else(|| self.unused_key(), |(key, _)| key);
                (key, numbers::add(to, state.number.get(), &event, key))
            }
        };
        state.reported.replace(Some((key, event)));
        if let Err(error) = told {
            self.forget(state);
            state.progress.set(Progress::Idle);
            return state.end(Err(error.into()));
        }
        state.progress.set(Progress::Direct);
        self.waiting.borrow_mut().push((key, state.clone()));
        self.begun.set(true);
    }

    /// Ends the wait of an interest.
    pub(super) fn end(&self, state: &State) {
        self.take(|_, waiting| std::ptr::eq(waiting, state));
        self.forget(state);
    }

    /// Removes an interest that does not wait from the watch.
    pub(super) fn forget(&self, state: &State) {
        if let Some((key, _)) = state.reported.take() {
            // The program does not wait for it, so the result is of no interest.
            let _ = numbers::remove(self.watch().1, key);
        }
    }

    /// Returns the result of the wait of an interest that was reported.
    pub(super) fn result(&self, state: &State) -> Result<(), Error> {
        if let Some((key, _)) = state.reported.take() {
            numbers::remove(self.watch().1, key)?;
        }
        Ok(())
    }

    /// Begins the new waits, which sends the written bytes, and wakes the tasks whose events are there. Returns `None` if no wait is new,
    /// else whether there are such events.
    pub(super) fn look(&self) -> Option<bool> {
        if !self.begun.take() {
            return None;
        }
        match numbers::ready(self.watch().1) {
            Ok(keys) => Some(self.all_reported(&keys)),
            Err(error) => {
                self.failed(&Error::from(error));
                Some(true)
            }
        }
    }

    /// Has the running task wait for the reports, unless another one does.
    pub(super) fn wait(&self) {
        if self.len() > 0 && !self.reports.is_pending() {
            self.read();
        }
    }

    /// Wakes the tasks whose events were reported.
    pub(super) fn arrived(&self) {
        if self.reports.have_arrived() {
            self.read();
        }
    }

    /// Takes the read of the reports from the running task, which it would keep from ending. Returns whether another task has to go on
    /// with it.
    pub(super) fn leave_task(&self) -> bool {
        self.reports.leave_task();
        self.len() > 0 && !self.reports.is_pending()
    }

    fn watch(&self) -> (&'static Watch, u64) {
        *self.watch.get_or_init(|| {
            let watch: &Watch = Box::leak(Box::new(Watch::new()));
            (watch, watch.number())
        })
    }

    fn unused_key(&self) -> u32 {
        let key = self.next_key.get();
        self.next_key.set(key.wrapping_add(1));
        key
    }

    /// Wakes the tasks of the next reports, or waits for them.
    fn read(&self) {
        while let Some(result) = self.reports.read(self.watch().0) {
            let keys = match result {
                Ok(keys) => keys,
                Err(error) => return self.failed(&Error::from(error)),
            };
            let woken = self.all_reported(&keys);
            self.reports.reuse(keys);
            if woken {
                return;
            }
        }
    }

    /// Wakes the tasks that wait for these keys; returns false if none does any more.
    fn all_reported(&self, keys: &[u32]) -> bool {
        let mut woken = false;
        for reported in keys {
            let waiting = self.take(|key, _| key == *reported);
            if let Some(state) = waiting {
                state.progress.set(Progress::Reported);
                state.end(Ok(()));
                woken = true;
            }
        }
        woken
    }

    /// The watch reports nothing: every wait has failed.
    fn failed(&self, error: &Error) {
        for (_, state) in self.waiting.take() {
            self.forget(&state);
            state.progress.set(Progress::Idle);
            state.end(Err(error.clone()));
        }
    }

    fn take(&self, is_it: impl Fn(u32, &State) -> bool) -> Option<Rc<State>> {
        let mut waiting = self.waiting.borrow_mut();
        let place = waiting.iter().position(|(key, state)| is_it(*key, state))?;
        Some(waiting.swap_remove(place).1)
    }
}
