//! From the listening sockets to connections that can be given out.

use std::cell::Cell;
use std::pin::pin;
use std::rc::{Rc, Weak};

use asyncio_streams_core::{self as core, Backoff};
use futures::future::{Either, select};

use crate::bindings::exports::asyncio::streams::types::Error;
use crate::bindings::wasi::sockets::types::TcpSocket;
use crate::connection::{Connection, Held};
use crate::driver;
use crate::net::budget::Share;
use crate::net::listen::{self, Listener};
use crate::net::lobby::{self, Admission, Seat};
use crate::transport::tcp::{self, Arrived, Tcp};
use crate::transport::tls::{Failed, Role};

use super::Server;

/// Sockets in a row that gave no connection, after which other tasks get a turn.
const TURN: u32 = 16;

/// What a socket from a listener turned out to be.
enum Arrival {
    /// A connection, given out or in the lobby.
    Taken,
    /// The peer was gone before it could be had.
    Gone,
    /// The system could not accept, for lack of descriptors or memory.
    Failed,
}

impl Server {
    /// Waits until a connection can be [taken](Server::pop).
    pub(crate) async fn arrival(self: &Rc<Self>) -> Result<(), Error> {
        if self.accepting.replace(true) {
            return Err(Error::Busy);
        }
        let _accepting = Accepting(&self.accepting);
        let round = self.cancel.begin();
        // Also ends with a connection that comes out of the lobby.
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
            Either::Left((result, _)) => result,
            Either::Right(((), _)) => Ok(()),
        }
    }

    /// The connection that arrived first.
    pub(crate) fn pop(&self) -> Option<Rc<Connection>> {
        if self.has_arrived() {
            self.arrived.borrow_mut().pop_front()
        } else {
            None
        }
    }

    /// Whether there is a connection to be taken. Those that are over are dropped.
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
        let mut fruitless: u32 = 0;
        while !self.has_arrived() {
            self.changed.until(|| self.may_accept().then_some(())).await;
            lobby::room().await;
            let socket = {
                let Some(mut lent) = Lent::borrow(self) else {
                    return;
                };
                listen::next_connection(&mut lent.listeners).await
            };
            match socket.map_or(Arrival::Gone, |socket| self.arrive(socket)) {
                Arrival::Failed => driver::sleep(backoff.pause()).await,
                Arrival::Taken | Arrival::Gone => {
                    fruitless = fruitless.wrapping_add(1);
                    if fruitless.is_multiple_of(TURN) {
                        driver::next_turn().await;
                    }
                }
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

    /// Returns the server's seat in the lobby whose peer has been silent for the longest time.
    fn longest_silent(&self) -> Option<Rc<Seat>> {
        self.silent.first(Seat::is_silent)
    }

    /// Finds a place for a socket.
    fn arrive(self: &Rc<Self>, socket: TcpSocket) -> Arrival {
        // An accept that failed comes as a socket that is closed already, without even a name of its own.
        let Ok(local) = tcp::local_address(&socket) else {
            return Arrival::Failed;
        };
        let Ok(remote) = tcp::remote_address(&socket) else {
            return Arrival::Gone;
        };
        if self.is_closed() {
            return Arrival::Gone;
        }
        let admission = lobby::admit();
        if matches!(admission, Admission::Full) {
            return Arrival::Gone;
        }
        // Silent peers in the lobby are no reason to keep others out: at the server's own cap neither.
        if !self.is_below_cap()
            && let Some(seat) = self.longest_silent()
        {
            seat.close();
        }
        let mut arrived = Arrived::new(socket, local, remote);
        arrived.activity = self.idle.watch();
        self.live.set(self.live.get().saturating_add(1));
        match admission {
            Admission::Now(share) => self.receive(arrived.into_tcp(), share),
            Admission::Later(seat) => {
                self.silent.add(&seat);
                let place = self.deferred.borrow_mut().insert(seat.clone());
                driver::spawn(self.clone().defer(arrived, seat, place));
            }
            Admission::Full => {}
        }
        Arrival::Taken
    }

    /// Keeps a connection in the lobby until it may be given out, or the server closes.
    async fn defer(self: Rc<Self>, mut arrived: Arrived, seat: Rc<Seat>, place: usize) {
        let share = {
            let turn = pin!(seat.turn(&mut arrived.incoming));
            match select(turn, pin!(arrived.activity.expired())).await {
                Either::Left((share, _)) => share,
                Either::Right(((), _)) => None,
            }
        };
        // The close has emptied the list, to which nobody is added afterwards.
        self.deferred.borrow_mut().try_remove(place);
        self.silent.remove(seat.number());
        match share {
            Some(share) if !self.is_closed() => self.receive(arrived.into_tcp(), share),
            _ => {
                // The seat's share comes last: it counts the socket, and the read that waited on it.
                drop(arrived);
                drop(seat);
                crate::connection::Owner::released(&*self);
            }
        }
    }

    /// Gives a connection out, after the handshake if there is to be one.
    fn receive(self: &Rc<Self>, tcp: Tcp, share: Share) {
        match self.rules.tls.clone() {
            Some(tls) => driver::spawn(self.clone().protect(tcp, share, Role::Server(tls))),
            None => self.give_out(tcp, share),
        }
    }

    /// Does the handshake of a connection, unless the server closes meanwhile.
    async fn protect(self: Rc<Self>, tcp: Tcp, share: Share, role: Role) {
        let activity = tcp.activity.clone();
        let protected = {
            let closed = pin!(self.changed.until(|| self.is_closed().then_some(())));
            let idle = pin!(activity.expired());
            match select(pin!(tcp.protect(Some(role))), select(closed, idle)).await {
                Either::Left((protected, _)) => Some(protected),
                Either::Right(_) => None,
            }
        };
        match protected {
            Some(Ok(tcp)) if !self.is_closed() => return self.give_out(tcp, share),
            Some(Err(Failed {
                remains: Some(remains),
                ..
            })) => remains.part().await,
            gone => drop(gone),
        }
        drop(share);
        crate::connection::Owner::released(&*self);
    }

    /// Makes a connection that can be taken.
    fn give_out(self: &Rc<Self>, tcp: Tcp, share: Share) {
        let place = self.clients.borrow_mut().insert(Weak::new());
        self.state.borrow_mut().client_joined();
        let held = Held::accepted(share, self.clone(), place);
        // What makes it fail is in the options, which were checked when they were set. `held` then gives all back.
        if let Ok(connection) = Connection::tcp(tcp, self.rules.settings, held) {
            if let Some(client) = self.clients.borrow_mut().get_mut(place) {
                *client = Rc::downgrade(&connection);
            }
            self.arrived.borrow_mut().push_back(connection);
            self.changed.wake();
        }
    }
}

struct Accepting<'a>(&'a Cell<bool>);

impl Drop for Accepting<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// The listeners, with the accept that waits on them. They go back unless the server has closed.
struct Lent<'a> {
    server: &'a Server,
    listeners: Vec<Listener>,
}

impl<'a> Lent<'a> {
    fn borrow(server: &'a Server) -> Option<Self> {
        let listeners = server.listeners.take()?;
        Some(Lent { server, listeners })
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if !self.server.is_closed() {
            *self.server.listeners.borrow_mut() = Some(std::mem::take(&mut self.listeners));
        }
    }
}
