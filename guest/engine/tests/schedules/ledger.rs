//! Records the actions of both ends of each connection, so that each can be checked against the other.

use std::cell::RefCell;
use std::collections::BTreeMap;

/// The two ends: the client's and the server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Client,
    Server,
}

/// One direction of a connection.
#[derive(Clone, Debug, Default)]
struct Direction {
    /// There is a sender: its side of the connection was handed out.
    begun: bool,
    /// Bytes that the sender has queued.
    queued: usize,
    /// Bytes that the receiver has read.
    received: usize,
    /// The sender has ended the direction after all queued bytes.
    ended: bool,
    /// The sender has aborted, or got a failure.
    broken: bool,
    /// The receiver has seen the end.
    seen: bool,
    /// The receiver has stopped before the end.
    stopped: bool,
}

/// All connections, by the client's port.
#[derive(Default)]
pub(crate) struct Ledger(RefCell<BTreeMap<u16, [Direction; 2]>>);

/// One direction of one connection in the ledger.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    port: u16,
    from: usize,
}

impl Entry {
    /// The direction that `end` sends, on the connection of the client's `port`.
    pub(crate) fn sent_by(end: End, port: u16) -> Self {
        Entry {
            port,
            from: end as usize,
        }
    }

    /// The direction that `end` receives.
    pub(crate) fn received_by(end: End, port: u16) -> Self {
        Entry {
            port,
            from: 1 - end as usize,
        }
    }

    /// Returns where the pattern of this direction begins.
    pub(crate) fn start(self) -> usize {
        usize::from(self.port) * 31 + self.from * 1_000
    }
}

impl Ledger {
    fn with<T>(&self, entry: Entry, act: impl FnOnce(&mut Direction) -> T) -> T {
        let mut connections = self.0.borrow_mut();
        act(&mut connections.entry(entry.port).or_default()[entry.from])
    }

    pub(crate) fn begun(&self, entry: Entry) {
        self.with(entry, |direction| direction.begun = true);
    }

    pub(crate) fn queued(&self, entry: Entry, bytes: usize) {
        self.with(entry, |direction| direction.queued += bytes);
    }

    /// Reverts counted bytes that were not taken.
    pub(crate) fn unqueue(&self, entry: Entry, bytes: usize) {
        self.with(entry, |direction| {
            direction.queued -= bytes;
            assert!(
                direction.received <= direction.queued,
                "bytes from nowhere: {direction:?}"
            );
        });
    }

    pub(crate) fn ended(&self, entry: Entry) {
        self.with(entry, |direction| direction.ended = true);
    }

    pub(crate) fn broken(&self, entry: Entry) {
        self.with(entry, |direction| direction.broken = true);
    }

    /// Counts received bytes; they never exceed the queued ones.
    pub(crate) fn received(&self, entry: Entry, bytes: usize) {
        self.with(entry, |direction| {
            direction.received += bytes;
            assert!(
                direction.received <= direction.queued,
                "bytes from nowhere: {direction:?}"
            );
        });
    }

    pub(crate) fn stopped(&self, entry: Entry) {
        self.with(entry, |direction| direction.stopped = true);
    }

    /// Records that the receiver has seen the end: only after all bytes, unless the direction is broken or the network lossy.
    pub(crate) fn seen(&self, entry: Entry, lossy: bool) {
        self.with(entry, |direction| {
            direction.seen = true;
            let whole = direction.ended && direction.received == direction.queued;
            let unused = !direction.begun && direction.received == 0;
            assert!(
                whole || unused || direction.broken || lossy,
                "an end too early: {direction:?}"
            );
        });
    }

    /// Checks, unless the network is lossy, that receivers which have not stopped have received everything. A connection that
    /// the server has not accepted has no receiver.
    pub(crate) fn check(&self, lossy: bool) {
        for (port, directions) in self.0.borrow().iter() {
            for (direction, back) in directions.iter().zip(directions.iter().rev()) {
                let whole = direction.received == direction.queued && direction.seen;
                let excused = direction.broken || direction.stopped || !back.begun;
                assert!(
                    lossy || !direction.ended || excused || whole,
                    "bytes were lost on {port}: {direction:?}"
                );
            }
        }
    }

    /// Returns how many bytes were received in total.
    pub(crate) fn total(&self) -> usize {
        let connections = self.0.borrow();
        connections
            .values()
            .flatten()
            .map(|direction| direction.received)
            .sum()
    }
}
