//! Whether a server accepts, and when it tries again.

use crate::error::{InvalidArgument, ServerClosed};

/// A server between its start and the last client's leaving.
///
/// Bound: the sockets are there, nobody is accepted yet. Serving, after [`start_serving`](Self::start_serving). Closed,
/// after [`close`](Self::close), for good: clients go on, and the server is done when the last one has left (asyncio's
/// `wait_closed` since Python 3.12.1).
#[derive(Clone, Debug)]
pub struct ServerState {
    phase: Phase,
    clients: usize,
    max_connections: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Bound,
    Serving,
    Closed,
}

impl ServerState {
    /// A bound server that accepts while fewer than `max_connections` clients are there.
    ///
    /// # Errors
    /// `InvalidArgument` if that is 0.
    pub fn new(max_connections: usize) -> Result<Self, InvalidArgument> {
        if max_connections == 0 {
            return Err(InvalidArgument("a server has at least one connection"));
        }
        Ok(Self {
            phase: Phase::Bound,
            clients: 0,
            max_connections,
        })
    }

    /// Starts accepting. Idempotent.
    ///
    /// # Errors
    /// `ServerClosed` after [`close`](Self::close).
    pub fn start_serving(&mut self) -> Result<(), ServerClosed> {
        if self.is_closed() {
            return Err(ServerClosed);
        }
        self.phase = Phase::Serving;
        Ok(())
    }

    /// Stops accepting for good. Idempotent.
    pub fn close(&mut self) {
        self.phase = Phase::Closed;
    }

    /// Whether it was started and not yet closed; at its cap or not.
    pub fn is_serving(&self) -> bool {
        self.phase == Phase::Serving
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// Whether another client may be accepted now. At the cap the operating system's backlog holds the others.
    pub fn may_accept(&self) -> bool {
        self.is_serving() && self.clients < self.max_connections
    }

    /// A client was accepted. Each has to leave again, whatever became of it.
    pub fn client_joined(&mut self) {
        self.clients = self.clients.saturating_add(1);
    }

    /// A client's connection is over.
    pub fn client_left(&mut self) {
        self.clients = self.clients.saturating_sub(1);
    }

    /// The most clients at a time.
    pub fn max_connections(&self) -> usize {
        self.max_connections
    }

    /// Whether it was closed and no client is left.
    pub fn is_done(&self) -> bool {
        self.is_closed() && self.clients == 0
    }
}

/// How long to leave a listener alone after accepts that failed: each pause is twice the one before, within bounds.
///
/// Out of descriptors, an accept fails at once and would be tried without end; one pause of a second, as in asyncio,
/// makes the first client after a short shortage wait as long as the last.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: u64,
    longest: u64,
    next: u64,
}

impl Backoff {
    /// Pauses from `first` to `longest`, in nanoseconds. Two pauses of nothing would be no back-off: `first` counts as
    /// 1 at least, and `longest` as `first` at least.
    pub fn new(first: u64, longest: u64) -> Self {
        let first = first.max(1);
        Self {
            first,
            longest: longest.max(first),
            next: first,
        }
    }

    /// An accept has failed: how long to pause, in nanoseconds.
    pub fn pause(&mut self) -> u64 {
        let pause = self.next;
        self.next = pause.saturating_mul(2).min(self.longest);
        pause
    }

    /// An accept has succeeded: the next pause is the first again.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn done_is_closed_and_empty_in_either_order() {
        let mut server = ServerState::new(10).unwrap();
        server.client_joined();
        server.close();
        assert!(!server.is_done());
        server.client_left();
        assert!(server.is_done());

        let mut server = ServerState::new(10).unwrap();
        server.client_joined();
        server.client_left();
        assert!(!server.is_done());
        server.close();
        assert!(server.is_done());
    }

    #[test]
    fn accepts_between_start_and_close_and_below_the_cap() {
        let mut server = ServerState::new(2).unwrap();
        assert!(!server.may_accept());
        server.start_serving().unwrap();
        server.client_joined();
        assert!(server.may_accept());
        server.client_joined();
        assert!(server.is_serving() && !server.may_accept());
        server.client_left();
        assert!(server.may_accept());
        server.close();
        assert!(!server.is_serving() && !server.may_accept());
    }

    #[test]
    fn closed_is_for_good() {
        let mut server = ServerState::new(1).unwrap();
        assert_eq!(server.start_serving(), Ok(()));
        assert_eq!(server.start_serving(), Ok(()));
        server.close();
        server.close();
        assert_eq!(server.start_serving(), Err(ServerClosed));
    }

    #[test]
    fn at_least_one_connection() {
        assert!(ServerState::new(0).is_err());
    }

    #[test]
    fn a_client_that_leaves_twice_does_no_harm() {
        let mut server = ServerState::new(1).unwrap();
        server.client_left();
        server.client_joined();
        server.close();
        assert!(!server.is_done());
        server.client_left();
        assert!(server.is_done());
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let mut backoff = Backoff::new(10, 35);
        let pauses: Vec<u64> = (0..4).map(|_| backoff.pause()).collect();
        assert_eq!(pauses, [10, 20, 35, 35]);
        backoff.reset();
        assert_eq!(backoff.pause(), 10);
    }

    #[test]
    fn pauses_are_never_nothing_and_never_overflow() {
        let mut nothing = Backoff::new(0, 0);
        assert_eq!((nothing.pause(), nothing.pause()), (1, 1));
        let mut huge = Backoff::new(u64::MAX - 1, u64::MAX);
        assert_eq!((huge.pause(), huge.pause()), (u64::MAX - 1, u64::MAX));
    }
}
