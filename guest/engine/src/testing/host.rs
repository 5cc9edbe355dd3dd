//! A machine in the network: its addresses, and the platform of an engine that runs there.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;

use crate::errors::{LookupError, SocketError};
use crate::platform::{BoxFuture, Clock, Executor, Net, TcpSocket};

use super::background::Background;
use super::call::Call;
use super::clock::Sleep;
use super::ports::Ports;
use super::socket::Socket;
use super::world::{Name, World};

/// A machine in a [`Network`](super::Network), and a platform. A clone is the same machine.
///
/// Each host stands for one component instance: it has its own background.
#[derive(Clone)]
pub struct Host {
    pub(super) world: Rc<World>,
    pub(super) machine: Rc<Machine>,
}

/// The parts of a host that its clones share.
pub(super) struct Machine {
    /// Its addresses beside loopback and unspecified ones.
    pub(super) addresses: Vec<IpAddr>,
    pub(super) background: Background,
    pub(super) ports: Ports,
}

impl Host {
    pub(super) fn new(world: &Rc<World>, addresses: Vec<IpAddr>) -> Self {
        let machine = Rc::new(Machine {
            addresses,
            background: Background::default(),
            ports: Ports::default(),
        });
        world.machines.borrow_mut().push(Rc::downgrade(&machine));
        Host {
            world: world.clone(),
            machine,
        }
    }

    pub(super) fn is(&self, other: &Host) -> bool {
        Rc::ptr_eq(&self.machine, &other.machine)
    }

    /// Waits for `nanoseconds` of the fake clock.
    pub fn sleep(&self, nanoseconds: u64) -> impl Future<Output = ()> + 'static {
        let moment = self.world.timers.now().saturating_add(nanoseconds);
        Sleep::until(&self.world, moment)
    }

    /// Returns whether the host has an address of this family.
    pub(super) fn has_family(&self, ipv4: bool) -> bool {
        self.machine.addresses.iter().any(|ip| ip.is_ipv4() == ipv4)
    }

    /// Returns whether a socket can be bound to `ip` here.
    pub(super) fn has_address(&self, ip: IpAddr) -> bool {
        ip.is_loopback() || ip.is_unspecified() || self.machine.addresses.contains(&ip)
    }

    /// Returns the address from which the host reaches `remote`.
    pub(super) fn address_towards(&self, remote: IpAddr) -> Option<IpAddr> {
        if remote.is_loopback() {
            return Some(match remote {
                IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        let mut addresses = self.machine.addresses.iter();
        addresses
            .find(|ip| ip.is_ipv4() == remote.is_ipv4())
            .copied()
    }
}

impl Net for Host {
    fn resolve(&self, name: String) -> BoxFuture<'static, Result<Vec<IpAddr>, LookupError>> {
        let world = self.world.clone();
        let known = world.names.borrow().get(&name).cloned();
        let known = known.unwrap_or(Name {
            answer: Err(LookupError::NameUnresolvable),
            delay: Some(0),
        });
        let due = known
            .delay
            .map(|delay| world.timers.now().saturating_add(delay));
        if let Some(due) = due {
            world.timers.look(due);
        }
        let check = move || {
            due.is_some_and(|due| world.timers.now() >= due)
                .then(|| known.answer.clone())
        };
        Box::pin(Call::new(self, check))
    }

    fn tcp_socket(&self, address: &SocketAddr) -> Result<Box<dyn TcpSocket>, SocketError> {
        if !self.has_family(address.is_ipv4()) {
            return Err(SocketError::NotSupported);
        }
        Ok(Box::new(Socket::fresh(self, address.is_ipv4())))
    }
}

impl Clock for Host {
    fn now(&self) -> u64 {
        self.world.timers.now()
    }

    fn sleep_until(&self, moment: u64) -> BoxFuture<'static, ()> {
        Box::pin(Sleep::until(&self.world, moment))
    }
}

impl Executor for Host {
    fn start(&self) {
        self.world.check_async("the background was started");
        self.start_background();
    }

    fn spawn(&self, future: BoxFuture<'static, ()>) {
        self.spawn_in_background(future);
    }

    fn as_background(&self, f: &mut dyn FnMut()) -> bool {
        self.run_as_background(f)
    }

    fn keep(&self) {
        self.world.check_async("the background was kept");
        self.keep_background();
    }

    fn release(&self) {
        self.release_background();
    }

    fn turn(&self) -> u64 {
        self.world.turn.get()
    }

    fn after_cancelled(&self, then: Box<dyn FnOnce()>) {
        self.run_after_cancelled(then);
    }
}
