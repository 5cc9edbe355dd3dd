//! Splits connected sockets into their streams.

use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;

use futures::future::{Either, select};

use crate::engine::Engine;
use crate::errors;
use crate::idle::Activity;
use crate::platform::{Sink, TcpSocket};
use crate::protection::{Failed, Protector, Session, Unprotected};
use crate::types::Error;

use super::Incoming;

/// The two directions of a connection, and the addresses of its ends.
pub(crate) struct Transport {
    pub(crate) incoming: Incoming,
    pub(crate) outgoing: Box<dyn Sink>,
    pub(crate) session: Option<Rc<dyn Session>>,
    pub(crate) peername: Option<SocketAddr>,
    pub(crate) sockname: Option<SocketAddr>,
    pub(crate) activity: Activity,
}

impl Transport {
    /// Splits a connected socket whose peer is known.
    ///
    /// # Errors
    ///
    /// The system's error if the socket is not connected.
    pub(crate) fn connected(
        engine: &Engine,
        socket: Box<dyn TcpSocket>,
        remote: SocketAddr,
    ) -> Result<Self, Error> {
        let local = local_address(&*socket)?;
        Ok(Accepted::new(engine, socket, local, remote).into_transport())
    }

    /// Splits a connected socket of unknown origin.
    ///
    /// # Errors
    ///
    /// The system's error if the socket is not connected any more, or never was.
    pub(crate) fn unknown(engine: &Engine, socket: Box<dyn TcpSocket>) -> Result<Self, Error> {
        let local = local_address(&*socket)?;
        let remote = remote_address(&*socket)?;
        Ok(Accepted::new(engine, socket, local, remote).into_transport())
    }

    /// Creates a transport from two streams without a socket.
    pub(crate) fn streams(incoming: Incoming, outgoing: Box<dyn Sink>) -> Self {
        Transport {
            incoming,
            outgoing,
            session: None,
            peername: None,
            sockname: None,
            activity: Activity::default(),
        }
    }

    /// Protects the connection, if there is a protector. The caller keeps the background running meanwhile.
    ///
    /// # Errors
    ///
    /// Those of [`Protector::protect`], and `deadline-exceeded` when the handshake takes too long.
    pub(crate) async fn protect(
        self,
        engine: &Engine,
        protector: Option<Rc<dyn Protector>>,
    ) -> Result<Self, Failed> {
        let Some(protector) = protector else {
            return Ok(self);
        };
        let late = engine.sleep(protector.handshake_timeout());
        let protecting = protector.protect(Unprotected {
            engine: engine.clone(),
            incoming: self.incoming,
            outgoing: self.outgoing,
            early: Vec::new(),
            activity: self.activity.clone(),
        });
        let protected = match select(pin!(protecting), pin!(late)).await {
            Either::Left((protected, _)) => protected?,
            Either::Right(((), _)) => return Err(Error::DeadlineExceeded.into()),
        };
        Ok(Transport {
            incoming: protected.incoming,
            outgoing: protected.outgoing,
            session: Some(protected.session),
            peername: self.peername,
            sockname: self.sockname,
            activity: self.activity,
        })
    }
}

/// An accepted connection not yet handed to the application. Its input can be awaited; nothing else is possible yet.
pub(crate) struct Accepted {
    socket: Box<dyn TcpSocket>,
    pub(crate) incoming: Incoming,
    local: SocketAddr,
    remote: SocketAddr,
    pub(crate) activity: Activity,
}

impl Accepted {
    pub(crate) fn new(
        engine: &Engine,
        socket: Box<dyn TcpSocket>,
        local: SocketAddr,
        remote: SocketAddr,
    ) -> Self {
        Accepted {
            incoming: Incoming::new(socket.receive(), engine.buffers()),
            socket,
            local,
            remote,
            activity: Activity::default(),
        }
    }

    /// Splits the socket into streams. Its handle is freed: a store has a limited number.
    pub(crate) fn into_transport(self) -> Transport {
        Transport {
            incoming: self.incoming,
            outgoing: self.socket.send(),
            session: None,
            peername: Some(self.remote),
            sockname: Some(self.local),
            activity: self.activity,
        }
    }
}

/// Returns the socket's own address. A socket that stands for a failed accept has none.
pub(crate) fn local_address(socket: &dyn TcpSocket) -> Result<SocketAddr, Error> {
    socket
        .local_address()
        .map_err(|code| errors::network(code, "name this end of the connection").into())
}

/// Returns the peer's address. It fails if the peer has already reset the connection.
pub(crate) fn remote_address(socket: &dyn TcpSocket) -> Result<SocketAddr, Error> {
    socket
        .remote_address()
        .map_err(|code| errors::network(code, "name the other end of the connection").into())
}
