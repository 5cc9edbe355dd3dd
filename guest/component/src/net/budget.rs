//! How many connections there may be, counted in the handles that they may come to take.
//!
//! All components of a store share one table of handles, and a full table is a trap that ends them all. So each connection
//! takes its share here before it is made, and returns it when everything that belongs to it is gone. Without a free share,
//! a call that opens a connection fails, and servers stop accepting: the system's backlog holds new connections.
//!
//! Silent peers must not be able to take all of it: see [`lobby`](super::lobby).

use std::cell::Cell;
use std::rc::Rc;

use crate::bindings::exports::asyncio::streams::types::{NetworkCode, NetworkError};
use crate::driver;
use crate::errors;
use crate::signal::Waiters;

use super::lobby;

/// Handles that connections may take together. The `wasmtime` command gives a store 100,000.
const HANDLES: u32 = 96_000;

/// A connection that was given out by a server.
pub(super) const ACCEPTED: u32 = asyncio_streams_core::HANDLES_ACCEPTED;

/// A connection that this side opened.
const OPENED: u32 = asyncio_streams_core::HANDLES_OPENED;

/// A connection in the lobby: its socket, and its incoming stream and result.
pub(super) const DEFERRED: u32 = 3;

/// A reader over a stream of the program's: the stream, the reader and a call that waits for input.
const READER: u32 = 12;

/// An attempt to connect beside others: its socket, and the call that waits for it.
const ATTEMPT: u32 = 2;

/// A listening socket, the stream of its connections, and a read that waits on it.
const LISTENER: u32 = 4;

/// The share of the handles above which arrivals go to the lobby, and the one above which even the lobby is full, so that
/// those who speak still find room.
pub(super) const LOBBY_OPENS: u32 = 68_000;
pub(super) const LOBBY_CLOSES: u32 = 92_000;

/// A permit for handles. Dropping it returns them, after all operations that were cancelled before have ended.
pub(crate) struct Share {
    handles: Cell<u32>,
    /// Its seat was closed to make room: the handles are about to be free.
    leaving: Cell<bool>,
}

impl Share {
    /// Raises the share of a connection in the lobby to that of one that is given out, if there is room below `mark`.
    pub(super) fn raise(&self, mark: u32) -> bool {
        let more = ACCEPTED.saturating_sub(self.handles.get());
        let fits = fits(more, mark);
        if fits {
            add(more);
            self.handles.set(ACCEPTED);
        }
        fits
    }

    /// Its handles are about to be free.
    pub(super) fn leaves(&self) {
        if !self.leaving.replace(true) {
            BUDGET.with(|budget| {
                let leaving = budget.leaving.get();
                budget
                    .leaving
                    .set(leaving.saturating_add(self.handles.get()));
            });
        }
    }

    /// For a connection that this side opens.
    ///
    /// # Errors
    ///
    /// `network(out-of-resources)` when too many are there, as with all of these.
    pub(crate) fn opened() -> Result<Self, NetworkError> {
        Self::of(OPENED)
    }

    /// For a reader over a stream of the program's.
    pub(crate) fn reader() -> Result<Self, NetworkError> {
        Self::of(READER)
    }

    /// For an attempt to connect, beside what its connection counts.
    pub(crate) fn attempt() -> Result<Self, NetworkError> {
        Self::of(ATTEMPT)
    }

    /// For the listening sockets of a server.
    pub(crate) fn listeners(n: usize) -> Result<Self, NetworkError> {
        Self::of(LISTENER.saturating_mul(errors::saturate(n)))
    }

    fn of(handles: u32) -> Result<Self, NetworkError> {
        take(handles, total()).ok_or_else(|| NetworkError {
            code: NetworkCode::OutOfResources,
            message: "as many connections are open as a component may have".into(),
        })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let (handles, leaving) = (self.handles.get(), self.leaving.get());
        driver::after_cancelled(move || {
            BUDGET.with(|budget| {
                subtract(&budget.used, handles);
                if leaving {
                    subtract(&budget.leaving, handles);
                }
            });
            lobby::grant();
            BUDGET.with(|budget| budget.freed.wake());
        });
    }
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

/// All of the handles.
pub(super) fn total() -> u32 {
    scaled(HANDLES)
}

/// A mark, as much higher as a caller made room.
pub(super) fn scaled(mark: u32) -> u32 {
    BUDGET.with(|budget| mark.saturating_add(budget.extra.get()))
}

/// Whether there are so many handles more below `mark`.
pub(super) fn fits(handles: u32, mark: u32) -> bool {
    BUDGET.with(|budget| budget.used.get().saturating_add(handles) <= mark)
}

/// The same, once those are free that are about to be.
pub(super) fn will_fit(handles: u32, mark: u32) -> bool {
    BUDGET.with(|budget| {
        let staying = budget.used.get().saturating_sub(budget.leaving.get());
        staying.saturating_add(handles) <= mark
    })
}

/// A share of so many handles, if they are there below `mark`.
pub(super) fn take(handles: u32, mark: u32) -> Option<Share> {
    if !fits(handles, mark) {
        return None;
    }
    add(handles);
    Some(Share {
        handles: Cell::new(handles),
        leaving: Cell::new(false),
    })
}

/// Those who wait for handles.
pub(super) fn freed() -> Rc<Waiters> {
    BUDGET.with(|budget| budget.freed.clone())
}

fn add(handles: u32) {
    BUDGET.with(|budget| {
        budget.used.set(budget.used.get().saturating_add(handles));
    });
}

fn subtract(from: &Cell<u32>, n: u32) {
    from.set(from.get().saturating_sub(n));
}

#[derive(Default)]
struct Budget {
    used: Cell<u32>,
    /// Of these, the ones of seats that were closed to make room.
    leaving: Cell<u32>,
    /// More than the usual, when a caller asked for it.
    extra: Cell<u32>,
    freed: Rc<Waiters>,
}

thread_local! {
    static BUDGET: Budget = Budget::default();
}
