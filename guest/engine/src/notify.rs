//! Waits for changes of plain state: a future checks, sleeps, and checks again when it is woken.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use slab::Slab;

use crate::types::Error;

/// The waker of at most one future.
#[derive(Default)]
pub(crate) struct WakerSlot(RefCell<Option<Waker>>);

impl WakerSlot {
    /// Stores the waker of `cx` for the next [`WakerSlot::wake`], in place of an earlier one.
    pub(crate) fn register(&self, cx: &Context<'_>) {
        let mut slot = self.0.borrow_mut();
        match slot.as_mut() {
            Some(waker) => waker.clone_from(cx.waker()),
            None => *slot = Some(cx.waker().clone()),
        }
    }

    /// Wakes the future and removes its waker.
    pub(crate) fn wake(&self) {
        let waker = self.0.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Wakes any number of futures that wait for one event.
///
/// A future sleeps in [`Notify::until`]; code that changes the state calls [`Notify::wake`]. Dropping a wait removes
/// only that future.
#[derive(Default)]
pub(crate) struct Notify {
    /// The wakers; `None` for a future that was woken and has not checked yet.
    sleeping: RefCell<Slab<Option<Waker>>>,
}

impl Notify {
    /// Waits until `check` returns a value. Calls it at once, and after each [`Notify::wake`].
    pub(crate) async fn until<T>(&self, mut check: impl FnMut() -> Option<T>) -> T {
        let mut ticket = Ticket {
            notify: self,
            place: None,
        };
        poll_fn(|cx| match check() {
            Some(found) => Poll::Ready(found),
            None => {
                ticket.sleep(cx);
                Poll::Pending
            }
        })
        .await
    }

    /// Makes every waiting future check again.
    pub(crate) fn wake(&self) {
        if self.sleeping.borrow().is_empty() {
            return;
        }
        // No borrow is held while a waker runs.
        let woken: Vec<Waker> = {
            let mut sleeping = self.sleeping.borrow_mut();
            sleeping
                .iter_mut()
                .filter_map(|(_, waker)| waker.take())
                .collect()
        };
        for waker in woken {
            waker.wake();
        }
    }
}

/// One wait, and its place in the list once it sleeps.
struct Ticket<'a> {
    notify: &'a Notify,
    place: Option<usize>,
}

impl Ticket<'_> {
    fn sleep(&mut self, cx: &Context<'_>) {
        let waker = Some(cx.waker().clone());
        let mut sleeping = self.notify.sleeping.borrow_mut();
        match self.place.and_then(|place| sleeping.get_mut(place)) {
            Some(slot) => *slot = waker,
            None => self.place = Some(sleeping.insert(waker)),
        }
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.notify.sleeping.borrow_mut().try_remove(place);
        }
    }
}

/// Counts the calls of a `cancel` that ends the waits which are pending when it is called, and no later ones. The caller
/// wakes the waits. Each connection has several, so it is small.
#[derive(Default)]
pub(crate) struct CancelCount(Cell<u32>);

impl CancelCount {
    /// Ends every pending wait, once it is woken.
    pub(crate) fn cancel(&self) {
        self.0.set(self.0.get().wrapping_add(1));
    }

    /// Returns the round of a wait that begins now.
    pub(crate) fn begin(&self) -> CancelRound<'_> {
        CancelRound {
            count: self,
            begun: self.0.get(),
        }
    }
}

/// A wait that [`CancelCount::cancel`] can end.
pub(crate) struct CancelRound<'a> {
    count: &'a CancelCount,
    begun: u32,
}

impl CancelRound<'_> {
    /// Returns `cancelled` as an error once the wait was cancelled.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.count.0.get() == self.begun {
            Ok(())
        } else {
            Err(Error::Cancelled)
        }
    }
}

/// A cancel count that wakes the waits itself.
#[derive(Default)]
pub(crate) struct Cancel {
    count: CancelCount,
    changed: Notify,
}

impl Cancel {
    /// Ends every pending wait.
    pub(crate) fn cancel(&self) {
        self.count.cancel();
        self.changed.wake();
    }

    /// Returns the count of cancels so far, for the [`Cancel::scope`] of a call that begins now.
    pub(crate) fn begun(&self) -> u32 {
        self.count.begin().begun
    }

    /// Returns the scope of a call that has begun at `begun`.
    pub(crate) fn scope(&self, begun: u32) -> CancelScope<'_> {
        let count = &self.count;
        CancelScope {
            changed: &self.changed,
            round: CancelRound { count, begun },
        }
    }
}

/// A wait that [`Cancel::cancel`] can end.
pub(crate) struct CancelScope<'a> {
    changed: &'a Notify,
    round: CancelRound<'a>,
}

impl CancelScope<'_> {
    /// Waits until the wait is cancelled, and returns the error.
    pub(crate) async fn cancelled(&self) -> Error {
        self.changed.until(|| self.round.check().err()).await
    }
}

/// An event that happens once.
#[derive(Default)]
pub(crate) struct Flag {
    set: Cell<bool>,
    changed: Notify,
}

impl Flag {
    pub(crate) fn set(&self) {
        self.set.set(true);
        self.changed.wake();
    }

    pub(crate) async fn wait(&self) {
        self.changed.until(|| self.set.get().then_some(())).await;
    }
}

/// Records whether a call is pending that excludes others of its kind.
#[derive(Default)]
pub(crate) struct BusyFlag(Cell<bool>);

impl BusyFlag {
    /// Begins a call that lasts until the guard is dropped.
    ///
    /// # Errors
    ///
    /// `busy` while another one is pending.
    pub(crate) fn enter(&self) -> Result<BusyGuard<'_>, Error> {
        if self.0.replace(true) {
            return Err(Error::Busy);
        }
        Ok(BusyGuard(&self.0))
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.0.get()
    }
}

/// A call that excludes others of its kind.
pub(crate) struct BusyGuard<'a>(&'a Cell<bool>);

impl Drop for BusyGuard<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}
