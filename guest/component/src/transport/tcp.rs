//! TCP as a transport: a connected `tcp-socket` taken apart into its streams.

use std::net::SocketAddr;

use crate::bindings::exports::asyncio::streams::types::{Address, Error};
use crate::bindings::wasi::sockets::types::TcpSocket;
use crate::bindings::wit_stream;
use crate::errors;
use crate::net::address;

use super::{Incoming, Outgoing};

/// A connection's two directions, and the names of its ends.
pub(crate) struct Tcp {
    pub(crate) incoming: Incoming,
    pub(crate) outgoing: Outgoing,
    pub(crate) peername: Address,
    pub(crate) sockname: Address,
}

impl Tcp {
    /// Takes a connected socket apart. The streams keep the connection; the socket's handle is given up, since a
    /// store has room for only so many.
    ///
    /// `remote` is the peer where it is known: a peer that has reset the connection already has no name any more, and
    /// what it did is for the first read to tell.
    ///
    /// # Errors
    ///
    /// The system's, for a socket that is not connected (any more).
    pub(crate) fn new(socket: TcpSocket, remote: Option<SocketAddr>) -> Result<Self, Error> {
        let peername = match remote {
            Some(remote) => remote,
            None => {
                let named = socket.get_remote_address();
                address::to_std(named.map_err(|code| errors::network(code, "connection"))?)
            }
        };
        let sockname = socket
            .get_local_address()
            .map_err(|code| errors::network(code, "connection"))?;
        let (received, receive_result) = socket.receive();
        let (to_send, taken) = wit_stream::new::<u8>();
        let send_result = socket.send(taken);
        Ok(Tcp {
            incoming: Incoming::with_result(received, receive_result),
            outgoing: Outgoing::with_result(to_send, send_result),
            peername: address::to_interface(peername),
            sockname: address::to_interface(address::to_std(sockname)),
        })
    }
}
