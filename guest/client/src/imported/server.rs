//! The server of a composed program: a resource of the component.

use std::cell::Cell;
use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6};

use crate::bindings::numbers::{self, Client, Event, Peer};
use crate::bindings::{streams, types};
use crate::{Address, Error};

use super::waits::{self, Interest};
use super::{Reader, ServerOptions, Writer};

#[derive(Debug)]
pub(crate) struct Server {
    raw: streams::Server,
    /// 0 until it is asked for.
    number: Cell<u64>,
    waiting: Interest,
}

pub(crate) async fn start_server(
    hosts: Vec<String>,
    port: u16,
    options: Option<&ServerOptions>,
) -> Result<Server, types::Error> {
    Ok(Server::new(
        streams::start_server(hosts, port, options).await?,
    ))
}

/// Returns the addresses of a server.
pub(crate) fn sockets_of(server: &Server) -> Vec<Address> {
    server.raw.sockets()
}

/// Waits until a server has a client.
pub(crate) async fn wait_connection(server: &Server) -> Result<(), Error> {
    let Server { waiting, .. } = server;
    waiting.wait(server.number(), Event::Connection).await
}

impl Server {
    pub(super) fn new(raw: streams::Server) -> Self {
        Server {
            raw,
            number: Cell::new(0),
            waiting: Interest::default(),
        }
    }

    pub(super) fn raw(&self) -> &streams::Server {
        &self.raw
    }

    pub(super) fn into_raw(self) -> streams::Server {
        self.raw
    }

    fn number(&self) -> u64 {
        if self.number.get() == 0 {
            self.number.set(numbers::server_number(&self.raw));
        }
        self.number.get()
    }

    pub(crate) fn try_accept(&self) -> Result<Option<(Reader, Writer)>, types::Error> {
        if self.waiting.is_pending() {
            return Err(types::Error::Busy);
        }
        Ok(numbers::try_accept(self.number())?.map(pair))
    }

    pub(crate) fn cancel(&self) {
        // The component does not know yet of a wait that began in this turn.
        self.waiting.cancel();
        self.raw.cancel();
    }

    pub(crate) fn is_serving(&self) -> bool {
        self.raw.is_serving()
    }

    pub(crate) fn start_serving(&self) -> Result<(), types::Error> {
        self.raw.start_serving()
    }

    pub(crate) fn close(&self) {
        self.raw.close();
    }

    pub(crate) fn close_clients(&self) {
        waits::end_round();
        self.raw.close_clients();
    }

    pub(crate) fn abort_clients(&self) {
        waits::end_round();
        self.raw.abort_clients();
    }

    pub(crate) async fn wait_closed(&self) {
        self.raw.wait_closed().await;
    }

    pub(crate) async fn shutdown(&self, grace_nanoseconds: u64) -> u32 {
        waits::end_round();
        self.raw.shutdown(grace_nanoseconds).await
    }
}

fn pair((reader, writer, client): (streams::Reader, streams::Writer, Client)) -> (Reader, Writer) {
    let peer = client.peer.map(address);
    (
        Reader::numbered(reader, client.reader),
        Writer::accepted(writer, client.writer, peer),
    )
}

fn address(peer: Peer) -> SocketAddr {
    let bits = u128::from(peer.high) << 64 | u128::from(peer.low);
    let ip = Ipv6Addr::from_bits(bits);
    match ip.to_ipv4_mapped() {
        Some(ip) => SocketAddr::from((ip, peer.port)),
        None => SocketAddrV6::new(ip, peer.port, peer.flow_info, peer.scope_id).into(),
    }
}
