//! The clock. It stands still while anything can be done, then jumps to the next timer.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::counts::{Counted, Kind};
use super::link::Link;
use super::world::World;

/// The first time of the clock: not 0, so that code cannot treat 0 specially.
const BEGIN: u64 = 1_000_000_000;

pub(super) struct Timers {
    now: Cell<u64>,
    next: Cell<u64>,
    pending: RefCell<BTreeMap<(u64, u64), Alarm>>,
}

/// The effect of a timer.
enum Alarm {
    Wake(Waker),
    /// Marks a connection on which bytes can move.
    Link(Rc<Link>),
    /// Only continues the run: a call may be able to end.
    Look,
}

impl Default for Timers {
    fn default() -> Self {
        Timers {
            now: Cell::new(BEGIN),
            next: Cell::new(0),
            pending: RefCell::default(),
        }
    }
}

impl Timers {
    pub(super) fn now(&self) -> u64 {
        self.now.get()
    }

    /// Marks a connection as busy at `moment`.
    pub(super) fn look_at(&self, moment: u64, link: Rc<Link>) {
        self.add(moment, Alarm::Link(link));
    }

    /// Checks the calls again at `moment`.
    pub(super) fn look(&self, moment: u64) {
        self.add(moment, Alarm::Look);
    }

    /// Jumps to the next timer, and fires all that are due then. Returns false if there is none.
    pub(super) fn jump(&self) -> bool {
        let soonest = self
            .pending
            .borrow()
            .first_key_value()
            .map(|(key, _)| key.0);
        let Some(soonest) = soonest else {
            return false;
        };
        self.now.set(self.now.get().max(soonest));
        loop {
            let alarm = {
                let mut pending = self.pending.borrow_mut();
                match pending.first_entry() {
                    Some(entry) if entry.key().0 <= self.now.get() => entry.remove(),
                    _ => return true,
                }
            };
            match alarm {
                Alarm::Wake(waker) => waker.wake(),
                Alarm::Link(link) => link.mark_busy(),
                Alarm::Look => {}
            }
        }
    }

    fn add(&self, moment: u64, alarm: Alarm) -> u64 {
        let id = self.next.get();
        self.next.set(id + 1);
        self.pending.borrow_mut().insert((moment, id), alarm);
        id
    }
}

/// Waits for a moment.
pub(super) struct Sleep {
    world: Rc<World>,
    moment: u64,
    pending: Option<(u64, Counted)>,
}

impl Sleep {
    pub(super) fn until(world: &Rc<World>, moment: u64) -> Self {
        Sleep {
            world: world.clone(),
            moment,
            pending: None,
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let world = self.world.clone();
        world.check_async("a timer was polled");
        if world.timers.now() >= self.moment {
            self.pending = None;
            return Poll::Ready(());
        }
        let alarm = Alarm::Wake(cx.waker().clone());
        match &self.pending {
            Some((id, _)) => {
                let mut pending = world.timers.pending.borrow_mut();
                pending.insert((self.moment, *id), alarm);
            }
            None => {
                let id = world.timers.add(self.moment, alarm);
                self.pending = Some((id, world.counts.count(Kind::Timer)));
            }
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some((id, _)) = self.pending {
            self.world
                .timers
                .pending
                .borrow_mut()
                .remove(&(self.moment, id));
        }
    }
}
