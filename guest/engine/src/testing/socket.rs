//! Sockets: new, connecting, connected, listening, or dead.

use std::cell::{Cell, RefCell};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::errors::SocketError;
use crate::platform::{
    BoundSocket, BoxFuture, Listener, Sink, SocketName, Source, StreamSocket, TcpSocket,
};
use crate::types::KeepAlive;

use super::call::Call;
use super::contract::broken;
use super::counts::{Counted, Kind};
use super::faults::Route;
use super::host::Host;
use super::link::{Hold, Link};
use super::listener::{Listening, TcpListener};
use super::ports::Bound;
use super::sink::TcpSink;
use super::source::TcpSource;

/// A socket of a host.
pub(super) struct Socket {
    host: Host,
    ipv4: bool,
    bound: RefCell<Option<Bound>>,
    connection: Option<Hold>,
    received: Cell<bool>,
    dead: bool,
    _counted: Counted,
}

impl Socket {
    fn new(host: &Host, ipv4: bool) -> Self {
        Socket {
            host: host.clone(),
            ipv4,
            bound: RefCell::default(),
            connection: None,
            received: Cell::new(false),
            dead: false,
            _counted: host.world.counts.count(Kind::Socket),
        }
    }

    pub(super) fn fresh(host: &Host, ipv4: bool) -> Self {
        Self::new(host, ipv4)
    }

    pub(super) fn connected(host: &Host, connection: Hold, bound: Option<Bound>) -> Self {
        let address = connection.link.state.borrow().sides[connection.side].address;
        Socket {
            connection: Some(connection),
            bound: RefCell::new(bound),
            ..Self::new(host, address.is_ipv4())
        }
    }

    /// Creates the socket that a failed accept returns.
    pub(super) fn dead(host: &Host) -> Self {
        Socket {
            dead: true,
            ..Self::new(host, true)
        }
    }

    fn unspecified(&self) -> SocketAddr {
        let ip: IpAddr = if self.ipv4 {
            Ipv4Addr::UNSPECIFIED.into()
        } else {
            Ipv6Addr::UNSPECIFIED.into()
        };
        (ip, 0).into()
    }

    /// Returns a guard that keeps the connection open for one of its streams.
    fn stream_hold(&self) -> Hold {
        let Some(connection) = &self.connection else {
            broken("a stream was taken of a socket that is not connected");
            unreachable!("it panics");
        };
        connection.clone()
    }
}

impl StreamSocket for Socket {
    fn local_name(&self) -> Result<SocketName, SocketError> {
        self.local_address().map(SocketName::Inet)
    }

    fn remote_name(&self) -> Result<SocketName, SocketError> {
        self.remote_address().map(SocketName::Inet)
    }

    fn receive(&self) -> Box<dyn Source> {
        if self.received.replace(true) {
            broken("the incoming bytes of a socket were taken twice");
        }
        Box::new(TcpSource::new(&self.host, self.stream_hold()))
    }

    fn send(self: Box<Self>) -> Box<dyn Sink> {
        let hold = self.stream_hold();
        if let Some(bound) = self.bound.take() {
            hold.link.keep(hold.side, Box::new(bound));
        }
        Box::new(TcpSink::new(&self.host, hold))
    }
}

impl BoundSocket for Socket {
    fn set_keep_alive(&self, _: &KeepAlive) -> Result<(), SocketError> {
        Ok(())
    }

    fn listen(&self, backlog: u32) -> Result<Box<dyn Listener>, SocketError> {
        if self.connection.is_some() || self.dead {
            return Err(SocketError::InvalidState);
        }
        if self.bound.borrow().is_none() {
            self.bind(self.unspecified())?;
        }
        let bound = self
            .bound
            .borrow()
            .clone()
            .ok_or(SocketError::InvalidState)?;
        let listening = Listening::new(&self.host, bound, backlog);
        Ok(Box::new(TcpListener::new(listening)))
    }
}

