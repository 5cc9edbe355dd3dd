//! Timers, all of them on one wait of the host's clock at a time.
//!
//! A wait per timer would cost a handle each, and a suspended call to cancel each: most timers here are deadlines that
//! never come.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::bindings::wasi::clocks::monotonic_clock;

use super::{DRIVER, Task};

/// Nanoseconds on the monotonic clock.
pub(crate) fn now() -> u64 {
    monotonic_clock::now()
}

/// Waits for `nanoseconds`, counted from now. The driver must be kept meanwhile.
pub(crate) fn sleep(nanoseconds: u64) -> Sleep {
    Sleep::until(now().saturating_add(nanoseconds))
}

/// A timer. Dropping it before its time forgets it.
pub(crate) struct Sleep {
    deadline: u64,
    id: Option<u64>,
}

impl Sleep {
    /// Waits for a moment on the clock of [`now`].
    pub(crate) fn until(deadline: u64) -> Self {
        Sleep { deadline, id: None }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        DRIVER.with(|driver| {
            let deadline = self.deadline;
            match self.id {
                None => {
                    let id = driver.timers.add(deadline, cx.waker().clone());
                    self.id = Some(id);
                    driver.sleeper.wake();
                    Poll::Pending
                }
                Some(id) if driver.timers.renew(deadline, id, cx.waker()) => Poll::Pending,
                Some(_) => Poll::Ready(()),
            }
        })
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            DRIVER.with(|driver| driver.timers.remove(self.deadline, id));
        }
    }
}

/// The timers that have not come yet, soonest first.
#[derive(Default)]
pub(super) struct Timers {
    pending: RefCell<BTreeMap<(u64, u64), Waker>>,
    next_id: Cell<u64>,
}

impl Timers {
    pub(super) fn is_empty(&self) -> bool {
        self.pending.borrow().is_empty()
    }

    fn add(&self, deadline: u64, waker: Waker) -> u64 {
        let id = self.next_id.get();
        self.next_id.set(id.wrapping_add(1));
        self.pending.borrow_mut().insert((deadline, id), waker);
        id
    }

    /// False when the timer has come.
    fn renew(&self, deadline: u64, id: u64, waker: &Waker) -> bool {
        match self.pending.borrow_mut().get_mut(&(deadline, id)) {
            Some(known) => {
                known.clone_from(waker);
                true
            }
            None => false,
        }
    }

    fn remove(&self, deadline: u64, id: u64) {
        self.pending.borrow_mut().remove(&(deadline, id));
    }

    fn soonest(&self) -> Option<u64> {
        self.pending
            .borrow()
            .first_key_value()
            .map(|((deadline, _), _)| *deadline)
    }

    fn wake_due(&self, now: u64) {
        loop {
            let due = {
                let mut pending = self.pending.borrow_mut();
                match pending.first_entry() {
                    Some(entry) if entry.key().0 <= now => entry.remove(),
                    _ => return,
                }
            };
            due.wake();
        }
    }
}

/// The waits on the host's clock: each sooner than the ones before it. One that has become useless is left to end by
/// itself, since cancelling costs more than letting it come.
#[derive(Default)]
pub(super) struct Clock {
    waits: Vec<(u64, Task)>,
}

impl Clock {
    /// Wakes what is due, and has `cx`'s task polled again when the next timer is.
    pub(super) fn poll(&mut self, timers: &Timers, cx: &mut Context<'_>) {
        loop {
            let mut came = false;
            while let Some((_, wait)) = self.waits.last_mut() {
                if wait.as_mut().poll(cx).is_pending() {
                    break;
                }
                self.waits.pop();
                came = true;
            }
            if came {
                timers.wake_due(now());
            }
            let Some(soonest) = timers.soonest() else {
                return;
            };
            if self
                .waits
                .last()
                .is_some_and(|(deadline, _)| *deadline <= soonest)
            {
                return;
            }
            self.waits
                .push((soonest, Box::pin(monotonic_clock::wait_until(soonest))));
        }
    }
}
