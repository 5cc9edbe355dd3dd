//! Everything that futures wait for, in one `poll` of the host.
//!
//! `poll` takes a list and returns the indices that are ready, so a wait costs time in proportion to what is waited for.
//!
//! wasmtime allows 128 operations on ready sockets until its executor has had a turn; then no socket seems to be ready. So
//! operations are counted, and its executor gets a turn in time. If polls report sockets without any effect nevertheless, a wait for
//! the clock follows.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;

use asyncio_streams_engine::ordered::{Key, OrderedMap};
use slab::Slab;

use crate::bindings::wasi::clocks::monotonic_clock as clock;
use crate::bindings::wasi::io::poll::{Pollable, poll};

/// Operations on ready sockets after which the host's executor gets a turn. wasmtime allows 128, of which the next `poll` takes a
/// part.
const TURN: usize = 64;

/// Polls without effect after which the host's executor needs a longer turn.
const FRUITLESS: u32 = 2;

/// The longest wait for the clock, in nanoseconds: a day. Node's timers end at once if they are longer than 25 days. A call
/// that waits for longer begins another wait.
const LONGEST: u64 = 86_400_000_000_000;

thread_local! {
    static REACTOR: Reactor = const { Reactor::new() };
}

struct Reactor {
    waits: RefCell<Slab<Rc<Wait>>>,
    /// The number of waits that have a waker, and of [`Reason`]s: while there are none, no call waits without end.
    reasons: Cell<usize>,
    timers: RefCell<OrderedMap<Timer>>,
    last_timer: Cell<u64>,
    /// The operations on ready sockets since the last turn of the host's executor.
    spent: Cell<usize>,
    /// An operation has succeeded, or failed for good, since the last poll.
    progressed: Cell<bool>,
    /// Polls in a row that reported something as ready, and had no effect.
    fruitless: Cell<u32>,
    /// The pollable of the earliest timer, which is mostly that of the poll before.
    alarm: RefCell<Option<(u64, Pollable)>>,
}

/// One pollable, and the future that waits for it.
pub(crate) struct Wait {
    pollable: Pollable,
    waker: RefCell<Option<Waker>>,
    ready: Cell<bool>,
}

/// A waker, and the reason to wait for it, unless no call waits for this timer alone.
struct Timer {
    waker: Waker,
    _reason: Option<Reason>,
}

/// A reason for a call to wait without end: something can still wake a future.
pub(crate) struct Reason(());

/// How long the host is to wait.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Not at all.
    None,
    /// Until this moment.
    Until(u64),
    /// Without end.
    Endless,
}

/// The end of a wait of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Woken {
    /// Futures were woken, or there is no patience left.
    Perhaps,
    /// There is nothing to wait for, and there never will be.
    Nothing,
}

impl Wait {
    pub(crate) fn new(pollable: Pollable) -> Rc<Self> {
        Rc::new(Wait {
            pollable,
            waker: RefCell::default(),
            ready: Cell::new(false),
        })
    }

    /// Returns whether the host has reported it as ready since the last call.
    pub(crate) fn take_ready(&self) -> bool {
        self.ready.take()
    }

    /// Has the next polls wake `waker`.
    pub(crate) fn arm(&self, waker: &Waker) {
        let mut slot = self.waker.borrow_mut();
        match slot.as_mut() {
            Some(old) => old.clone_from(waker),
            None => {
                *slot = Some(waker.clone());
                count_reason(1);
            }
        }
    }

    /// Nothing waits for it any more.
    pub(crate) fn disarm(&self) {
        let waker = self.waker.take();
        if waker.is_some() {
            count_reason(-1);
        }
        drop(waker);
    }
}

impl Reason {
    pub(crate) fn new() -> Self {
        count_reason(1);
        Reason(())
    }
}

impl Drop for Reason {
    fn drop(&mut self) {
        count_reason(-1);
    }
}

fn count_reason(change: isize) {
    REACTOR.with(|reactor| {
        let reasons = reactor.reasons.get().saturating_add_signed(change);
        reactor.reasons.set(reasons);
    });
}

/// Adds a wait to the list; returns its place.
pub(crate) fn insert(wait: Rc<Wait>) -> usize {
    REACTOR.with(|reactor| reactor.waits.borrow_mut().insert(wait))
}

/// Removes the wait at a place.
pub(crate) fn remove(place: usize) {
    // Bound, so that it is dropped without the borrow.
    let removed = REACTOR.with(|reactor| reactor.waits.borrow_mut().try_remove(place));
    drop(removed);
}

/// Wakes `waker` at `moment`; returns the timer, for [`forget`]. Without a reason, no call waits for this timer alone.
pub(crate) fn set_timer(moment: u64, waker: Waker, reason: Option<Reason>) -> Key {
    let timer = Timer {
        waker,
        _reason: reason,
    };
    REACTOR.with(|reactor| {
        let number = reactor.last_timer.get().wrapping_add(1);
        reactor.last_timer.set(number);
        reactor.timers.borrow_mut().insert((moment, number), timer);
        (moment, number)
    })
}