impl TcpSocket for Socket {
    fn bind(&self, local: SocketAddr) -> Result<(), SocketError> {
        if self.bound.borrow().is_some() || self.connection.is_some() {
            return Err(SocketError::InvalidState);
        }
        if local.is_ipv4() != self.ipv4 {
            return Err(SocketError::InvalidArgument);
        }
        *self.bound.borrow_mut() = Some(self.host.bind(local)?);
        Ok(())
    }

    fn local_address(&self) -> Result<SocketAddr, SocketError> {
        if let Some(connection) = &self.connection {
            return Ok(connection.link.state.borrow().sides[connection.side].address);
        }
        let bound = self.bound.borrow();
        match &*bound {
            Some(bound) if !self.dead => Ok(bound.address()),
            _ => Err(SocketError::InvalidState),
        }
    }

    fn remote_address(&self) -> Result<SocketAddr, SocketError> {
        let connection = self.connection.as_ref().ok_or(SocketError::InvalidState)?;
        let state = connection.link.state.borrow();
        if state.sides[connection.side].reset {
            return Err(SocketError::InvalidState);
        }
        Ok(state.sides[1 - connection.side].address)
    }

    fn connect(
        self: Box<Self>,
        remote: SocketAddr,
    ) -> BoxFuture<'static, Result<Box<dyn TcpSocket>, SocketError>> {
        let host = self.host.clone();
        let bound = self.bound.borrow().clone();
        let mut attempt = Attempt::new(&host, bound, remote);
        let check = move || {
            // Keeps the socket open until the attempt has ended.
            let _socket = &self;
            let connected = attempt.look()?;
            Some(connected.map(|(hold, bound)| {
                Box::new(Socket::connected(&attempt.host, hold, Some(bound))) as Box<dyn TcpSocket>
            }))
        };
        Box::pin(Call::new(&host, check))
    }
}

/// An attempt to connect.
pub(super) struct Attempt {
    host: Host,
    bound: Option<Bound>,
    remote: SocketAddr,
    route: Option<Route>,
    due: u64,
}

impl Attempt {
    pub(super) fn new(host: &Host, bound: Option<Bound>, remote: SocketAddr) -> Self {
        let world = &host.world;
        let routes = world.routes.borrow();
        let route = routes
            .iter()
            .rev()
            .find(|(to, _)| *to == remote)
            .map(|(_, route)| route.clone());
        let delay = match &route {
            Some(Route::Fails(_, delay) | Route::Slow(delay)) => *delay,
            Some(Route::BlackHole) | None => 0,
        };
        let due = world.timers.now().saturating_add(delay);
        if delay > 0 {
            world.timers.look(due);
        }
        Attempt {
            host: host.clone(),
            bound,
            remote,
            route,
            due,
        }
    }

    /// Returns the result once the attempt has ended. While the backlog is full, it waits.
    pub(super) fn look(&mut self) -> Option<Result<(Hold, Bound), SocketError>> {
        let world = self.host.world.clone();
        if world.timers.now() < self.due {
            return None;
        }
        match &self.route {
            Some(Route::Fails(error, _)) => return Some(Err(error.clone())),
            Some(Route::BlackHole) => return None,
            Some(Route::Slow(_)) | None => {}
        }
        let Some(own) = self.host.address_towards(self.remote.ip()) else {
            return Some(Err(SocketError::RemoteUnreachable));
        };
        let Some(target) = world.host_of(&self.host, self.remote.ip()) else {
            return Some(Err(SocketError::RemoteUnreachable));
        };
        let listening = {
            let listeners = world.listeners.borrow();
            listeners
                .iter()
                .find(|known| known.serves(&target, self.remote))
                .cloned()
        };
        let Some(listening) = listening else {
            return Some(Err(SocketError::ConnectionRefused));
        };
        if !listening.has_room() {
            return None;
        }
        let bound = match self.bound.take() {
            Some(bound) => Ok(bound),
            None => self.host.bind((own, 0).into()),
        };
        Some(bound.map(|bound| {
            let mut local = bound.address();
            if local.ip().is_unspecified() {
                local.set_ip(own);
            }
            let link = Link::new(&world, [local, self.remote]);
            let hold = link.hold(0);
            listening.arrive(link.hold(1));
            (hold, bound)
        }))
    }
}
