//! Peers of a test: plain sockets that the test controls exactly.

use std::fmt;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::task::Poll;

use crate::errors::SocketError;

use super::call::Call;
use super::faults::Faults;
use super::host::Host;
use super::link::Hold;
use super::listener::{Listening, TcpListener};
use super::ports::Bound;
use super::socket::Attempt;

/// The other end of a connection, controlled by a test. Dropping it closes the socket; with unread input that is a
/// reset.
pub struct Peer {
    hold: Hold,
    _bound: Option<Bound>,
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}

impl Host {
    /// Connects a peer to an address.
    ///
    /// # Errors
    ///
    /// The system's error.
    pub async fn connect(&self, remote: SocketAddr) -> Result<Peer, SocketError> {
        let mut attempt = Attempt::new(self, None, remote);
        let (hold, bound) = Call::new(self, move || attempt.look()).await?;
        Ok(Peer {
            hold,
            _bound: Some(bound),
        })
    }

    /// Listens at an address; port 0 means a free one.
    ///
    /// # Errors
    ///
    /// The system's error.
    pub fn listen(&self, address: SocketAddr, backlog: u32) -> Result<PeerListener, SocketError> {
        let bound = self.bind(address)?;
        let address = bound.address();
        let listener = TcpListener::new(Listening::new(self, bound, backlog));
        Ok(PeerListener { listener, address })
    }
}

/// A listening socket that a test controls.
pub struct PeerListener {
    listener: TcpListener,
    address: SocketAddr,
}

impl PeerListener {
    /// Returns the address where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for a connection.
    pub async fn accept(&mut self) -> Peer {
        loop {
            let accepted = poll_fn(|cx| self.listener.poll_hold(cx)).await;
            if let Some(hold) = accepted {
                return Peer { hold, _bound: None };
            }
        }
    }
}

impl Peer {
    /// Returns this end's address.
    pub fn address(&self) -> SocketAddr {
        self.hold.link.state.borrow().sides[self.hold.side].address
    }

    /// Waits for bytes and takes at most `most`. Returns no bytes at the end.
    ///
    /// # Errors
    ///
    /// If the connection was reset.
    pub async fn read(&self, most: usize) -> Result<Vec<u8>, SocketError> {
        let (link, side) = (&self.hold.link, self.hold.side);
        poll_fn(|cx| {
            let mut state = link.state.borrow_mut();
            let bytes = state.flows[1 - side].receive(most);
            if !bytes.is_empty() {
                drop(state);
                link.mark_busy();
                return Poll::Ready(Ok(bytes));
            }
            if state.sides[side].reset {
                return Poll::Ready(Err(SocketError::ConnectionReset));
            }
            if state.flows[1 - side].is_at_end() {
                return Poll::Ready(Ok(bytes));
            }
            drop(state);
            link.wait_as_peer(side, cx.waker());
            Poll::Pending
        })
        .await
    }

    /// Reads exactly `n` bytes.
    ///
    /// # Errors
    ///
    /// If the connection was reset, or has ended (`ConnectionBroken`).
    pub async fn read_exactly(&self, n: usize) -> Result<Vec<u8>, SocketError> {
        let mut all = Vec::new();
        while all.len() < n {
            let bytes = self.read(n - all.len()).await?;
            if bytes.is_empty() {
                return Err(SocketError::ConnectionBroken);
            }
            all.extend(bytes);
        }
        Ok(all)
    }

    /// Reads to the end.
    ///
    /// # Errors
    ///
    /// If the connection was reset.
    pub async fn read_to_end(&self) -> Result<Vec<u8>, SocketError> {
        let mut all = Vec::new();
        loop {
            let bytes = self.read(1 << 20).await?;
            if bytes.is_empty() {
                return Ok(all);
            }
            all.extend(bytes);
        }
    }

    /// Writes as many bytes as fit into the window. Returns how many.
    pub fn try_write(&self, bytes: &[u8]) -> usize {
        let (link, side) = (&self.hold.link, self.hold.side);
        let taken = {
            let mut state = link.state.borrow_mut();
            if state.sides[side].reset {
                return 0;
            }
            state.flows[side].send(bytes)
        };
        link.mark_busy();
        taken
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    ///
    /// If the connection was reset.
    pub async fn write(&self, bytes: &[u8]) -> Result<(), SocketError> {
        let (link, side) = (&self.hold.link, self.hold.side);
        let mut written = 0;
        poll_fn(|cx| {
            if link.state.borrow().sides[side].reset {
                return Poll::Ready(Err(SocketError::ConnectionReset));
            }
            written += self.try_write(&bytes[written..]);
            if written == bytes.len() {
                return Poll::Ready(Ok(()));
            }
            link.wait_as_peer(side, cx.waker());
            Poll::Pending
        })
        .await
    }

    /// Ends the output.
    pub fn end(&self) {
        self.hold.link.state.borrow_mut().flows[self.hold.side].end();
        self.hold.link.mark_busy();
    }

    /// Resets the connection.
    pub fn reset(&self) {
        self.hold.link.reset_from(self.hold.side);
    }

    /// Replaces the faults of the bytes that this end sends.
    pub fn set_faults_out(&self, faults: Faults) {
        self.hold.link.set_faults(self.hold.side, faults);
    }

    /// Replaces the faults of the bytes that this end receives.
    pub fn set_faults_in(&self, faults: Faults) {
        self.hold.link.set_faults(1 - self.hold.side, faults);
    }

    /// Returns how many bytes have arrived at this end so far, read or not.
    pub fn arrived(&self) -> u64 {
        self.hold.link.state.borrow().flows[1 - self.hold.side].delivered()
    }

    /// Returns whether the other side has closed its socket and nothing of it is left.
    pub fn other_side_is_gone(&self) -> bool {
        self.hold.link.state.borrow().sides[1 - self.hold.side].is_closed()
    }
}
