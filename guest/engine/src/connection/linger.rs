//! How long a closed connection goes on discarding input, and waiting for that: `streams.linger`.
//!
//! The system answers input that comes for a socket that is gone, or that was not read when it went, with a reset. The
//! reset also drops what the system had still to send (RFC 1122 §4.2.2.13, RFC 2525 §2.17). So a closed connection keeps
//! its socket and discards input: until the peer's end, a silence, or a bound in all.
//!
//! One timer serves all connections: while one lingers, the list looks at them four times a second.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::{Rc, Weak};

use futures::future::select;
use slab::Slab;

use crate::engine::{Engine, KeepRunning};
use crate::notify::Notify;

use super::Connection;

/// Nanoseconds of silence after which a closed connection is given up; nginx's `lingering_timeout`.
const SILENCE: u64 = 5_000_000_000;

/// The same when the peer has answered everything that was written: it has probably read it.
const SILENCE_ANSWERED: u64 = 1_000_000_000;

/// Nanoseconds in all; nginx's `lingering_time`.
const TOTAL: u64 = 30_000_000_000;

/// Nanoseconds between two looks.
const TICK: u64 = 250_000_000;

/// The connections of an engine that this side has closed and that are not gone.
#[derive(Default)]
pub(crate) struct LingerList {
    closed: RefCell<Slab<Entry>>,
    settled: Notify,
    ticking: Cell<bool>,
}

struct Entry {
    connection: Weak<Connection>,
    /// When it was first seen.
    closed: Option<u64>,
    /// When it was first seen with its output at its end.
    begun: Option<u64>,
    /// When input was last seen to have come, and how much had come by then.
    quiet_since: u64,
    pieces: u32,
}

/// How far one connection is.
#[derive(Default)]
pub(super) struct Linger {
    place: Cell<Option<usize>>,
    /// It has lingered as long as it may.
    expired: Cell<bool>,
    /// Its output has not ended within the close deadline.
    overdue: Cell<bool>,
}

impl LingerList {
    /// Waits until no connection that this side has closed by now discards input any more. Dropping the wait has no effect.
    pub(crate) async fn all(self: &Rc<Self>, engine: &Engine) {
        let mut lingering: Vec<Weak<Connection>> = self
            .closed
            .borrow()
            .iter()
            .map(|(_, entry)| &entry.connection)
            .filter(|connection| lingers(connection))
            .cloned()
            .collect();
        if lingering.is_empty() {
            return;
        }
        let _keep = KeepRunning::new(engine);
        let settled = self.settled.until(|| {
            while lingering.last().is_some_and(|last| !lingers(last)) {
                lingering.pop();
            }
            lingering.is_empty().then_some(())
        });
        // Each connection has its own bound, but for the end of its output.
        let late = engine.sleep(TOTAL.saturating_add(SILENCE));
        select(pin!(settled), late).await;
    }

    /// Makes sure that the list is looked at.
    pub(super) fn tick(self: &Rc<Self>, engine: &Engine) {
        if !self.ticking.replace(true) {
            engine.spawn(look(self.clone(), engine.clone()));
        }
    }

    /// Looks at all connections; returns whether some are left to look at.
    fn look(&self, now: u64) -> bool {
        let mut expired = Vec::new();
        for (_, entry) in self.closed.borrow_mut().iter_mut() {
            let Some(connection) = entry.connection.upgrade() else {
                continue;
            };
            if entry.is_overdue(&connection, now) {
                connection.linger.overdue.set(true);
                connection.tasks.transmitter.wake();
            }
            if !connection.linger.expired.get() && entry.has_expired(&connection, now) {
                expired.push(connection);
            }
        }
        // No borrow is held while they act on it.
        for connection in expired {
            connection.linger.expired.set(true);
            connection.tasks.discarder.wake();
            self.settled.wake();
        }
        let closed = self.closed.borrow();
        closed.iter().any(|(_, entry)| entry.is_watched())
    }
}

impl Entry {
    /// Returns whether the close takes longer than it may.
    fn is_overdue(&mut self, connection: &Connection, now: u64) -> bool {
        let closed = *self.closed.get_or_insert(now);
        let deadline = connection.output.close_deadline;
        deadline.is_some_and(|deadline| now.saturating_sub(closed) >= deadline)
    }

