//! TCP as a transport: a connected `tcp-socket` taken apart into its streams.

use std::net::SocketAddr;
use std::pin::pin;

use futures::future::{Either, select};

use crate::activity::Activity;
use crate::bindings::exports::asyncio::streams::types::{Address, Error};
use crate::bindings::wasi::sockets::types::TcpSocket;
use crate::bindings::wit_stream;
use crate::driver;
use crate::errors;
use crate::net::address;

use super::tls::{self, Role};
use super::{Incoming, Outgoing, plain};

/// A connection's two directions, and the names of its ends.
pub(crate) struct Tcp {
    pub(crate) incoming: Incoming,
    pub(crate) outgoing: Outgoing,
    /// What protects it, if something does.
    pub(crate) session: Option<tls::Session>,
    pub(crate) peername: Address,
    pub(crate) sockname: Address,
    pub(crate) activity: Activity,
}

impl Tcp {
    /// Takes apart a connected socket whose peer is known.
    ///
    /// # Errors
    ///
    /// The system's, for a socket that is not connected.
    pub(crate) fn connected(socket: TcpSocket, remote: SocketAddr) -> Result<Self, Error> {
        let local = local_address(&socket)?;
        Ok(Arrived::new(socket, local, remote).into_tcp())
    }

    /// Takes apart a connected socket of unknown origin.
    ///
    /// # Errors
    ///
    /// The system's, for a socket that is not connected, or not any more.
    pub(crate) fn unknown(socket: TcpSocket) -> Result<Self, Error> {
        let local = local_address(&socket)?;
        let remote = remote_address(&socket)?;
        Ok(Arrived::new(socket, local, remote).into_tcp())
    }

    /// Protects the connection, if it is to be. The driver must be kept meanwhile.
    ///
    /// # Errors
    ///
    /// Those of [`tls::protect`], and `deadline-exceeded` when it takes longer than it may.
    pub(crate) async fn protect(self, role: Option<Role>) -> Result<Self, tls::Failed> {
        let Some(role) = role else {
            return Ok(self);
        };
        let late = driver::sleep(role.handshake_timeout());
        let activity = self.activity.clone();
        let protecting = tls::protect(self.incoming, self.outgoing, Vec::new(), role, activity);
        let (incoming, outgoing, session) = match select(pin!(protecting), pin!(late)).await {
            Either::Left((protected, _)) => protected?,
            Either::Right(((), _)) => return Err(Error::DeadlineExceeded.into()),
        };
        Ok(Tcp {
            incoming,
            outgoing,
            session: Some(session),
            ..self
        })
    }
}

/// A connection that has arrived and was not given out yet: only its input can be waited for.
pub(crate) struct Arrived {
    socket: TcpSocket,
    pub(crate) incoming: Incoming,
    local: SocketAddr,
    remote: SocketAddr,
    pub(crate) activity: Activity,
}

impl Arrived {
    pub(crate) fn new(socket: TcpSocket, local: SocketAddr, remote: SocketAddr) -> Self {
        let (received, result) = socket.receive();
        Arrived {
            incoming: Incoming::Plain(plain::Incoming::with_result(received, result)),
            socket,
            local,
            remote,
            activity: Activity::default(),
        }
    }

    /// Takes the socket apart. The streams keep the connection; the socket's handle is given up, since a store has room
    /// for only so many.
    pub(crate) fn into_tcp(self) -> Tcp {
        let (to_send, taken) = wit_stream::new::<u8>();
        let result = self.socket.send(taken);
        Tcp {
            incoming: self.incoming,
            outgoing: Outgoing::Plain(plain::Outgoing::with_result(to_send, result)),
            session: None,
            peername: address::to_interface(self.remote),
            sockname: address::to_interface(self.local),
            activity: self.activity,
        }
    }
}

/// The socket's own address. One that an accept failed to make has none.
pub(crate) fn local_address(socket: &TcpSocket) -> Result<SocketAddr, Error> {
    socket
        .get_local_address()
        .map(address::to_std)
        .map_err(|code| errors::network(code, "name this end of the connection").into())
}

/// The peer's address. A peer that has reset the connection by now has none.
pub(crate) fn remote_address(socket: &TcpSocket) -> Result<SocketAddr, Error> {
    socket
        .get_remote_address()
        .map(address::to_std)
        .map_err(|code| errors::network(code, "name the other end of the connection").into())
}
