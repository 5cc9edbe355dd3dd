//! A server: its listening sockets, its accepted connections, and its clients.

mod accept;
#[cfg(not(feature = "tls"))]
#[path = "no_handshake.rs"]
mod handshake;
#[cfg(feature = "tls")]
mod handshake;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::pin::pin;
use std::rc::{Rc, Weak};

use asyncio_streams_core::ServerState;
use slab::Slab;

use crate::connection::{Connection, Owner};
use crate::engine::{Engine, KeepRunning};
use crate::errors::saturate;
use crate::idle::IdleTimeout;
use crate::net::address;
use crate::notify::{BusyFlag, CancelCount, Notify};
use crate::options::{ServerOptions, Settings};
use crate::platform::{BoundSocket, SocketName};
use crate::protection::Protector;
use crate::quota::HandlePermit;
use crate::quota::lobby::{self, Deferred};
use crate::reader::Reader;
use crate::select::{Either, select};
use crate::types::{Address, Error};
use crate::watch::Event;
use crate::writer::Writer;

pub(crate) use crate::net::listen::Listening;

/// A server. Dropping it closes it; its clients continue.
pub struct Server(Rc<Inner>);

impl Server {
    /// Waits for a connection and takes it. The wait is pending from the call on; a dropped future loses no connection.
    ///
    /// # Errors
    ///
    /// `busy` while another accept is pending, `cancelled`, `closed`.
    pub fn accept(&self) -> impl Future<Output = Result<(Reader, Writer), Error>> {
        let mut waiting = Some(self.0.wait());
        async move {
            loop {
                match waiting.take() {
                    Some(first) => first.await?,
                    None => self.0.wait().await?,
                }
                if let Some(pair) = self.pop() {
                    return Ok(pair);
                }
            }
        }
    }

    /// Waits for a connection without taking it.
    ///
    /// # Errors
    ///
    /// As for [`Server::accept`].
    pub fn wait_connection(&self) -> impl Future<Output = Result<(), Error>> {
        self.0.wait()
    }

    /// Returns the event for which [`Server::wait_connection`] waits.
    pub fn connection(&self) -> Event {
        Event::new(&self.0, |inner| async move { inner.wait().await })
    }

    /// Takes a connection that has arrived, if there is one.
    ///
    /// # Errors
    ///
    /// `closed`; `busy` while an accept is pending.
    pub fn try_accept(&self) -> Result<Option<(Reader, Writer)>, Error> {
        if self.0.is_closed() {
            return Err(Error::Closed);
        }
        if self.0.accepting.is_busy() {
            return Err(Error::Busy);
        }
        Ok(self.pop())
    }

    /// Ends the pending accept with `cancelled`.
    pub fn cancel(&self) {
        self.0.cancel.cancel();
        self.0.changed.wake();
    }

    /// Returns the addresses where the server listens; none after the close.
    pub fn sockets(&self) -> Vec<Address> {
        let addresses = self.0.addresses.borrow();
        addresses.iter().map(address::of_name).collect()
    }

    /// Returns whether the server serves.
    pub fn is_serving(&self) -> bool {
        self.0.state.borrow().is_serving()
    }

    /// Starts serving. A repeated call has no effect.
    ///
    /// # Errors
    ///
    /// `closed`, or the system's error.
    pub fn start_serving(&self) -> Result<(), Error> {
        self.0.start_serving()
    }

    /// Closes the listening sockets, and aborts the connections that were not taken. Clients continue.
    pub fn close(&self) {
        self.0.close();
    }

    /// Closes all clients.
    pub fn close_clients(&self) {
        self.0.each_client(Connection::close);
    }

    /// Aborts all clients.
    pub fn abort_clients(&self) {
        self.0.each_client(Connection::abort);
    }

    /// Waits until the server is closed and no client is left.
    pub async fn wait_closed(&self) {
        self.0.done().await;
    }

    /// Closes the server, waits for the clients, and aborts those left after `grace` nanoseconds. Returns how many were
    /// aborted.
    pub async fn shutdown(&self, grace: u64) -> u32 {
        self.0.close();
        let late = self.0.engine.sleep(grace);
        if let Either::Left(_) = select(pin!(self.0.done()), late).await {
            return 0;
        }
        let aborted = self.0.each_client(Connection::abort);
        self.0.done().await;
        aborted
    }

    fn pop(&self) -> Option<(Reader, Writer)> {
        let connection = self.0.pop()?;
        Some((Reader::new(connection.clone()), Writer::new(connection)))
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Creates a server on bound sockets. Only in async calls.
pub(crate) fn serve(
    engine: &Engine,
    listeners: Vec<Listening>,
    options: &ServerOptions,
) -> Result<Server, Error> {
    for listener in &listeners {
        listener.keep_alive(&options.keep_alive)?;
    }
    let rules = Rules {
        settings: options.settings,
        backlog: options.backlog,
        max_connections: options.max_connections,
        idle_timeout: options.idle_timeout,
        tls: options.tls.clone(),
    };
    let server = Inner::new(engine, listeners, rules)?;
    if options.start_serving {
        server.start_serving()?;
    }
    Ok(Server(server))
}

/// The options of a server that stay fixed.
struct Rules {
    settings: Settings,
    backlog: u32,
    /// The most connections at a time; `None`: only the quota bounds them.
    max_connections: Option<u32>,
    /// Nanoseconds without a byte after which a connection is aborted.
    idle_timeout: Option<u64>,
    /// The protector of the connections, if the server uses TLS.
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "only TLS protects"))]
    tls: Option<Rc<dyn Protector>>,
}

