//! How long a closed connection goes on discarding input, and waiting for that: `streams.linger`.
//!
//! The system answers input that comes for a socket that is gone, or that was not read when it went, with a reset. The
//! reset also drops what the system had still to send (RFC 1122 §4.2.2.13, RFC 2525 §2.17). So a closed connection keeps
//! its socket and discards input: until the peer's end, a silence, or a bound in all.

use std::cell::RefCell;
use std::pin::pin;
use std::rc::{Rc, Weak};

use futures::future::select;
use slab::Slab;

use crate::driver::{self, KeepRunning};
use crate::signal::Waiters;

use super::Connection;

/// Nanoseconds of silence after which a closed connection is given up; nginx's `lingering_timeout`.
const SILENCE: u64 = 5_000_000_000;

/// The same when the peer has answered everything that was written: it has probably read it.
const SILENCE_ANSWERED: u64 = 1_000_000_000;

/// Nanoseconds in all; nginx's `lingering_time`.
const TOTAL: u64 = 30_000_000_000;

#[derive(Default)]
struct Open {
    /// Every connection that has a task in the background.
    connections: RefCell<Slab<Weak<Connection>>>,
    settled: Waiters,
}

thread_local! {
    static OPEN: Rc<Open> = Rc::default();
}

/// A connection's entry among those that [`all`] may wait for. Dropping it ends that.
pub(super) struct Entry<'a> {
    connection: &'a Connection,
    place: usize,
}

impl<'a> Entry<'a> {
    pub(super) fn new(connection: &'a Rc<Connection>) -> Self {
        let weak = Rc::downgrade(connection);
        let place = OPEN.with(|open| open.connections.borrow_mut().insert(weak));
        Entry { connection, place }
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        OPEN.with(|open| open.connections.borrow_mut().try_remove(self.place));
        self.connection.settle();
    }
}

/// Waits until no connection that this side has closed by now discards input any more. Dropping the wait has no effect.
pub(crate) async fn all() {
    let open = OPEN.with(Rc::clone);
    let mut lingering: Vec<Weak<Connection>> = open
        .connections
        .borrow()
        .iter()
        .filter(|(_, connection)| lingers(connection))
        .map(|(_, connection)| connection.clone())
        .collect();
    if lingering.is_empty() {
        return;
    }
    let _keep = KeepRunning::new();
    let settled = open.settled.until(|| {
        while lingering.last().is_some_and(|last| !lingers(last)) {
            lingering.pop();
        }
        lingering.is_empty().then_some(())
    });
    // Each connection has its own bound, but for the end of its output.
    let late = driver::sleep(TOTAL.saturating_add(SILENCE));
    select(pin!(settled), pin!(late)).await;
}

fn lingers(connection: &Weak<Connection>) -> bool {
    connection
        .upgrade()
        .is_some_and(|connection| connection.lingers())
}

/// Waits until discarding may end: at once after a loss or an abort, otherwise after a silence or [`TOTAL`].
pub(super) async fn expired(connection: &Connection) {
    if connection
        .pump_until(|| connection.outcome())
        .await
        .is_err()
    {
        return;
    }
    let silence = if connection.answered() {
        SILENCE_ANSWERED
    } else {
        SILENCE
    };
    let end = driver::now().saturating_add(TOTAL);
    loop {
        let before = connection.pieces.get();
        driver::sleep(silence).await;
        if connection.pieces.get() == before || driver::now() >= end {
            return;
        }
    }
}

impl Connection {
    /// The application was given input: the peer has answered what the transport had taken.
    pub(super) fn note_input(&self) {
        let output = self.output.borrow();
        let taken = output
            .written()
            .saturating_sub(u64::try_from(output.queued()).unwrap_or(u64::MAX));
        self.answered_to.set(taken);
        self.note_piece();
    }

    /// The peer is not silent.
    pub(super) fn note_piece(&self) {
        self.activity.mark();
        self.pieces.set(self.pieces.get().wrapping_add(1));
    }

    /// The program may end: this side can protect no more of its output.
    pub(super) fn settle(&self) {
        self.settled.set(true);
        let open = OPEN.with(Rc::clone);
        open.settled.wake();
    }

    /// Input is discarded again.
    pub(super) fn unsettle(&self) {
        self.settled.set(false);
    }

    /// Whether the peer has sent something since everything that was written had been taken.
    fn answered(&self) -> bool {
        self.answered_to.get() == self.output.borrow().written()
    }

    /// Whether the connection is closed, everything has gone out, and the peer could still lose some of it.
    fn lingers(&self) -> bool {
        let output = self.output.borrow();
        let fine = !matches!(output.outcome(), Some(Err(_)));
        let flushed = output.is_closing() && output.queued() == 0 && fine;
        // Unread input does harm only on a socket.
        flushed && output.written() > 0 && self.peername.is_some() && !self.settled.get()
    }
}
