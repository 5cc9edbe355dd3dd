//! The network of a test, and the executor of everything in it.

use std::fmt;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use crate::errors::LookupError;

use super::clock::Sleep;
use super::counts::Live;
use super::faults::{Faults, Route};
use super::host::Host;
use super::tasks::Task;
use super::world::{Name, World};

/// Nanoseconds of the fake clock for which [`Network::run`] waits at the most: one day.
const LONGEST: u64 = 86_400_000_000_000;

/// Turns at one moment of the clock after which something is held to go in circles.
const MOST_TURNS: u64 = 3_000_000;

/// Hosts, names, connections and tasks, all on this thread and in memory. A clone is the same network.
///
/// Time stands still while something can be done, and jumps to the next timer otherwise. Without a seed everything
/// happens as soon as it can, and in order; with one, tasks run in a random order, writes and reads are split, and
/// operations end a little later. The same seed gives the same run.
#[derive(Clone)]
pub struct Network {
    world: Rc<World>,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("live", &self.live())
            .finish_non_exhaustive()
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::new()
    }
}

impl Network {
    /// Creates a network where everything happens in order.
    pub fn new() -> Self {
        Network {
            world: World::new(None),
        }
    }

    /// Creates a network where the seed decides what happens first, and how much of it.
    pub fn with_seed(seed: u64) -> Self {
        Network {
            world: World::new(Some(seed)),
        }
    }

    /// Adds a host with these addresses. It also has the loopback addresses of their families.
    ///
    /// # Panics
    ///
    /// When one of them is not an address.
    pub fn host(&self, addresses: &[&str]) -> Host {
        let addresses = addresses.iter().map(|text| {
            let address: IpAddr = text
                .parse()
                .unwrap_or_else(|_| panic!("not an address: {text}"));
            address
        });
        Host::new(&self.world, addresses.collect())
    }

    /// Gives a name addresses, in the order in which the name service returns them.
    ///
    /// # Panics
    ///
    /// When one of them is not an address.
    pub fn name(&self, name: &str, addresses: &[&str]) {
        let addresses = addresses.iter().map(|text| {
            text.parse()
                .unwrap_or_else(|_| panic!("not an address: {text}"))
        });
        self.set_name(name, Ok(addresses.collect()), Some(0));
    }

    /// Sets what the name service answers, and after how many nanoseconds; `None`: never.
    pub fn set_name(
        &self,
        name: &str,
        answer: Result<Vec<IpAddr>, LookupError>,
        delay: Option<u64>,
    ) {
        self.world
            .names
            .borrow_mut()
            .insert(name.into(), Name { answer, delay });
    }

    /// Sets what happens to attempts to connect to an address from now on.
    pub fn set_route(&self, to: SocketAddr, route: Route) {
        self.world.routes.borrow_mut().push((to, route));
    }

    /// Sets the faults of connections that are made from now on: of what clients send, and of what they receive.
    pub fn set_faults(&self, from_client: Faults, to_client: Faults) {
        self.world.rules.borrow_mut().faults = [from_client, to_client];
    }

    /// Sets how many bytes a direction holds, for connections that are made from now on: in the sender's system, and in the
    /// receiver's. The default is 64 KiB each.
    pub fn set_windows(&self, send: usize, receive: usize) {
        let mut rules = self.world.rules.borrow_mut();
        (rules.send_window, rules.receive_window) = (send, receive);
    }

    /// Sets whether a reset also drops what has arrived and was not read, as some systems do. The default is no.
    pub fn set_reset_discards(&self, on: bool) {
        self.world.rules.borrow_mut().reset_discards = on;
    }

    /// Sets how many turns a cancelled operation takes to end. With a seed it is up to three times as many.
    pub fn set_cancel_turns(&self, turns: u64) {
        self.world.rules.borrow_mut().cancel_turns = turns;
    }

    /// Has the next `n` accepts of the listeners of an address fail.
    pub fn fail_accepts(&self, address: SocketAddr, n: u32) {
        let listeners = self.world.listeners.borrow().clone();
        for listener in listeners.iter().filter(|known| known.address() == address) {
            listener.fail_accepts(n);
        }
    }

    /// Starts a task beside the others.
    pub fn spawn<T: 'static>(&self, future: impl Future<Output = T> + 'static) -> Task<T> {
        Task::start(&self.world, future)
    }

    /// Runs everything until `future` has ended; returns its output. Other tasks stop there, to go on in the next call.
    ///
    /// # Panics
    ///
    /// When nothing can happen any more, when tasks go in circles without any time that passes, when a day has passed on the fake clock, or when the contract of the platform is
    /// broken.
    pub fn run<T: 'static>(&self, future: impl Future<Output = T> + 'static) -> T {
        let task = self.spawn(future);
        let begun = self.now();
        loop {
            if let Some(output) = task.output() {
                return output;
            }
            assert!(
                self.step(),
                "nothing can happen any more: {:?}",
                self.live()
            );
            assert!(
                self.now() - begun < LONGEST,
                "a day has passed: {:?}",
                self.live()
            );
        }
    }

    /// Runs everything until nothing happens any more; returns what is alive then.
    ///
    /// # Panics
    ///
    /// When something still happens after a day of the fake clock.
    pub fn settle(&self) -> Live {
        let begun = self.now();
        while self.step() {
            assert!(
                self.now() - begun < LONGEST,
                "it does not end: {:?}",
                self.live()
            );
        }
        self.live()
    }

    /// Runs everything until nothing happens any more, and checks that nothing is alive.
    ///
    /// # Panics
    ///
    /// When something is.
    #[track_caller]
    pub fn finish(&self) {
        let live = self.settle();
        assert_eq!(live, Live::default(), "something is left");
    }

    /// Returns the time of the fake clock in nanoseconds.
    pub fn now(&self) -> u64 {
        self.world.timers.now()
    }

    /// Waits for `nanoseconds` of the fake clock.
    pub fn sleep(&self, nanoseconds: u64) -> impl Future<Output = ()> + 'static {
        Sleep::until(&self.world, self.now().saturating_add(nanoseconds))
    }

    /// Waits until everything has happened that can happen without the clock.
    pub fn quiet(&self) -> impl Future<Output = ()> + 'static {
        Sleep::until(&self.world, self.now().saturating_add(1))
    }

    /// Returns the number of the turn.
    pub fn turn(&self) -> u64 {
        self.world.turn.get()
    }

    /// Returns what is alive.
    pub fn live(&self) -> Live {
        self.world.counts.live()
    }

    /// Does one thing; false when nothing can be done any more.
    fn step(&self) -> bool {
        let now = self.now();
        if self.world.moment.replace(now) != now {
            self.world.turns_now.set(0);
        }
        let turns = self.world.turns_now.get() + 1;
        self.world.turns_now.set(turns);
        assert!(
            turns < MOST_TURNS,
            "so many turns without any time that passes: {:?}",
            self.live()
        );
        let turned = self.world.turn();
        let moved = self.world.deliver();
        turned || moved || self.world.timers.jump()
    }
}
