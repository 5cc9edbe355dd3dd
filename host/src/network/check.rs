//! The decisions behind [`Network`](super::Network), asked by WASI before each use of an address.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::sockets::SocketAddrUse;

use super::endpoint::Host;
use super::{Denied, Endpoint, Network};
#[cfg(unix)]
use super::{Named, PathError, UnixUse, unix};

/// The number of addresses that are remembered for one name. A name service with more returns them in turns.
const ADDRESSES_OF_A_NAME: usize = 1024;

/// The network of one program: its grants, and the results of its look-ups and binds.
pub(crate) struct Policy {
    network: Network,
    found: Mutex<HashMap<String, Vec<IpAddr>>>,
    /// The ports that the system chose when the program asked for port 0.
    free_ports: Mutex<HashSet<u16>>,
}

/// The reasons why a name is not looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotLookedUp {
    /// It was not granted.
    Denied,
    /// It can be neither a name nor an address.
    NoHost,
}

impl Policy {
    pub(crate) fn new(network: Network) -> Arc<Self> {
        Arc::new(Self {
            network,
            found: Mutex::default(),
            free_ports: Mutex::default(),
        })
    }

    /// Sets up WASI so that it asks this policy.
    pub(crate) fn apply(self: &Arc<Self>, wasi: &mut WasiCtxBuilder) {
        let Network { all, on_denied, .. } = &self.network;
        wasi.allow_tcp(self.allows_tcp());
        wasi.allow_udp(*all || on_denied.is_some());
        let policy = Arc::clone(self);
        wasi.socket_addr_check(move |address, wanted| {
            let granted = policy.check(address, wanted);
            Box::pin(std::future::ready(granted))
        });
    }

    /// Returns whether TCP sockets may be made. With a callback for denials they may, so that the check learns their
    /// purpose.
    pub(crate) fn allows_tcp(&self) -> bool {
        let Network {
            all,
            connect,
            listen,
            on_denied,
            ..
        } = &self.network;
        *all || !connect.is_empty() || !listen.is_empty() || on_denied.is_some()
    }

    /// Checks whether this name may be looked up.
    pub(super) fn check_lookup(&self, text: &str) -> Result<(), NotLookedUp> {
        if self.network.all || self.has_grant_for(&Host::Any) {
            return Ok(());
        }
        match Host::named(text) {
            None => Err(NotLookedUp::NoHost),
            Some(host @ Host::Name(_)) if self.has_grant_for(&host) => Ok(()),
            Some(Host::Name(name)) => {
                self.report(&Denied::Lookup(name));
                Err(NotLookedUp::Denied)
            }
            // An address needs no look-up.
            Some(_) => Ok(()),
        }
    }

    /// Stores the result of a granted look-up: these addresses may be used where the name may.
    pub(super) fn found(&self, text: &str, addresses: impl Iterator<Item = IpAddr>) {
        let Some(host) = Host::named(text) else {
            return;
        };
        if !self.has_grant_for(&host) {
            return;
        }
        if let Host::Name(name) = host {
            let mut found = lock(&self.found);
            let known = found.entry(name).or_default();
            for address in addresses {
                known.retain(|known| *known != address);
                known.push(address);
            }
            let excess = known.len().saturating_sub(ADDRESSES_OF_A_NAME);
            known.drain(..excess);
        }
    }

    /// Stores the result of a bind.
    pub(crate) fn bound(&self, asked: SocketAddr, given: SocketAddr) {
        if asked.port() == 0 {
            lock(&self.free_ports).insert(given.port());
        }
    }

    fn has_grant_for(&self, host: &Host) -> bool {
        let Network {
            connect, listen, ..
        } = &self.network;
        connect
            .iter()
            .chain(listen)
            .any(|granted| granted.host == *host)
    }

    pub(crate) fn check(&self, address: SocketAddr, wanted: SocketAddrUse) -> bool {
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        let Network {
            all,
            connect,
            listen,
            ..
        } = &self.network;
        let granted = match wanted {
            _ if *all => true,
            SocketAddrUse::TcpBind | SocketAddrUse::TcpListen => {
                // A local address and port that the system chooses are harmless: connecting uses such ones too.
                let of_the_system = address.ip().is_unspecified() && address.port() == 0;
                (of_the_system && matches!(wanted, SocketAddrUse::TcpBind))
                    || listen.iter().any(|on| self.may_listen(on, address))
            }
            SocketAddrUse::TcpConnect => connect
                .iter()
                .any(|to| to.has_port(address.port()) && self.has_address(to, address.ip())),
            // Listening was granted, or there would be no connection to accept.
            SocketAddrUse::TcpAccept => return !listen.is_empty(),
            SocketAddrUse::UdpBind | SocketAddrUse::UdpSend | SocketAddrUse::UdpReceive => false,
        };
        if !granted {
            self.report(&match wanted {
                SocketAddrUse::TcpConnect => Denied::Connect(address),
                SocketAddrUse::TcpBind | SocketAddrUse::TcpListen => {
                    Denied::Listen(self.as_asked_for(address))
                }
                _ => Denied::Udp(address),
            });
        }
        granted
    }

    /// Checks the path of a Unix socket, and returns it with its links resolved.
    #[cfg(unix)]
    pub(crate) fn check_unix(&self, named: &Named, wanted: UnixUse) -> Result<Named, PathError> {
        let granted = match wanted {
            UnixUse::Connect => &self.network.unix_connect,
            UnixUse::Listen => &self.network.unix_listen,
        };
        let checked = unix::check(named, granted, wanted);
        if checked == Err(PathError::Denied) {
            let resolved = named.resolve_for(wanted);
            let path = resolved.as_ref().unwrap_or(named).text();
            self.report(&match wanted {
                UnixUse::Connect => Denied::UnixConnect(path),
                UnixUse::Listen => Denied::UnixListen(path),
            });
        }
        checked
    }

    fn may_listen(&self, on: &Endpoint, address: SocketAddr) -> bool {
        let every_address = match on.host {
            Host::Address(IpAddr::V4(granted)) => {
                granted == Ipv4Addr::UNSPECIFIED && address.is_ipv4()
            }
            Host::Address(IpAddr::V6(granted)) => {
                granted == Ipv6Addr::UNSPECIFIED && address.is_ipv6()
            }
            _ => false,
        };
        let port = on.has_port(address.port())
            || (on.port == Some(0) && self.is_free_port(address.port()));
        port && (every_address || self.has_address(on, address.ip()))
    }

    /// Returns whether the system chose this port for the program.
    fn is_free_port(&self, port: u16) -> bool {
        lock(&self.free_ports).contains(&port)
    }

    /// Sets port 0 where the system chose the port, since it would choose another one next time.
    fn as_asked_for(&self, mut address: SocketAddr) -> SocketAddr {
        if self.is_free_port(address.port()) {
            address.set_port(0);
        }
        address
    }

    fn has_address(&self, endpoint: &Endpoint, address: IpAddr) -> bool {
        match &endpoint.host {
            Host::Any => true,
            Host::Address(granted) => *granted == address,
            Host::Name(name) => {
                let found = lock(&self.found);
                found
                    .get(name)
                    .is_some_and(|found| found.contains(&address))
            }
        }
    }

    fn report(&self, denied: &Denied) {
        if let Some(report) = &self.network.on_denied {
            report(denied);
        }
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
