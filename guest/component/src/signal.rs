//! Waiting for a change of plain state: a call checks, sleeps, and is woken to check again.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use slab::Slab;

pub(crate) use asyncio_streams_task::WakerSlot;

use crate::bindings::exports::asyncio::streams::types::Error;

/// Any number of tasks that wait for something to change.
///
/// A waiter sleeps in [`Waiters::until`]; whoever changes the state calls [`Waiters::wake`]. Dropping the wait
/// forgets the waiter and touches no other.
#[derive(Default)]
pub(crate) struct Waiters {
    /// The waiters' wakers; none for one that was woken and has not checked yet.
    sleeping: RefCell<Slab<Option<Waker>>>,
}

impl Waiters {
    /// Waits until `check` gives something. It is asked at once, and after each [`Waiters::wake`].
    pub(crate) async fn until<T>(&self, mut check: impl FnMut() -> Option<T>) -> T {
        crate::driver::let_tasks_exit().await;
        let mut ticket = Ticket {
            waiters: self,
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

    /// Has every waiter check again.
    pub(crate) fn wake(&self) {
        // Taken out first: what a waker does is not this list's business.
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
    waiters: &'a Waiters,
    place: Option<usize>,
}

impl Ticket<'_> {
    fn sleep(&mut self, cx: &Context<'_>) {
        let waker = Some(cx.waker().clone());
        let mut sleeping = self.waiters.sleeping.borrow_mut();
        match self.place.and_then(|place| sleeping.get_mut(place)) {
            Some(slot) => *slot = waker,
            None => self.place = Some(sleeping.insert(waker)),
        }
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.waiters.sleeping.borrow_mut().try_remove(place);
        }
    }
}

/// A `cancel` that ends the waits which are pending when it is called, and no later one.
#[derive(Default)]
pub(crate) struct Cancel {
    rounds: Cell<u64>,
    waiters: Waiters,
}

impl Cancel {
    /// Ends every wait that is pending.
    pub(crate) fn cancel(&self) {
        self.rounds.set(self.rounds.get().wrapping_add(1));
        self.waiters.wake();
    }

    /// A wait that begins now.
    pub(crate) fn begin(&self) -> Round<'_> {
        Round {
            cancel: self,
            round: self.rounds.get(),
        }
    }
}

/// A wait that `cancel` can end.
pub(crate) struct Round<'a> {
    cancel: &'a Cancel,
    round: u64,
}

impl Round<'_> {
    /// `Err(cancelled)` once the wait was cancelled.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.cancel.rounds.get() == self.round {
            Ok(())
        } else {
            Err(Error::Cancelled)
        }
    }

    /// Waits for the cancelling, and gives its error.
    pub(crate) async fn cancelled(&self) -> Error {
        self.cancel.waiters.until(|| self.check().err()).await
    }
}
