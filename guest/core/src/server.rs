//! Decides whether a server accepts, and when it tries again.

use crate::error::{InvalidArgument, ServerClosed};

/// The state of a server from its start until its last client has left.
///
/// - Bound: the sockets exist, but no client is accepted yet.
/// - Serving, after [`start_serving`](Self::start_serving).
/// - Closed, after [`close`](Self::close), which is final: existing clients continue. The server is done when the last
///   one has left (asyncio's `wait_closed` since Python 3.12.1).
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
    /// Creates a bound server that accepts while it has fewer than `max_connections` clients.
    ///
    /// # Errors
    /// `InvalidArgument` if `max_connections` is 0.
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

    /// Stops accepting; this is final. Idempotent.
    pub fn close(&mut self) {
        self.phase = Phase::Closed;
    }

    /// Returns whether the server was started and not yet closed, even if it has the maximum of clients.
    pub fn is_serving(&self) -> bool {
        self.phase == Phase::Serving
    }

    /// Returns whether the server was closed.
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// Returns whether another client may be accepted now. At the maximum, the operating system's backlog holds the
    /// others.
    pub fn may_accept(&self) -> bool {
        self.is_serving() && self.clients < self.max_connections
    }

    /// Counts an accepted client. Every client has to leave again, however its connection ends.
    pub fn client_joined(&mut self) {
        self.clients = self.clients.saturating_add(1);
    }

    /// Records that a client's connection has ended.
    pub fn client_left(&mut self) {
        self.clients = self.clients.saturating_sub(1);
    }

    /// Returns the most clients at a time.
    pub fn max_connections(&self) -> usize {
        self.max_connections
    }

    /// Returns whether the server was closed and no client is left.
    pub fn is_done(&self) -> bool {
        self.is_closed() && self.clients == 0
    }
}

/// The pauses after failed accepts: each is twice as long as the one before, within bounds.
///
/// Without descriptors an accept fails at once and would be retried without end. A fixed pause of one second, as in
/// asyncio, would delay all clients equally, even after a short shortage.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: u64,
    longest: u64,
    next: u64,
}

impl Backoff {
    /// Creates pauses from `first` to `longest`, in nanoseconds. `first` counts as at least 1, and `longest` as at
    /// least `first`: pauses of 0 would be no back-off.
    pub fn new(first: u64, longest: u64) -> Self {
        let first = first.max(1);
        Self {
            first,
            longest: longest.max(first),
            next: first,
        }
    }

    /// Returns how long to pause after a failed accept, in nanoseconds.
    pub fn pause(&mut self) -> u64 {
        let pause = self.next;
        self.next = pause.saturating_mul(2).min(self.longest);
        pause
    }

    /// Starts again with the first pause, after a successful accept.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn a_server_is_done_when_closed_and_empty_in_either_order() {
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
    fn accepts_between_start_and_close_and_below_the_maximum() {
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
    fn close_is_final() {
        let mut server = ServerState::new(1).unwrap();
        assert_eq!(server.start_serving(), Ok(()));
        assert_eq!(server.start_serving(), Ok(()));
        server.close();
        server.close();
        assert_eq!(server.start_serving(), Err(ServerClosed));
    }

    #[test]
    fn zero_connections_are_refused() {
        assert!(ServerState::new(0).is_err());
    }

    #[test]
    fn an_extra_leave_is_ignored() {
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
    fn pauses_are_never_zero_and_never_overflow() {
        let mut nothing = Backoff::new(0, 0);
        assert_eq!((nothing.pause(), nothing.pause()), (1, 1));
        let mut huge = Backoff::new(u64::MAX - 1, u64::MAX);
        assert_eq!((huge.pause(), huge.pause()), (u64::MAX - 1, u64::MAX));
    }
}
