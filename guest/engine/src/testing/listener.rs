//! Listening sockets and their backlogs.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::platform::{Listener, StreamSocket};

use super::contract::Waiting;
use super::counts::{Counted, Kind};
use super::host::Host;
use super::link::Hold;
use super::ports::Bound;
use super::socket::Socket;

/// A listening socket, as the network sees it.
pub(super) struct Listening {
    pub(super) host: Host,
    bound: Bound,
    backlog: usize,
    state: RefCell<State>,
    /// The number of the next accepts that fail.
    failing: Cell<u32>,
    open: Cell<bool>,
}

#[derive(Default)]
struct State {
    /// Connections that were not accepted yet.
    queue: VecDeque<Hold>,
    /// An accept is pending, or has a result that was not taken yet.
    pending: bool,
    result: Option<Accepted>,
    waiting: Waiting,
}

enum Accepted {
    Connection(Hold),
    Failed,
}

impl Listening {
    pub(super) fn new(host: &Host, bound: Bound, backlog: u32) -> Rc<Self> {
        let listening = Rc::new(Listening {
            host: host.clone(),
            bound,
            backlog: backlog as usize,
            state: RefCell::default(),
            failing: Cell::new(0),
            open: Cell::new(true),
        });
        host.world.listeners.borrow_mut().push(listening.clone());
        listening
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.bound.address()
    }

    /// Returns whether a connection to `remote`, an address of `host`, would arrive here.
    pub(super) fn serves(&self, host: &Host, remote: SocketAddr) -> bool {
        let own = self.address();
        self.open.get()
            && self.host.is(host)
            && own.port() == remote.port()
            && own.is_ipv4() == remote.is_ipv4()
            && (own.ip() == remote.ip() || own.ip().is_unspecified())
    }

    pub(super) fn has_room(&self) -> bool {
        self.state.borrow().queue.len() < self.backlog
    }

    /// Makes the next `n` accepts fail.
    pub(super) fn fail_accepts(&self, n: u32) {
        self.failing.set(self.failing.get() + n);
        self.go_on();
    }

    /// Adds a connection that has arrived.
    pub(super) fn arrive(&self, connection: Hold) {
        self.state.borrow_mut().queue.push_back(connection);
        self.go_on();
    }

    /// Ends the pending accept, if there is something for it.
    fn go_on(&self) {
        let mut state = self.state.borrow_mut();
        if state.pending && state.result.is_none() {
            state.result = self.next(&mut state);
            if state.result.is_some() {
                state.waiting.end(&self.host.world);
            }
        }
    }

    fn next(&self, state: &mut State) -> Option<Accepted> {
        if self.failing.get() > 0 {
            self.failing.set(self.failing.get() - 1);
            return Some(Accepted::Failed);
        }
        state.queue.pop_front().map(Accepted::Connection)
    }

    fn close(&self) {
        self.open.set(false);
        let world = &self.host.world;
        world
            .listeners
            .borrow_mut()
            .retain(|known| !std::ptr::eq(&**known, self));
        let (queue, result) = {
            let mut state = self.state.borrow_mut();
            (std::mem::take(&mut state.queue), state.result.take())
        };
        let accepted = match result {
            Some(Accepted::Connection(connection)) => Some(connection),
            _ => None,
        };
        // The system resets connections that were not accepted.
        for connection in queue.into_iter().chain(accepted) {
            connection.link.reset_from(connection.side);
        }
    }
}

/// The listener of an engine or of a test.
pub(super) struct TcpListener {
    listening: Rc<Listening>,
    _counted: Counted,
}

impl TcpListener {
    pub(super) fn new(listening: Rc<Listening>) -> Self {
        TcpListener {
            _counted: listening.host.world.counts.count(Kind::Listener),
            listening,
        }
    }

    /// Takes a connection without a socket, for a test.
    pub(super) fn poll_hold(&mut self, cx: &mut Context<'_>) -> Poll<Option<Hold>> {
        let listening = &self.listening;
        let world = &listening.host.world;
        let mut state = listening.state.borrow_mut();
        let accepted = match state.result.take() {
            Some(accepted) => Some(accepted),
            None if state.pending => None,
            None => listening.next(&mut state),
        };
        let Some(accepted) = accepted else {
            state.pending = true;
            state.waiting.join(world, cx);
            return Poll::Pending;
        };
        state.pending = false;
        Poll::Ready(match accepted {
            Accepted::Connection(connection) => Some(connection),
            Accepted::Failed => None,
        })
    }
}

impl Listener for TcpListener {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Box<dyn StreamSocket>> {
        let host = self.listening.host.clone();
        host.world.check_async("a listener was polled");
        self.poll_hold(cx).map(|accepted| {
            let socket = match accepted {
                Some(connection) => Socket::connected(&host, connection, None),
                None => Socket::dead(&host),
            };
            Box::new(socket) as Box<dyn StreamSocket>
        })
    }

    fn leave(&mut self) {
        let mut state = self.listening.state.borrow_mut();
        state.waiting.leave(&self.listening.host.world);
    }
}

impl Drop for TcpListener {
    fn drop(&mut self) {
        let listening = self.listening.clone();
        let world = listening.host.world.clone();
        listening.state.borrow_mut().waiting.leave(&world);
        if listening.state.borrow().pending {
            // The address stays in use until the accept has ended.
            let host = listening.host.clone();
            host.reap(move || listening.close());
        } else {
            listening.close();
        }
    }
}
