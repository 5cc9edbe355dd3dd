//! The `server` resource: listening sockets, the connections that arrived, and the clients.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::pin::pin;
use std::rc::{Rc, Weak};

use asyncio_streams_core::{self as core, Backoff, ServerState};
use futures::future::{Either, select};

use crate::bindings::exports::asyncio::streams::types::{Address, Error};
use crate::bindings::wasi::sockets::types::TcpSocket;
use crate::connection::Connection;
use crate::driver::{self, Keep};
use crate::errors::saturate;
use crate::net::address;
use crate::net::listen::{self, Listener};
use crate::net::slots::{self, Held, Owner, Slot};
use crate::signal::{Cancel, Waiters};
use crate::streams;
use crate::transport::tcp::{self, Tcp};

use super::options::Serve;

/// Sockets in a row that gave no connection, after which other tasks get a turn.
const TURN: u32 = 16;

/// A server.
pub(crate) struct Server(Rc<Inner>);

pub(super) async fn start(
    hosts: Vec<String>,
    port: u16,
    options: Serve,
) -> Result<streams::Server, Error> {
    let round = options.cancel.begin();
    let listeners = {
        let binding = pin!(listen::bind_all(&hosts, port, options.family));
        match select(binding, pin!(round.cancelled())).await {
            Either::Left((listeners, _)) => listeners?,
            Either::Right((cancelled, _)) => return Err(cancelled),
        }
    };
    serve(listeners, options.clone())
}

/// A server on bound sockets. Only in async calls.
pub(super) fn serve(
    mut listeners: Vec<Listener>,
    options: Serve,
) -> Result<streams::Server, Error> {
    let max_connections = usize::try_from(options.max_connections).unwrap_or(usize::MAX);
    let mut state = ServerState::new(max_connections)?;
    for listener in &listeners {
        listener.keep_alive(&options.keep_alive)?;
    }
    if options.start_serving {
        for listener in &mut listeners {
            listener.listen(options.backlog)?;
        }
        // It cannot be closed yet.
        let _ = state.start_serving();
    }
    let inner = Inner {
        state: RefCell::new(state),
        live: Cell::new(0),
        addresses: RefCell::new(listeners.iter().map(|listener| listener.address).collect()),
        listeners: RefCell::new(Some(listeners)),
        arrived: RefCell::default(),
        clients: RefCell::default(),
        next_id: Cell::new(0),
        accepting: Cell::new(false),
        cancel: Cancel::default(),
        changed: Waiters::default(),
        options,
        _keep: Keep::new(),
    };
    Ok(streams::Server::new(Server(Rc::new(inner))))
}

struct Inner {
    state: RefCell<ServerState>,
    /// Connections whose streams are not gone yet: the clients, and those that linger.
    live: Cell<u32>,
    addresses: RefCell<Vec<std::net::SocketAddr>>,
    /// `None` while an accept waits on them, and after the close.
    listeners: RefCell<Option<Vec<Listener>>>,
    /// Connections that nobody has taken yet.
    arrived: RefCell<VecDeque<Rc<Connection>>>,
    /// Connections that have not ended.
    clients: RefCell<BTreeMap<u64, Weak<Connection>>>,
    next_id: Cell<u64>,
    accepting: Cell<bool>,
    cancel: Cancel,
    changed: Waiters,
    options: Serve,
    _keep: Keep,
}

/// What a socket from a listener turned out to be.
enum Arrival {
    Connection,
    /// The peer was gone before it could be had.
    Gone,
    /// The system could not accept, for lack of descriptors or memory.
    Failed,
}

impl Inner {
    /// Waits until a connection has arrived.
    async fn arrival(self: &Rc<Self>) -> Result<(), Error> {
        if self.accepting.replace(true) {
            return Err(Error::Busy);
        }
        let _accepting = Accepting(&self.accepting);
        let round = self.cancel.begin();
        let interrupted = self.changed.until(|| {
            round
                .check()
                .err()
                .or_else(|| self.state.borrow().is_closed().then_some(Error::Closed))
        });
        match select(pin!(interrupted), pin!(self.take_connection())).await {
            Either::Left((error, _)) => Err(error),
            Either::Right(((), _)) => Ok(()),
        }
    }

    async fn take_connection(self: &Rc<Self>) {
        let mut backoff = Backoff::new(core::ACCEPT_BACKOFF_FIRST, core::ACCEPT_BACKOFF_LONGEST);
        let mut fruitless: u32 = 0;
        loop {
            if !self.arrived.borrow().is_empty() {
                return;
            }
            self.changed.until(|| self.may_accept().then_some(())).await;
            slots::free().await;
            let last = Cell::new(Arrival::Gone);
            {
                let Some(mut lent) = Lent::borrow(self) else {
                    return;
                };
                listen::next_connection(&mut lent.listeners, &|socket| {
                    last.set(self.arrive(socket))
                })
                .await;
            }
            match last.into_inner() {
                Arrival::Connection => {}
                Arrival::Failed => driver::sleep(backoff.pause()).await,
                Arrival::Gone => {
                    fruitless = fruitless.wrapping_add(1);
                    if fruitless.is_multiple_of(TURN) {
                        driver::yield_now().await;
                    }
                }
            }
        }
    }

