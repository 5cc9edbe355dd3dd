//! Listens on one or several addresses.

use std::future::poll_fn;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::task::Poll;

use crate::engine::Engine;
use crate::errors;
use crate::options::set_keep_alive;
use crate::platform::{BoundSocket, Listener, SocketName, StreamSocket, TcpSocket};
use crate::types::{AddressFamily, Error, KeepAlive, NetworkCode};

use super::{address, resolve, socket};

/// The number of attempts to find a free port that all addresses can share.
const PORT_TRIES: u32 = 16;

/// A bound socket that listens or is about to.
pub(crate) struct Listening {
    pub(crate) name: SocketName,
    listener: Option<Box<dyn Listener>>,
    socket: Rc<dyn BoundSocket>,
}

impl Listening {
    /// Takes a socket that the caller has bound.
    ///
    /// # Errors
    ///
    /// The system's error if the socket is not bound.
    pub(crate) fn from_bound(socket: Box<dyn TcpSocket>) -> Result<Self, Error> {
        let name = socket
            .local_name()
            .map_err(|code| errors::network(code, "listening socket"))?;
        let socket: Box<dyn BoundSocket> = socket;
        Ok(Self::new(name, socket.into()))
    }

    /// Takes a bound socket with this name.
    pub(crate) fn new(name: SocketName, socket: Rc<dyn BoundSocket>) -> Self {
        Listening {
            name,
            listener: None,
            socket,
        }
    }

    /// Returns the socket, to close it while the listener is in use.
    pub(crate) fn socket(&self) -> Rc<dyn BoundSocket> {
        self.socket.clone()
    }

    fn bind(engine: &Engine, address: SocketAddr) -> Result<Self, Error> {
        let socket = socket::create(engine, &address)?;
        socket::bind(&*socket, address)?;
        Self::from_bound(socket)
    }

    /// Sets keep-alive for future connections, which inherit it.
    ///
    /// # Errors
    ///
    /// The system's error.
    pub(crate) fn keep_alive(&self, options: &KeepAlive) -> Result<(), Error> {
        Ok(set_keep_alive(&*self.socket, options)?)
    }

    /// Starts listening. A repeated call has no effect.
    ///
    /// # Errors
    ///
    /// The system's error.
    pub(crate) fn listen(&mut self, backlog: u32) -> Result<(), Error> {
        if self.listener.is_none() {
            let listening = self.socket.listen(backlog);
            let listener = listening
                .map_err(|code| errors::network(code, &format!("listen on {}", self.shown())))?;
            self.listener = Some(listener);
        }
        Ok(())
    }

    fn shown(&self) -> String {
        match &self.name {
            SocketName::Inet(address) => address.to_string(),
            SocketName::Unix(path) => errors::quoted(path),
        }
    }
}

/// Waits for a connection on any of `listeners`. A dropped call loses no connection.
pub(crate) async fn next_connection(listeners: &mut [Listening]) -> Box<dyn StreamSocket> {
    let waiting = Waiting(listeners);
    poll_fn(|cx| {
        for listening in waiting.0.iter_mut() {
            if let Some(listener) = &mut listening.listener
                && let Poll::Ready(socket) = listener.poll_accept(cx)
            {
                return Poll::Ready(socket);
            }
        }
        Poll::Pending
    })
    .await
}

struct Waiting<'a>(&'a mut [Listening]);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        for listening in self.0.iter_mut() {
            if let Some(listener) = &mut listening.listener {
                listener.leave();
            }
        }
        // Rotate, so that the next wait polls another listener first: no listener is starved.
        if !self.0.is_empty() {
            self.0.rotate_left(1);
        }
    }
}

/// Binds every address of every host, each once. No host, or an empty one, means all interfaces of both families.
///
/// Port 0 means one free port that all addresses share, if there is one, or else a free port for each.
///
/// # Errors
///
/// As for [`resolve::resolve`]; the first error of a bind. If this machine lacks an address or a family, the error is
/// returned only if no address is left.
pub(crate) async fn bind_all(
    engine: &Engine,
    hosts: &[String],
    port: u16,
    family: AddressFamily,
) -> Result<Vec<Listening>, Error> {
    let addresses = addresses(engine, hosts, port, family).await?;
    if port == 0 && addresses.len() > 1 {
        for _ in 0..PORT_TRIES {
            match bind_same_port(engine, &addresses) {
                Err(Error::Network(error)) if error.code == NetworkCode::AddressInUse => {}
                result => return result,
            }
        }
    }
    let mut found = Bindings::default();
    for address in addresses {
        found.add(Listening::bind(engine, address))?;
    }
    found.finish()
}

async fn addresses(
    engine: &Engine,
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
            resolve::resolve(engine, host, port, family).await?
        };
        for address in found {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
    }
    Ok(addresses)
}

fn bind_same_port(engine: &Engine, addresses: &[SocketAddr]) -> Result<Vec<Listening>, Error> {
    let mut found = Bindings::default();
    for address in addresses {
        let mut address = *address;
        if let Some(SocketName::Inet(first)) = found.listeners.first().map(|first| &first.name) {
            address.set_port(first.port());
        }
        found.add(Listening::bind(engine, address))?;
    }
    found.finish()
}

/// The sockets that were bound, and the last error of an address that this machine lacks.
#[derive(Default)]
struct Bindings {
    listeners: Vec<Listening>,
    missing: Option<Error>,
}

impl Bindings {
    fn add(&mut self, bound: Result<Listening, Error>) -> Result<(), Error> {
        match bound {
            Ok(listener) => self.listeners.push(listener),
            // This machine lacks the address or the family.
            Err(Error::Network(error)) if error.code == NetworkCode::AddressNotAvailable => {
                self.missing = Some(Error::Network(error));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn finish(self) -> Result<Vec<Listening>, Error> {
        match self.missing {
            Some(error) if self.listeners.is_empty() => Err(error),
            _ => Ok(self.listeners),
        }
    }
}
