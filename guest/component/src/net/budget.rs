//! How many connections there may be, counted in the handles that they may come to take.
//!
//! All components of a store share one table of handles, and a full table is a trap that ends them all. So each connection
//! takes its share here before it is made, and gives it back when its streams are gone. When there is none, a call that
//! opens a connection says so, and servers stop accepting: the system's backlog holds what comes.
//!
//! Silent peers must not be able to take all of it. Above a mark, connections that arrive wait in a lobby, at a fraction of
//! the price, and are given out once they have sent something, or when there is room below the mark again: what Linux
//! calls `TCP_DEFER_ACCEPT`. Below the mark they are given out at once, so that a server may speak first.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::task::Poll;

use crate::bindings::exports::asyncio::streams::types::{Error, NetworkCode};
use crate::errors;
use crate::signal::{Waiters, WakerSlot};
use crate::transport::Incoming;

/// Handles that connections may take together. The `wasmtime` command gives a store 100,000.
const HANDLES: u32 = 96_000;

/// A connection that was given out by a server.
const ACCEPTED: u32 = asyncio_streams_core::HANDLES_ACCEPTED;

/// A connection that this side opened.
const OPENED: u32 = asyncio_streams_core::HANDLES_OPENED;

/// A connection in the lobby: its socket, and its incoming stream and result.
const DEFERRED: u32 = 3;

/// The share of the handles above which arrivals go to the lobby, and the one above which even the lobby is closed, so that
/// those who speak still find room.
const LOBBY_OPENS: u32 = 68_000;
const LOBBY_CLOSES: u32 = 92_000;

/// What a connection counts. Dropping it gives it back.
pub(crate) struct Share(Cell<u32>);

impl Share {
    /// For a connection that this side opens.
    ///
    /// # Errors
    ///
    /// `network(out-of-resources)` when too many are there.
    pub(crate) fn opened() -> Result<Self, Error> {
        BUDGET
            .with(|budget| budget.take(OPENED, budget.total()))
            .ok_or_else(|| {
                errors::network_error(
                    NetworkCode::OutOfResources,
                    "as many connections are open as a component may have".into(),
                )
            })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        BUDGET.with(|budget| {
            budget
                .used
                .set(budget.used.get().saturating_sub(self.0.get()));
            budget.grant();
            budget.freed.wake();
        });
    }
}

/// What becomes of a connection that has arrived.
pub(crate) enum Admission {
    /// It can be given out.
    Now(Share),
    /// It waits in the lobby.
    Later(Rc<Seat>),
    Full,
}

/// Finds a place for a connection that has arrived.
pub(crate) fn admit() -> Admission {
    BUDGET.with(|budget| {
        if budget.lobby_is_empty()
            && let Some(share) = budget.take(ACCEPTED, budget.scaled(LOBBY_OPENS))
        {
            return Admission::Now(share);
        }
        match budget.take(DEFERRED, budget.scaled(LOBBY_CLOSES)) {
            Some(share) => Admission::Later(budget.seat(share)),
            None => Admission::Full,
        }
    })
}

/// Waits until [`admit`] would find a place.
pub(crate) async fn room() {
    let freed = BUDGET.with(|budget| budget.freed.clone());
    let check = || {
        BUDGET.with(|budget| {
            budget
                .fits(DEFERRED, budget.scaled(LOBBY_CLOSES))
                .then_some(())
        })
    };
    freed.until(check).await;
}

/// Makes room for `connections` at once, if there is not so much already: the caller's word that the host has more handles
/// than usual.
pub(crate) fn make_room_for(connections: u32) {
    BUDGET.with(|budget| {
        let wanted = connections.saturating_mul(ACCEPTED);
        budget
            .extra
            .set(budget.extra.get().max(wanted.saturating_sub(LOBBY_OPENS)));
    });
}

/// A place in the lobby.
pub(crate) struct Seat {
    share: Cell<Option<Share>>,
    granted: Cell<bool>,
    closed: Cell<bool>,
    task: WakerSlot,
}

