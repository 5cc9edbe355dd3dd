//! Accepting: turns sockets of the listeners into connections for the application.

use std::pin::pin;
use std::rc::{Rc, Weak};

use asyncio_streams_core::{self as core, Backoff};

use crate::connection::{Connection, Owner, Registration};
use crate::engine::Coop;
use crate::net::listen::{self, Listening};
use crate::platform::StreamSocket;
use crate::quota::HandlePermit;
use crate::quota::lobby::{Admission, Deferred};
use crate::select::{Either, select};
use crate::transport::{self, Accepted, Transport};
use crate::types::Error;

use super::Inner;

/// The number of sockets without a connection that are handled before other tasks run.
const TURN: u32 = 16;

/// The result of a socket from a listener.
enum Arrival {
    /// It became a connection: handed out or in the lobby.
    Taken,
    /// It was dropped: the peer or the server is gone, or there is no place.
    Gone,
    /// The system could not accept, for lack of descriptors or memory.
    Failed,
}

impl Inner {
    /// Waits until a connection can be [taken](Inner::pop). The wait is pending from the call on.
    pub(super) fn wait(self: &Rc<Self>) -> impl Future<Output = Result<(), Error>> {
        let accepting = self.accepting.enter();
        let round = self.cancel.begin();
        async move {
            let _accepting = accepting?;
            // A connection from the lobby ends this wait too.
            let changed = self.changed.until(|| {
                if let Err(cancelled) = round.check() {
                    Some(Err(cancelled))
                } else if self.is_closed() {
                    Some(Err(Error::Closed))
                } else {
                    self.has_arrived().then_some(Ok(()))
                }
            });
            match select(pin!(changed), pin!(self.take_connections())).await {
                Either::Left(result) => result,
                Either::Right(()) => Ok(()),
            }
        }
    }

    /// Takes the connection that arrived first.
    pub(super) fn pop(&self) -> Option<Rc<Connection>> {
        if self.has_arrived() {
            self.arrived.borrow_mut().pop_front()
        } else {
            None
        }
    }

    /// Returns whether a connection can be taken. Drops those that have ended.
    fn has_arrived(&self) -> bool {
        loop {
            let first = self.arrived.borrow().front().cloned();
            match first {
                Some(connection) if connection.outcome().is_some() => {
                    connection.abort();
                    self.arrived.borrow_mut().pop_front();
                }
                first => return first.is_some(),
            }
        }
    }

    async fn take_connections(self: &Rc<Self>) {
        let mut backoff = Backoff::new(core::ACCEPT_BACKOFF_FIRST, core::ACCEPT_BACKOFF_LONGEST);
        let mut coop = Coop::new(TURN);
        while !self.has_arrived() {
            self.changed.until(|| self.may_accept().then_some(())).await;
            self.engine.handles().room().await;
            let socket = {
                let Some(mut loan) = Loan::take(self) else {
                    return;
                };
                listen::next_connection(&mut loan.listeners).await
            };
            match self.arrive(socket) {
                Arrival::Failed => self.engine.sleep(backoff.pause()).await,
                Arrival::Taken | Arrival::Gone => coop.spend(&self.engine).await,
            }
        }
    }

    fn may_accept(&self) -> bool {
        let room = self.is_below_cap() || self.longest_silent().is_some();
        room && self.state.borrow().may_accept()
    }

    fn is_below_cap(&self) -> bool {
        let max = self.rules.max_connections;
        max.is_none_or(|max| self.live.get() < max)
    }

    /// Returns the server's deferred connection whose peer has been silent for the longest time.
    fn longest_silent(&self) -> Option<Rc<Deferred>> {
        self.silent.first(Deferred::is_silent)
    }

    /// Finds a place for an accepted socket.
    fn arrive(self: &Rc<Self>, socket: Box<dyn StreamSocket>) -> Arrival {
        let Ok(remote) = transport::remote_name(&*socket) else {
            // WASI reports a failed accept as a closed socket without a local address.
            return match transport::local_name(&*socket) {
                Ok(_) => Arrival::Gone,
                Err(_) => Arrival::Failed,
            };
        };
        // Not the listener's address: a host that reads the PROXY protocol knows another.
        let Ok(local) = transport::local_name(&*socket) else {
            return Arrival::Gone;
        };
        if self.is_closed() {
            return Arrival::Gone;
        }
        let admission = self.engine.handles().admit();
        if matches!(admission, Admission::Full) {
            return Arrival::Gone;
        }
        // A silent peer in the lobby must not keep a new one out, even at the server's own maximum.
        if !self.is_below_cap()
            && let Some(deferred) = self.longest_silent()
        {
            deferred.close();
        }
        let mut arrived = Accepted::new(&self.engine, socket, local, remote);
        arrived.activity = self.idle.watch();
        self.live.set(self.live.get().saturating_add(1));
        match admission {
            Admission::Now(permit) => self.receive(arrived.into_transport(), permit),
            Admission::Later(deferred) => {
                self.silent.add(&deferred);
                let place = self.deferred.borrow_mut().insert(deferred.clone());
                self.engine
                    .spawn(self.clone().defer(arrived, deferred, place));
            }
            Admission::Full => {}
        }
        Arrival::Taken
    }

    /// Keeps a connection in the lobby until it may be handed out, or the server closes.
    async fn defer(self: Rc<Self>, mut arrived: Accepted, deferred: Rc<Deferred>, place: usize) {
        let permit = {
            let admitted = pin!(deferred.admitted(&mut arrived.incoming));
            match select(admitted, pin!(arrived.activity.expired())).await {
                Either::Left(permit) => permit,
                Either::Right(()) => None,
            }
        };
        // After a close the list is empty, and nothing is added any more.
        self.deferred.borrow_mut().try_remove(place);
        self.silent.remove(deferred.number());
        match permit {
            Some(permit) if !self.is_closed() => self.receive(arrived.into_transport(), permit),
            _ => {
                // Drop the permit last: it counts the socket and its pending read.
                drop(arrived);
                drop(deferred);
                self.freed();
            }
        }
    }

    /// Creates a connection that can be taken.
    pub(super) fn hand_out(self: &Rc<Self>, transport: Transport, permit: HandlePermit) {
        let place = self.clients.borrow_mut().insert(Weak::new());
        self.state.borrow_mut().client_joined();
        let registration = Registration::accepted(permit, self.clone(), place);
        // Fails only for invalid options, which were checked when they were set. `registration` then releases
        // everything.
        let made = Connection::new(&self.engine, transport, self.rules.settings, registration);
        if let Ok(connection) = made {
            if let Some(client) = self.clients.borrow_mut().get_mut(place) {
                *client = Rc::downgrade(&connection);
            }
            self.arrived.borrow_mut().push_back(connection);
            self.changed.wake();
        }
    }
}

/// The listeners, held by a pending accept. The drop puts them back unless the server has closed.
struct Loan<'a> {
    server: &'a Inner,
    listeners: Vec<Listening>,
}

impl<'a> Loan<'a> {
    fn take(server: &'a Inner) -> Option<Self> {
        let listeners = server.listeners.take()?;
        Some(Loan { server, listeners })
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        if !self.server.is_closed() {
            *self.server.listeners.borrow_mut() = Some(std::mem::take(&mut self.listeners));
        }
    }
}
