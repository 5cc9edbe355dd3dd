//! Timers: all of them share a few waits of the host's clock.
//!
//! One wait for each timer would cost a handle, and cancelling a wait blocks. Most deadlines never fire. So waits of
//! the host's clock are never cancelled, and there are few of them.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use asyncio_streams_engine::ordered::OrderedMap;

use crate::background::{KeepRunning, spawn_daemon};
use crate::bindings::wasi::clocks::monotonic_clock;
use crate::clock::ClockWait;
use crate::waker_slot::WakerSlot;

/// Below this many nanoseconds, a wait lasts until its timer is due. A longer one ends earlier, and another follows.
const EXACT: u64 = 1 << 20;

/// Returns the time of the monotonic clock in nanoseconds.
pub fn now() -> u64 {
    monotonic_clock::now()
}

/// A timer. Dropping it cancels it.
pub struct Sleep {
    deadline: u64,
    id: Option<u64>,
}

impl Sleep {
    /// Creates a timer for a time of the clock of [`now`].
    pub fn until(deadline: u64) -> Self {
        Sleep { deadline, id: None }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        TIMERS.with(|timers| {
            let deadline = self.deadline;
            match self.id {
                None => {
                    self.id = Some(timers.add(deadline, cx.waker().clone()));
                    Poll::Pending
                }
                Some(id) if timers.renew(deadline, id, cx.waker()) => Poll::Pending,
                Some(_) => Poll::Ready(()),
            }
        })
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            TIMERS.with(|timers| timers.remove(self.deadline, id));
        }
    }
}

/// The timers that have not fired, soonest first.
struct Timers {
    pending: RefCell<OrderedMap<Waker>>,
    next_id: Cell<u64>,
    /// Whether the clock runs, which waits for the soonest timer. Its waker is for timers that are sooner.
    clock_runs: Cell<bool>,
    clock: WakerSlot,
    /// Keeps the background running while timers are pending.
    keep: RefCell<Option<KeepRunning>>,
    /// The waits of the host's clock with their ends; each ends before the previous ones.
    waits: RefCell<Vec<(u64, ClockWait)>>,
}

thread_local! {
    static TIMERS: Timers = const { Timers::new() };
}

impl Timers {
    const fn new() -> Self {
        Timers {
            pending: RefCell::new(OrderedMap::new()),
            next_id: Cell::new(0),
            clock_runs: Cell::new(false),
            clock: WakerSlot::new(),
            keep: RefCell::new(None),
            waits: RefCell::new(Vec::new()),
        }
    }

    fn add(&self, deadline: u64, waker: Waker) -> u64 {
        let id = self.next_id.get();
        self.next_id.set(id.wrapping_add(1));
        let sooner = self.soonest().is_none_or(|soonest| deadline < soonest);
        self.pending.borrow_mut().insert((deadline, id), waker);
        self.keep.borrow_mut().get_or_insert_with(KeepRunning::new);
        if !self.clock_runs.replace(true) {
            spawn_daemon(run_clock());
        } else if sooner {
            self.clock.wake();
        }
        id
    }

    /// Replaces the waker. Returns false if the timer has fired.
    fn renew(&self, deadline: u64, id: u64, waker: &Waker) -> bool {
        match self.pending.borrow_mut().get_mut((deadline, id)) {
            Some(known) => {
                known.clone_from(waker);
                true
            }
            None => false,
        }
    }

    fn remove(&self, deadline: u64, id: u64) {
        let mut pending = self.pending.borrow_mut();
        pending.remove((deadline, id));
        if pending.is_empty() {
            drop(pending);
            drop(self.keep.take());
        }
    }

    fn soonest(&self) -> Option<u64> {
        self.pending
            .borrow()
            .first_key()
            .map(|(deadline, _)| deadline)
    }

    fn wake_due(&self, now: u64) {
        loop {
            let due = {
                let mut pending = self.pending.borrow_mut();
                match pending.first_key() {
                    Some(first) if first.0 <= now => pending.remove(first),
                    _ => None,
                }
            };
            match due {
                Some(waker) => waker.wake(),
                None => break,
            }
        }
        if self.pending.borrow().is_empty() {
            drop(self.keep.take());
        }
    }
}

/// Fires the timers, as long as the background runs.
async fn run_clock() {
    let _running = ClockRuns;
    poll_fn(|cx| TIMERS.with(|timers| timers.poll_clock(cx))).await
}

struct ClockRuns;

impl Drop for ClockRuns {
    fn drop(&mut self) {
        TIMERS.with(|timers| {
            timers.clock_runs.set(false);
            // The next clock continues these waits.
            for (_, wait) in timers.waits.borrow_mut().iter_mut() {
                wait.leave();
            }
        });
    }
}

impl Timers {
    /// Wakes the timers that are due, and makes sure that `cx`'s future is polled again before the next one is due.
    fn poll_clock(&self, cx: &Context<'_>) -> Poll<()> {
        self.clock.register(cx);
        let mut waits = self.waits.borrow_mut();
        loop {
            let mut came = false;
            while let Some((_, wait)) = waits.last_mut() {
                if wait.poll(cx).is_pending() {
                    break;
                }
                waits.pop();
                came = true;
            }
            if came {
                self.wake_due(now());
            }
            let Some(soonest) = self.soonest() else {
                return Poll::Pending;
            };
            if waits.last().is_some_and(|(end, _)| *end <= soonest) {
                return Poll::Pending;
            }
            let now = now();
            let end = wait_end(now, soonest);
            match ClockWait::until(end) {
                Some(wait) => waits.push((end, wait)),
                None => self.wake_due(now.max(end)),
            }
        }
    }
}

/// Returns when a wait ends that starts at `now` for a timer that is due at `due`.
///
/// A wait of a power of two ends before a later wait of the same power would start. So there is at most one wait of
/// each power, for any deadlines.
fn wait_end(now: u64, due: u64) -> u64 {
    let left = due.saturating_sub(now);
    match left.checked_ilog2() {
        Some(power) if left >= EXACT => now.saturating_add(1 << power),
        _ => due,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ever_earlier_deadlines_start_few_waits() {
        // The ends of the waits, as `poll_clock` keeps them, with one nanosecond between the timers.
        let mut ends: Vec<u64> = Vec::new();
        let mut most = 0;
        for moment in 0..1_000_000 {
            let due = 3_600_000_000_000 - 3_000_000 * moment;
            ends.retain(|end| *end > moment);
            if ends.last().is_none_or(|end| *end > due) {
                ends.push(wait_end(moment, due));
            }
            most = most.max(ends.len());
        }
        assert!(most < 45, "{most} waits at once");
    }

    #[test]
    fn a_wait_ends_when_its_timer_is_due_or_before() {
        for left in [
            0,
            1,
            EXACT - 1,
            EXACT,
            EXACT + 1,
            30_000_000_000,
            u64::MAX - 5,
        ] {
            let end = wait_end(5, 5 + left);
            assert!(end <= 5 + left);
            assert!(end - 5 >= left / 2, "half of {left} is waited at least");
        }
        assert_eq!(wait_end(7, 3), 3);
    }
}