/// The state of a server, from binding its sockets until the last client has left.
struct Inner {
    engine: Engine,
    rules: Rules,
    state: RefCell<ServerState>,
    /// The number of connections that have streams left: those in the lobby, the clients, and those that linger.
    live: Cell<u32>,
    addresses: RefCell<Vec<SocketName>>,
    /// The sockets of the listeners, to close them while an accept holds those.
    sockets: RefCell<Vec<Rc<dyn BoundSocket>>>,
    /// `None` while an accept holds them, and after the close.
    listeners: RefCell<Option<Vec<Listening>>>,
    /// Accepted connections that were not taken yet.
    arrived: RefCell<VecDeque<Rc<Connection>>>,
    /// Connections in the lobby.
    deferred: RefCell<Slab<Rc<Deferred>>>,
    /// The connections in the lobby whose peer has sent nothing.
    silent: lobby::Queue,
    /// Connections that have not ended.
    clients: RefCell<Slab<Weak<Connection>>>,
    accepting: BusyFlag,
    cancel: CancelCount,
    changed: Notify,
    idle: IdleTimeout,
    _permit: HandlePermit,
    _keep: KeepRunning,
}

impl Inner {
    /// Creates a server on bound sockets that does not serve yet. Only in async calls.
    fn new(engine: &Engine, listeners: Vec<Listening>, rules: Rules) -> Result<Rc<Self>, Error> {
        let max_connections = match rules.max_connections {
            Some(n) => {
                engine.handles().make_room_for(n);
                usize::try_from(n).unwrap_or(usize::MAX)
            }
            None => usize::MAX,
        };
        let permit = engine.handles().listeners(listeners.len())?;
        let keep = KeepRunning::new(engine);
        Ok(Rc::new(Inner {
            engine: engine.clone(),
            idle: IdleTimeout::new(engine, rules.idle_timeout),
            rules,
            state: RefCell::new(ServerState::new(max_connections)?),
            live: Cell::new(0),
            addresses: RefCell::new(
                listeners
                    .iter()
                    .map(|listener| listener.name.clone())
                    .collect(),
            ),
            sockets: RefCell::new(listeners.iter().map(Listening::socket).collect()),
            listeners: RefCell::new(Some(listeners)),
            arrived: RefCell::default(),
            deferred: RefCell::default(),
            silent: lobby::Queue::default(),
            clients: RefCell::default(),
            accepting: BusyFlag::default(),
            cancel: CancelCount::default(),
            changed: Notify::default(),
            _permit: permit,
            _keep: keep,
        }))
    }

    /// Starts listening. A repeated call has no effect.
    fn start_serving(&self) -> Result<(), Error> {
        if self.is_closed() {
            return Err(Error::Closed);
        }
        // While an accept holds the listeners, they listen already.
        if let Some(listeners) = self.listeners.borrow_mut().as_mut() {
            for listener in listeners {
                listener.listen(self.rules.backlog)?;
            }
        }
        let started = self.state.borrow_mut().start_serving();
        self.changed.wake();
        started.map_err(|_| Error::Closed)
    }

    /// Closes the listening sockets, and aborts the connections that were not taken. Clients continue.
    fn close(&self) {
        self.state.borrow_mut().close();
        self.addresses.borrow_mut().clear();
        self.sockets.take().iter().for_each(|socket| socket.close());
        drop(self.listeners.take());
        let deferred: Vec<_> = self.deferred.borrow_mut().drain().collect();
        deferred.iter().for_each(|one| one.close());
        // They were never handed out, so nothing else can end them.
        for connection in self.arrived.take() {
            connection.abort();
        }
        self.changed.wake();
    }

    /// Waits until the server is closed and no client is left.
    async fn done(&self) {
        self.changed
            .until(|| self.state.borrow().is_done().then_some(()))
            .await;
    }

    /// Calls `act` with each client. Returns the number of clients.
    fn each_client(&self, act: impl Fn(&Connection)) -> u32 {
        let clients: Vec<_> = self
            .clients
            .borrow()
            .iter()
            .filter_map(|(_, client)| client.upgrade())
            .collect();
        clients.iter().for_each(|connection| act(connection));
        saturate(clients.len())
    }

    fn is_closed(&self) -> bool {
        self.state.borrow().is_closed()
    }
}

impl Owner for Inner {
    fn closed(&self, place: usize) {
        self.clients.borrow_mut().try_remove(place);
        self.state.borrow_mut().client_left();
        self.changed.wake();
    }

    fn freed(&self) {
        self.live.set(self.live.get().saturating_sub(1));
        self.changed.wake();
    }
}
