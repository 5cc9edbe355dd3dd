//! A server: its listening sockets, the connections that arrived, and the clients.

mod arrivals;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::{Rc, Weak};

use asyncio_streams_core::ServerState;
use slab::Slab;

use crate::activity::IdleTimeout;
use crate::bindings::exports::asyncio::streams::types::Error;
use crate::connection::{Connection, Owner, Settings};
use crate::driver::KeepRunning;
use crate::errors::saturate;
use crate::net::budget::{self, Share};
use crate::net::listen::Listener;
use crate::net::lobby::{self, Seat};
use crate::signal::{Cancel, Waiters};
use crate::transport::tls;

/// How a server serves.
#[derive(Clone)]
pub(crate) struct Rules {
    pub(crate) settings: Settings,
    pub(crate) backlog: u32,
    /// Connections at once; `None`: as many as the component may have.
    pub(crate) max_connections: Option<u32>,
    /// Nanoseconds after which a connection is aborted on which no byte moves.
    pub(crate) idle_timeout: Option<u64>,
    /// How connections are protected, if they are.
    pub(crate) tls: Option<tls::Server>,
}

/// A server, from its sockets' binding until the last client has left.
pub(crate) struct Server {
    rules: Rules,
    state: RefCell<ServerState>,
    /// Connections whose streams are not gone yet: those in the lobby, the clients, and those that linger.
    live: Cell<u32>,
    addresses: RefCell<Vec<SocketAddr>>,
    /// `None` while an accept waits on them, and after the close.
    listeners: RefCell<Option<Vec<Listener>>>,
    /// Connections that nobody has taken yet.
    arrived: RefCell<VecDeque<Rc<Connection>>>,
    /// Connections in the lobby.
    deferred: RefCell<Slab<Rc<Seat>>>,
    /// Those among them whose peer has sent nothing.
    silent: lobby::Queue,
    /// Connections that have not ended.
    clients: RefCell<Slab<Weak<Connection>>>,
    accepting: Cell<bool>,
    cancel: Cancel,
    changed: Waiters,
    idle: IdleTimeout,
    _share: Share,
    _keep: KeepRunning,
}

impl Server {
    /// A server on bound sockets, not serving yet. Only in async calls.
    pub(crate) fn new(listeners: Vec<Listener>, rules: Rules) -> Result<Rc<Self>, Error> {
        let max_connections = match rules.max_connections {
            Some(n) => {
                budget::make_room_for(n);
                usize::try_from(n).unwrap_or(usize::MAX)
            }
            None => usize::MAX,
        };
        let share = Share::listeners(listeners.len())?;
        let keep = KeepRunning::new();
        Ok(Rc::new(Server {
            idle: IdleTimeout::new(rules.idle_timeout),
            rules,
            state: RefCell::new(ServerState::new(max_connections)?),
            live: Cell::new(0),
            addresses: RefCell::new(listeners.iter().map(|listener| listener.address).collect()),
            listeners: RefCell::new(Some(listeners)),
            arrived: RefCell::default(),
            deferred: RefCell::default(),
            silent: lobby::Queue::default(),
            clients: RefCell::default(),
            accepting: Cell::new(false),
            cancel: Cancel::default(),
            changed: Waiters::default(),
            _share: share,
            _keep: keep,
        }))
    }

    /// Starts listening. Again does nothing.
    pub(crate) fn start_serving(&self) -> Result<(), Error> {
        if self.is_closed() {
            return Err(Error::Closed);
        }
        // While an accept waits they are listening already.
        if let Some(listeners) = self.listeners.borrow_mut().as_mut() {
            for listener in listeners {
                listener.listen(self.rules.backlog)?;
            }
        }
        let started = self.state.borrow_mut().start_serving();
        self.changed.wake();
        started.map_err(|_| Error::Closed)
    }

    /// Closes the listening sockets, and drops the connections that nobody has taken. Clients go on.
    pub(crate) fn close(&self) {
        self.state.borrow_mut().close();
        self.addresses.borrow_mut().clear();
        drop(self.listeners.take());
        let deferred: Vec<_> = self.deferred.borrow_mut().drain().collect();
        deferred.iter().for_each(|seat| seat.close());
        // They were never handed out, so nobody else can end them.
        for connection in self.arrived.take() {
            connection.abort();
        }
        self.changed.wake();
    }

    /// Waits until the server is closed and no client is left.
    pub(crate) async fn done(&self) {
        self.changed
            .until(|| self.state.borrow().is_done().then_some(()))
            .await;
    }

    /// Does `act` to each client; gives how many there were.
    pub(crate) fn each_client(&self, act: impl Fn(&Connection)) -> u32 {
        let clients: Vec<_> = self
            .clients
            .borrow()
            .iter()
            .filter_map(|(_, client)| client.upgrade())
            .collect();
        clients.iter().for_each(|connection| act(connection));
        saturate(clients.len())
    }

    /// Ends the accept that is pending with `cancelled`.
    pub(crate) fn cancel_accept(&self) {
        self.cancel.cancel();
        self.changed.wake();
    }

    /// Where it listens; nothing after the close.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.addresses.borrow().clone()
    }

    pub(crate) fn is_serving(&self) -> bool {
        self.state.borrow().is_serving()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state.borrow().is_closed()
    }

    pub(crate) fn is_accepting(&self) -> bool {
        self.accepting.get()
    }
}

impl Owner for Server {
    fn left(&self, place: usize) {
        self.clients.borrow_mut().try_remove(place);
        self.state.borrow_mut().client_left();
        self.changed.wake();
    }

    fn released(&self) {
        self.live.set(self.live.get().saturating_sub(1));
        self.changed.wake();
    }
}
