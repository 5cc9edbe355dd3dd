//! The ports of a host that are in use.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;

use crate::errors::SocketError;

use super::counts::{Counted, Kind};
use super::host::Host;

/// The first port that the system assigns by itself.
const FIRST: u16 = 49152;

pub(super) struct Ports {
    bound: RefCell<Vec<SocketAddr>>,
    next: Cell<u16>,
}

impl Default for Ports {
    fn default() -> Self {
        Ports {
            bound: RefCell::default(),
            next: Cell::new(FIRST),
        }
    }
}

/// An address that a socket is bound to, until the last clone is dropped.
#[derive(Clone)]
pub(super) struct Bound(Rc<Binding>);

struct Binding {
    host: Host,
    address: SocketAddr,
    _counted: Counted,
}

impl Bound {
    pub(super) fn address(&self) -> SocketAddr {
        self.0.address
    }
}

impl Drop for Binding {
    fn drop(&mut self) {
        let mut bound = self.host.machine.ports.bound.borrow_mut();
        if let Some(place) = bound.iter().position(|known| *known == self.address) {
            bound.swap_remove(place);
        }
    }
}

impl Host {
    /// Binds an address; port 0 means a free one.
    pub(super) fn bind(&self, mut address: SocketAddr) -> Result<Bound, SocketError> {
        if !self.has_address(address.ip()) {
            return Err(SocketError::AddressNotBindable);
        }
        if address.port() == 0 {
            address.set_port(self.free_port(address)?);
        } else if self.is_taken(address) {
            return Err(SocketError::AddressInUse);
        }
        self.machine.ports.bound.borrow_mut().push(address);
        Ok(Bound(Rc::new(Binding {
            host: self.clone(),
            address,
            _counted: self.world.counts.count(Kind::Port),
        })))
    }

    fn free_port(&self, mut address: SocketAddr) -> Result<u16, SocketError> {
        for _ in FIRST..=u16::MAX {
            let port = self.machine.ports.next.get();
            self.machine
                .ports
                .next
                .set(port.checked_add(1).unwrap_or(FIRST));
            address.set_port(port);
            if !self.is_taken(address) {
                return Ok(port);
            }
        }
        Err(SocketError::AddressInUse)
    }

    fn is_taken(&self, address: SocketAddr) -> bool {
        self.machine.ports.bound.borrow().iter().any(|known| {
            let same = known.ip() == address.ip()
                || (known.is_ipv4() == address.is_ipv4()
                    && (known.ip().is_unspecified() || address.ip().is_unspecified()));
            known.port() == address.port() && same
        })
    }
}