impl Seat {
    /// Waits until the connection may be given out, and gives its share; `None` once the seat was closed.
    pub(crate) async fn turn(self: &Rc<Self>, incoming: &mut Incoming) -> Option<Share> {
        let mut speaks = pin!(incoming.ready());
        let mut silent = true;
        poll_fn(|cx| {
            self.task.register(cx);
            if silent && speaks.as_mut().poll(cx).is_ready() {
                silent = false;
                BUDGET.with(|budget| budget.speaks(self));
            }
            if self.closed.get() {
                return Poll::Ready(None);
            }
            if self.granted.get() {
                Poll::Ready(self.share.take())
            } else {
                Poll::Pending
            }
        })
        .await
    }

    /// Ends the wait.
    pub(crate) fn close(&self) {
        self.closed.set(true);
        self.task.wake();
    }

    /// Raises the share to that of a connection that is given out.
    fn grant(&self) {
        if let Some(share) = self.share.take() {
            share.0.set(ACCEPTED);
            self.share.set(Some(share));
        }
        self.granted.set(true);
        self.task.wake();
    }
}

#[derive(Default)]
struct Budget {
    used: Cell<u32>,
    /// More than the usual, when a caller asked for it.
    extra: Cell<u32>,
    /// The lobby: those who have sent something, and all others. A seat that is gone is skipped.
    speaking: RefCell<VecDeque<Weak<Seat>>>,
    silent: RefCell<VecDeque<Weak<Seat>>>,
    freed: Rc<Waiters>,
}

thread_local! {
    static BUDGET: Budget = Budget::default();
}

impl Budget {
    fn total(&self) -> u32 {
        self.scaled(HANDLES)
    }

    fn scaled(&self, mark: u32) -> u32 {
        mark.saturating_add(self.extra.get())
    }

    fn fits(&self, cost: u32, mark: u32) -> bool {
        self.used.get().saturating_add(cost) <= mark
    }

    fn take(&self, cost: u32, mark: u32) -> Option<Share> {
        if !self.fits(cost, mark) {
            return None;
        }
        self.used.set(self.used.get().saturating_add(cost));
        Some(Share(Cell::new(cost)))
    }

    fn lobby_is_empty(&self) -> bool {
        first(&self.speaking).is_none() && first(&self.silent).is_none()
    }

    fn seat(&self, share: Share) -> Rc<Seat> {
        let seat = Rc::new(Seat {
            share: Cell::new(Some(share)),
            granted: Cell::new(false),
            closed: Cell::new(false),
            task: WakerSlot::default(),
        });
        self.silent.borrow_mut().push_back(Rc::downgrade(&seat));
        seat
    }

    fn speaks(&self, seat: &Rc<Seat>) {
        self.speaking.borrow_mut().push_back(Rc::downgrade(seat));
        self.grant();
    }

    /// Gives out what there is room for, those who speak first.
    fn grant(&self) {
        let more = ACCEPTED.saturating_sub(DEFERRED);
        loop {
            let (seat, queue, mark) = match (first(&self.speaking), first(&self.silent)) {
                (Some(seat), _) => (seat, &self.speaking, self.total()),
                (None, Some(seat)) => (seat, &self.silent, self.scaled(LOBBY_OPENS)),
                (None, None) => return,
            };
            if !self.fits(more, mark) {
                return;
            }
            queue.borrow_mut().pop_front();
            self.used.set(self.used.get().saturating_add(more));
            seat.grant();
        }
    }
}

/// The first seat that still waits; the others are taken off.
fn first(queue: &RefCell<VecDeque<Weak<Seat>>>) -> Option<Rc<Seat>> {
    let mut queue = queue.borrow_mut();
    loop {
        match queue.front()?.upgrade() {
            Some(seat) if !seat.granted.get() && !seat.closed.get() => return Some(seat),
            _ => queue.pop_front(),
        };
    }
}
