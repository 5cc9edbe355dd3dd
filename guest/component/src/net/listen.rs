//! Listening on one or several addresses.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use asyncio_streams_task::Source;
use futures::stream::{FuturesUnordered, StreamExt};

use crate::bindings::exports::asyncio::streams::types::{AddressFamily, Error, NetworkCode};
use crate::bindings::wasi::sockets::types::TcpSocket;
use crate::errors;

use super::socket::KeepAlive;
use super::{address, resolve, socket};

/// How often one free port is looked for that every address can have.
const PORT_TRIES: u32 = 16;

/// A bound socket, listening or about to.
pub(crate) struct Listener {
    socket: TcpSocket,
    pub(crate) address: SocketAddr,
    connections: Option<Source<TcpSocket>>,
}

impl Listener {
    /// A socket that the caller has bound.
    pub(crate) fn from_bound(socket: TcpSocket) -> Result<Self, Error> {
        let bound = socket
            .get_local_address()
            .map_err(|code| errors::network(code, "listening socket"))?;
        Ok(Listener {
            socket,
            address: address::to_std(bound),
            connections: None,
        })
    }

    fn bind(address: SocketAddr) -> Result<Self, Error> {
        let socket = socket::create(&address)?;
        socket::bind(&socket, address)?;
        Self::from_bound(socket)
    }

    /// Sets keep-alive for the connections to come: they inherit it.
    pub(crate) fn keep_alive(&self, keep_alive: &KeepAlive) -> Result<(), Error> {
        Ok(keep_alive.apply(&self.socket)?)
    }

    /// Starts listening. Once is enough; again does nothing.
    pub(crate) fn listen(&mut self, backlog: u32) -> Result<(), Error> {
        if self.connections.is_some() {
            return Ok(());
        }
        let what = format!("listen on {}", self.address);
        self.socket
            .set_listen_backlog_size(backlog.into())
            .map_err(|code| errors::network(code, &what))?;
        let connections = self
            .socket
            .listen()
            .map_err(|code| errors::network(code, &what))?;
        self.connections = Some(Source::new(connections));
        Ok(())
    }
}

/// Binds every address of every host, each once. No host, or an empty one, means all interfaces of both families.
///
/// Port 0 is one free port for all of them where that can be had, else a free one for each.
///
/// # Errors
///
/// Those of [`resolve::resolve`]; the first bind that fails for another reason than that this machine has no such
/// address or family; and that reason, when no address is left.
pub(crate) async fn bind_all(
    hosts: &[String],
    port: u16,
    family: AddressFamily,
) -> Result<Vec<Listener>, Error> {
    let addresses = addresses(hosts, port, family).await?;
    if port == 0 && addresses.len() > 1 {
        for _ in 0..PORT_TRIES {
            match bind_same_port(&addresses) {
                Err(Error::Network(error)) if error.code == NetworkCode::AddressInUse => {}
                result => return result,
            }
        }
    }
    let mut found = Bindings::default();
    for address in addresses {
        found.add(Listener::bind(address))?;
    }
    found.finish()
}

/// Waits for a connection on any of `listeners`.
///
/// A listener whose connection was not taken, since another's came first or the call was dropped, keeps it for the next call.
pub(crate) async fn next_connection(listeners: &mut [Listener]) -> Option<TcpSocket> {
    let ready = match listeners.len() {
        1 => 0,
        _ => any_ready(listeners).await,
    };
    let connections = listeners.get_mut(ready)?.connections.as_mut()?;
    match connections.read(room_for_one).await {
        Some(mut sockets) => sockets.pop(),
        None => ended().await,
    }
}

fn room_for_one() -> (Vec<TcpSocket>, ()) {
    (Vec::with_capacity(1), ())
}

/// Waits until one of `listeners` has a connection, and returns its place.
async fn any_ready(listeners: &mut [Listener]) -> usize {
    let waits = listeners
        .iter_mut()
        .enumerate()
        .filter_map(|(index, listener)| {
            let connections = listener.connections.as_mut()?;
            Some(async move {
                if !connections.ready(room_for_one).await {
                    ended::<()>().await;
                }
                index
            })
        });
    let mut waits: FuturesUnordered<_> = waits.collect();
    match waits.next().await {
        Some(index) => index,
        None => std::future::pending().await,
    }
}

/// What follows the end of a listener's stream, which has none while its socket is there: nothing.
async fn ended<T>() -> T {
    std::future::pending().await
}

async fn addresses(
    hosts: &[String],
    port: u16,
    family: AddressFamily,
) -> Result<Vec<SocketAddr>, Error> {
    let everywhere = [String::new()];
    let hosts = if hosts.is_empty() { &everywhere } else { hosts };
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for host in hosts {
        let found = if host.is_empty() {
            let mut any: Vec<SocketAddr> = vec![
                (Ipv4Addr::UNSPECIFIED, port).into(),
                (Ipv6Addr::UNSPECIFIED, port).into(),
            ];
            any.retain(|address| address::is_of(address, family));
            any
        } else {
            resolve::resolve(host, port, family).await?
        };
        for address in found {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
    }
    Ok(addresses)
}

fn bind_same_port(addresses: &[SocketAddr]) -> Result<Vec<Listener>, Error> {
    let mut found = Bindings::default();
    for address in addresses {
        let mut address = *address;
        if let Some(first) = found.listeners.first() {
            address.set_port(first.address.port());
        }
        found.add(Listener::bind(address))?;
    }
    found.finish()
}

/// The sockets that could be bound, and why the last one could not that may be missing.
#[derive(Default)]
struct Bindings {
    listeners: Vec<Listener>,
    missing: Option<Error>,
}

impl Bindings {
    fn add(&mut self, bound: Result<Listener, Error>) -> Result<(), Error> {
        match bound {
            Ok(listener) => self.listeners.push(listener),
            // This machine has no such address, or no such family.
            Err(Error::Network(error)) if error.code == NetworkCode::AddressNotAvailable => {
                self.missing = Some(Error::Network(error));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn finish(self) -> Result<Vec<Listener>, Error> {
        match self.missing {
            Some(error) if self.listeners.is_empty() => Err(error),
            _ => Ok(self.listeners),
        }
    }
}