    fn may_accept(&self) -> bool {
        self.state.borrow().may_accept() && self.live.get() < self.options.max_connections
    }

    /// Makes a connection of a socket.
    fn arrive(self: &Rc<Self>, socket: TcpSocket) -> Arrival {
        // An accept that failed comes as a socket that is closed already, without even a name of its own.
        let Ok(local) = tcp::local_address(&socket) else {
            return Arrival::Failed;
        };
        let Ok(remote) = tcp::remote_address(&socket) else {
            return Arrival::Gone;
        };
        let tcp = Tcp::named(socket, local, remote);
        let Ok(slot) = Slot::take() else {
            return Arrival::Gone;
        };
        let id = self.next_id.get();
        self.next_id.set(id.wrapping_add(1));
        self.state.borrow_mut().client_joined();
        self.live.set(self.live.get().saturating_add(1));
        let held = Held::accepted(slot, self.clone(), id);
        let Ok(connection) = Connection::tcp(tcp, self.options.settings, held) else {
            return Arrival::Gone;
        };
        self.clients
            .borrow_mut()
            .insert(id, Rc::downgrade(&connection));
        self.arrived.borrow_mut().push_back(connection);
        Arrival::Connection
    }

    fn pop(&self) -> Option<(streams::Reader, streams::Writer)> {
        let connection = self.arrived.borrow_mut().pop_front();
        connection.map(super::pair)
    }

    fn close(&self) {
        self.state.borrow_mut().close();
        self.addresses.borrow_mut().clear();
        drop(self.listeners.take());
        // They were never handed out, so nobody else can end them.
        for connection in self.arrived.take() {
            connection.abort();
        }
        self.changed.wake();
    }

    fn each_client(&self, act: impl Fn(&Connection)) -> u32 {
        let clients: Vec<_> = self
            .clients
            .borrow()
            .values()
            .filter_map(Weak::upgrade)
            .collect();
        clients.iter().for_each(|connection| act(connection));
        saturate(clients.len())
    }

    async fn done(&self) {
        self.changed
            .until(|| self.state.borrow().is_done().then_some(()))
            .await;
    }
}

impl Owner for Inner {
    fn left(&self, id: u64) {
        self.clients.borrow_mut().remove(&id);
        self.state.borrow_mut().client_left();
        self.changed.wake();
    }

    fn released(&self) {
        self.live.set(self.live.get().saturating_sub(1));
        self.changed.wake();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl streams::GuestServer for Server {
    async fn accept(&self) -> Result<(streams::Reader, streams::Writer), Error> {
        loop {
            self.0.arrival().await?;
            if let Some(pair) = self.0.pop() {
                return Ok(pair);
            }
        }
    }

    async fn wait_connection(&self) -> Result<(), Error> {
        self.0.arrival().await
    }

    fn try_accept(&self) -> Result<Option<(streams::Reader, streams::Writer)>, Error> {
        if self.0.state.borrow().is_closed() {
            return Err(Error::Closed);
        }
        if self.0.accepting.get() {
            return Err(Error::Busy);
        }
        Ok(self.0.pop())
    }

    fn cancel(&self) {
        self.0.cancel.cancel();
        self.0.changed.wake();
    }

    fn sockets(&self) -> Vec<Address> {
        self.0
            .addresses
            .borrow()
            .iter()
            .copied()
            .map(address::to_interface)
            .collect()
    }

    fn is_serving(&self) -> bool {
        self.0.state.borrow().is_serving()
    }

    fn start_serving(&self) -> Result<(), Error> {
        if self.0.state.borrow().is_closed() {
            return Err(Error::Closed);
        }
        if let Some(listeners) = self.0.listeners.borrow_mut().as_mut() {
            for listener in listeners {
                listener.listen(self.0.options.backlog)?;
            }
        }
        let started = self.0.state.borrow_mut().start_serving();
        self.0.changed.wake();
        started.map_err(|_| Error::Closed)
    }

    fn close(&self) {
        self.0.close();
    }

    fn close_clients(&self) {
        self.0.each_client(Connection::close);
    }

    fn abort_clients(&self) {
        self.0.each_client(Connection::abort);
    }

    async fn wait_closed(&self) {
        self.0.done().await;
    }

    async fn shutdown(&self, grace_nanoseconds: u64) -> u32 {
        self.0.close();
        let in_time =
            match select(pin!(self.0.done()), pin!(driver::sleep(grace_nanoseconds))).await {
                Either::Left(_) => true,
                Either::Right(_) => false,
            };
        if in_time {
            return 0;
        }
        let aborted = self.0.each_client(Connection::abort);
        self.0.done().await;
        aborted
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
    inner: &'a Inner,
    listeners: Vec<Listener>,
}

impl<'a> Lent<'a> {
    fn borrow(inner: &'a Inner) -> Option<Self> {
        let listeners = inner.listeners.take()?;
        Some(Lent { inner, listeners })
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if !self.inner.state.borrow().is_closed() {
            *self.inner.listeners.borrow_mut() = Some(std::mem::take(&mut self.listeners));
        }
    }
}
