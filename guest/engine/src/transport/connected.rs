//! Splits connected sockets into their streams.

use std::rc::Rc;

use crate::engine::Engine;
use crate::errors;
use crate::idle::Activity;
use crate::platform::{Sink, SocketName, StreamSocket};
use crate::types::{Credentials, Error};

use super::{Incoming, Session};

/// The names of a connection's ends, and the process at the other one.
#[derive(Default)]
pub(crate) struct Names {
    pub(crate) peer: Option<SocketName>,
    pub(crate) own: Option<SocketName>,
    pub(crate) credentials: Option<Credentials>,
}

/// The two directions of a connection, and the names of its ends.
pub(crate) struct Transport {
    pub(crate) incoming: Incoming,
    pub(crate) outgoing: Box<dyn Sink>,
    pub(crate) session: Option<Rc<dyn Session>>,
    pub(crate) names: Names,
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
        socket: Box<dyn StreamSocket>,
        remote: SocketName,
    ) -> Result<Self, Error> {
        let local = local_name(&*socket)?;
        Ok(Accepted::new(engine, socket, local, remote).into_transport())
    }

    /// Splits a connected socket of unknown origin.
    ///
    /// # Errors
    ///
    /// The system's error if the socket is not connected any more, or never was.
    pub(crate) fn unknown(engine: &Engine, socket: Box<dyn StreamSocket>) -> Result<Self, Error> {
        let local = local_name(&*socket)?;
        let remote = remote_name(&*socket)?;
        Ok(Accepted::new(engine, socket, local, remote).into_transport())
    }

    /// Creates a transport from two streams without a socket.
    pub(crate) fn streams(incoming: Incoming, outgoing: Box<dyn Sink>) -> Self {
        Transport {
            incoming,
            outgoing,
            session: None,
            names: Names::default(),
            activity: Activity::default(),
        }
    }
}

/// An accepted connection not yet handed to the application. Its input can be awaited; nothing else is possible yet.
pub(crate) struct Accepted {
    socket: Box<dyn StreamSocket>,
    pub(crate) incoming: Incoming,
    local: SocketName,
    remote: SocketName,
    pub(crate) activity: Activity,
}

impl Accepted {
    pub(crate) fn new(
        engine: &Engine,
        socket: Box<dyn StreamSocket>,
        local: SocketName,
        remote: SocketName,
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
        let credentials = self.socket.peer_credentials();
        Transport {
            incoming: self.incoming,
            outgoing: self.socket.send(),
            session: None,
            names: Names {
                peer: Some(self.remote),
                own: Some(self.local),
                credentials,
            },
            activity: self.activity,
        }
    }
}

/// Returns the name of the socket's own end. A socket that stands for a failed accept has none.
pub(crate) fn local_name(socket: &dyn StreamSocket) -> Result<SocketName, Error> {
    socket
        .local_name()
        .map_err(|code| errors::network(code, "name this end of the connection").into())
}

/// Returns the name of the peer's end. It fails if the peer has already reset the connection.
pub(crate) fn remote_name(socket: &dyn StreamSocket) -> Result<SocketName, Error> {
    socket
        .remote_name()
        .map_err(|code| errors::network(code, "name the other end of the connection").into())
}