/// Forgets a timer, if it has not fired.
pub(crate) fn forget(timer: Key) {
    let forgotten = REACTOR.with(|reactor| reactor.timers.borrow_mut().remove(timer));
    drop(forgotten);
}

/// Notes that an operation has succeeded, or failed for good.
pub(crate) fn progress() {
    REACTOR.with(|reactor| reactor.progressed.set(true));
}

/// Counts an operation that the host allows only so often, before it.
pub(crate) fn spend() {
    REACTOR.with(|reactor| reactor.spend(1));
}

/// Has the host wait, and wakes what has become ready.
pub(crate) fn wait(patience: Patience) -> Woken {
    REACTOR.with(|reactor| reactor.wait(patience))
}

impl Reactor {
    const fn new() -> Self {
        Reactor {
            waits: RefCell::new(Slab::new()),
            reasons: Cell::new(0),
            timers: RefCell::new(OrderedMap::new()),
            last_timer: Cell::new(0),
            spent: Cell::new(0),
            progressed: Cell::new(false),
            fruitless: Cell::new(0),
            alarm: RefCell::new(None),
        }
    }

    fn wait(&self, patience: Patience) -> Woken {
        if patience == Patience::Endless && self.reasons.get() == 0 {
            return Woken::Nothing;
        }
        let first = self.timers.borrow().first_key().map(|(at, _)| at);
        let until = match (patience, first) {
            (Patience::None, _) => Some(0),
            (Patience::Until(until), first) => Some(first.unwrap_or(u64::MAX).min(until)),
            (Patience::Endless, first) => first,
        };
        self.poll(until);
        if first.is_some() {
            self.fire();
        }
        Woken::Perhaps
    }

    fn poll(&self, until: Option<u64>) {
        let alarm = until.map(|until| self.alarm(until));
        let waits = self.waits.borrow();
        let armed: Vec<&Rc<Wait>> = waits
            .iter()
            .map(|(_, wait)| wait)
            .filter(|wait| wait.waker.borrow().is_some())
            .collect();
        let mut pollables: Vec<&Pollable> = armed.iter().map(|wait| &wait.pollable).collect();
        pollables.extend(alarm.as_ref());
        let ready = poll(&pollables);
        drop(pollables);
        let reported = ready.len();
        let woken: Vec<Rc<Wait>> = ready
            .into_iter()
            .filter_map(|index| armed.get(usize::try_from(index).ok()?).copied().cloned())
            .collect();
        drop(armed);
        drop(waits);
        // An alarm that was reported is over, also if it is not the moment yet.
        let alarm = alarm.filter(|_| woken.len() == reported);
        *self.alarm.borrow_mut() = until.zip(alarm);
        self.spend(woken.len());
        self.note_effect(woken.len());
        // No borrow is held while wakers run.
        for wait in woken {
            wait.ready.set(true);
            let waker = wait.waker.borrow().clone();
            wait.disarm();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    fn spend(&self, operations: usize) {
        let spent = self.spent.get().saturating_add(operations);
        if spent < TURN {
            return self.spent.set(spent);
        }
        self.spent.set(0);
        // wasmtime runs its executor once for this wait, which takes no time.
        clock::subscribe_duration(0).block();
    }

    /// Lets the host's executor run for longer, if what it reports as ready is not. `ready` sockets were reported now.
    fn note_effect(&self, ready: usize) {
        if self.progressed.take() || ready == 0 {
            return self.fruitless.set(0);
        }
        let fruitless = self.fruitless.get().saturating_add(1);
        self.fruitless.set(fruitless);
        if fruitless > FRUITLESS {
            self.fruitless.set(0);
            clock::subscribe_duration(1).block();
        }
    }

    /// Returns a pollable for a moment.
    fn alarm(&self, moment: u64) -> Pollable {
        match self.alarm.take() {
            Some((at, alarm)) if at == moment && moment > 0 => alarm,
            // A duration of 0, by which hosts know a poll that does not wait.
            _ if moment == 0 => clock::subscribe_duration(0),
            // The clock may have begun before the program, but not before 0.
            _ if moment <= LONGEST => clock::subscribe_instant(moment),
            _ => clock::subscribe_instant(moment.min(clock::now().saturating_add(LONGEST))),
        }
    }

    /// Wakes the timers that are due.
    fn fire(&self) {
        let now = clock::now();
        loop {
            let due = {
                let mut timers = self.timers.borrow_mut();
                match timers.first_key() {
                    Some(first) if first.0 <= now => timers.remove(first),
                    _ => None,
                }
            };
            match due {
                Some(timer) => timer.waker.wake(),
                None => return,
            }
        }
    }
}
