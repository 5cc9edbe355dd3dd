//! How long a closed connection discards input, and the call that waits for this: `streams.linger`.
//!
//! The system answers with a reset when input arrives for a closed socket, or when a socket with unread input is
//! closed. The reset also drops the bytes that the system has still to send (RFC 1122 §4.2.2.13, RFC 2525 §2.17). So a
//! closed connection keeps its socket and discards input: until the peer's end, a time of silence, or a total time.
//!
//! One timer serves all connections: while any of them lingers, the list checks them four times a second.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::{Rc, Weak};

use slab::Slab;

use crate::engine::{Engine, KeepRunning};
use crate::notify::Notify;
use crate::select::select;

use super::Connection;

/// Nanoseconds of silence after which a closed connection stops lingering; nginx's `lingering_timeout`.
const SILENCE: u64 = 5_000_000_000;

/// Nanoseconds of silence if the peer has answered everything that was written: it has probably read it.
const SILENCE_ANSWERED: u64 = 1_000_000_000;

/// The most nanoseconds that a connection lingers; nginx's `lingering_time`.
const TOTAL: u64 = 30_000_000_000;

/// Nanoseconds between two checks.
const TICK: u64 = 250_000_000;

/// The connections of an engine that this side has closed and that still exist.
#[derive(Default)]
pub(crate) struct LingerList {
    closed: RefCell<Slab<Entry>>,
    settled: Notify,
    ticking: Cell<bool>,
}

struct Entry {
    connection: Weak<Connection>,
    /// The time of the first check.
    closed: Option<u64>,
    /// The time of the first check that saw the output ended.
    begun: Option<u64>,
    /// The time of the last check that saw new input, and the count of pieces at that time.
    quiet_since: u64,
    pieces: u32,
}

/// The state of one connection's lingering.
#[derive(Default)]
pub(super) struct Linger {
    place: Cell<Option<usize>>,
    /// The connection has lingered long enough.
    expired: Cell<bool>,
    /// The output has not ended within the close deadline.
    overdue: Cell<bool>,
}

impl LingerList {
    /// Waits until all connections that this side has closed by now have stopped discarding input. Dropping the wait
    /// has no effect.
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
        // Each connection has its own bound, except while its output has not ended.
        let late = engine.sleep(TOTAL.saturating_add(SILENCE));
        select(pin!(settled), late).await;
    }

    /// Starts the periodic checks, unless they run.
    pub(super) fn tick(self: &Rc<Self>, engine: &Engine) {
        if !self.ticking.replace(true) {
            engine.spawn(look(self.clone(), engine.clone()));
        }
    }

    /// Checks all connections. Returns whether any of them needs further checks.
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
        // No borrow is held while the connections react.
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
    /// Returns whether the close has exceeded its deadline.
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
    /// Adds the connection to the list: this side has closed it.
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

    /// Restarts the times of lingering: the connection begins to discard input.
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

    /// Removes the connection from the list: nothing of it is left.
    pub(super) fn end_lingering(&self) {
        if let Some(place) = self.linger.place.take() {
            let list = self.engine.lingering();
            list.closed.borrow_mut().try_remove(place);
            list.settled.wake();
        }
    }

    /// Returns whether the close has exceeded its deadline.
    pub(super) fn is_overdue(&self) -> bool {
        self.linger.overdue.get()
    }

    /// Returns whether the connection has lingered long enough.
    pub(super) fn has_lingered(&self) -> bool {
        self.linger.expired.get()
    }

    /// Records that the application receives input: the peer has answered the bytes that the transport had taken.
    pub(super) fn note_input(&self) {
        let queue = self.output.queue.borrow();
        let taken = queue
            .written()
            .saturating_sub(u64::try_from(queue.queued()).unwrap_or(u64::MAX));
        self.input.answered_to.set(taken);
        self.note_piece();
    }

    /// Records that input has arrived: the peer is not silent.
    pub(super) fn note_piece(&self) {
        self.activity.mark();
        self.input
            .pieces
            .set(self.input.pieces.get().wrapping_add(1));
    }

    /// Returns whether the peer has sent something since the transport took the last written byte.
    fn is_answered(&self) -> bool {
        self.input.answered_to.get() == self.output.queue.borrow().written()
    }

    /// Returns whether the connection is closed, all output is sent, and the peer could still lose some of it.
    fn lingers(&self) -> bool {
        let queue = self.output.queue.borrow();
        let fine = !matches!(queue.outcome(), Some(Err(_)));
        let flushed = queue.is_closing() && queue.queued() == 0 && fine;
        // Unread input does harm only on a socket.
        let on_a_socket = self.names.peer.is_some() && !self.input.is_gone();
        flushed && queue.written() > 0 && on_a_socket && !self.has_lingered()
    }
}