    fn has_expired(&mut self, connection: &Connection, now: u64) -> bool {
        match connection.outcome() {
            None => return false,
            Some(Err(_)) => return true,
            Some(Ok(())) => {}
        }
        let pieces = connection.input.pieces.get();
        let begun = *self.begun.get_or_insert_with(|| {
            self.quiet_since = now;
            now
        });
        if pieces != self.pieces {
            self.pieces = pieces;
            self.quiet_since = now;
        }
        let silence = if connection.is_answered() {
            SILENCE_ANSWERED
        } else {
            SILENCE
        };
        now.saturating_sub(self.quiet_since) >= silence || now.saturating_sub(begun) >= TOTAL
    }

    fn is_watched(&self) -> bool {
        let connection = self.connection.upgrade();
        connection.is_some_and(|connection| {
            let waits_for_output = connection.outcome().is_none();
            waits_for_output || !connection.linger.expired.get()
        })
    }
}

async fn look(list: Rc<LingerList>, engine: Engine) {
    loop {
        engine.sleep(TICK).await;
        if !list.look(engine.now()) {
            list.ticking.set(false);
            return;
        }
    }
}

fn lingers(connection: &Weak<Connection>) -> bool {
    connection
        .upgrade()
        .is_some_and(|connection| connection.lingers())
}

impl Connection {
    /// This side has closed the connection.
    pub(super) fn begin_lingering(&self) {
        if self.linger.place.get().is_none() && !self.is_done() {
            let mut closed = self.engine.lingering().closed.borrow_mut();
            let place = closed.insert(Entry {
                connection: self.this.clone(),
                closed: None,
                begun: None,
                quiet_since: 0,
                pieces: self.input.pieces.get(),
            });
            self.linger.place.set(Some(place));
        }
    }

    /// The connection begins to discard input: its times begin now.
    pub(super) fn restart_lingering(&self) {
        let Some(place) = self.linger.place.get() else {
            return;
        };
        self.linger.expired.set(false);
        let list = self.engine.lingering();
        if let Some(entry) = list.closed.borrow_mut().get_mut(place) {
            entry.begun = None;
        }
        list.tick(&self.engine);
    }

    /// Nothing is left of the connection.
    pub(super) fn end_lingering(&self) {
        if let Some(place) = self.linger.place.take() {
            let list = self.engine.lingering();
            list.closed.borrow_mut().try_remove(place);
            list.settled.wake();
        }
    }

    /// Returns whether the close has taken longer than it may.
    pub(super) fn is_overdue(&self) -> bool {
        self.linger.overdue.get()
    }

    /// Returns whether it has lingered as long as it may.
    pub(super) fn has_lingered(&self) -> bool {
        self.linger.expired.get()
    }

    /// The application receives input: the peer has answered what the transport had taken.
    pub(super) fn note_input(&self) {
        let queue = self.output.queue.borrow();
        let taken = queue
            .written()
            .saturating_sub(u64::try_from(queue.queued()).unwrap_or(u64::MAX));
        self.input.answered_to.set(taken);
        self.note_piece();
    }

    /// Input has come: the peer is not silent.
    pub(super) fn note_piece(&self) {
        self.activity.mark();
        self.input
            .pieces
            .set(self.input.pieces.get().wrapping_add(1));
    }

    /// Returns whether the peer has sent something since everything that was written had been taken.
    fn is_answered(&self) -> bool {
        self.input.answered_to.get() == self.output.queue.borrow().written()
    }

    /// Returns whether the connection is closed, everything has gone out, and the peer could still lose some of it.
    fn lingers(&self) -> bool {
        let queue = self.output.queue.borrow();
        let fine = !matches!(queue.outcome(), Some(Err(_)));
        let flushed = queue.is_closing() && queue.queued() == 0 && fine;
        // Unread input does harm only on a socket.
        let on_a_socket = self.peername.is_some() && !self.input.is_gone();
        flushed && queue.written() > 0 && on_a_socket && !self.has_lingered()
    }
}
