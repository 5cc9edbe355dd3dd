//! The network of a test, and the executor of all its tasks.

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

/// The most nanoseconds of the fake clock that [`Network::run`] waits: one day.
const LONGEST: u64 = 86_400_000_000_000;

/// The number of turns at one time of the clock that counts as an endless loop.
const MOST_TURNS: u64 = 3_000_000;

/// Hosts, names, connections and tasks, all on this thread and in memory. A clone is the same network.
///
/// Time stands still while anything can be done, and jumps to the next timer otherwise. Without a seed, everything
/// happens as soon as possible, and in order. With a seed, tasks run in a random order, writes and reads are split, and
/// operations end a little later. The same seed repeats the same run.
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

    /// Creates a network where the seed varies the order of events and the sizes of reads and writes.
    pub fn with_seed(seed: u64) -> Self {
        Network {
            world: World::new(Some(seed)),
        }
    }

    /// Adds a host with these addresses. It also has the loopback addresses of their families.
    ///
    /// # Panics
    ///
    /// If one of them is not an address.
    pub fn host(&self, addresses: &[&str]) -> Host {
        let addresses = addresses.iter().map(|text| {
            let address: IpAddr = text
                .parse()
                .unwrap_or_else(|_| panic!("not an address: {text}"));
            address
        });
        Host::new(&self.world, addresses.collect())
    }

    /// Sets the addresses of a name, in the order of the name service.
    ///
    /// # Panics
    ///
    /// If one of them is not an address.
    pub fn name(&self, name: &str, addresses: &[&str]) {
        let addresses = addresses.iter().map(|text| {
            text.parse()
                .unwrap_or_else(|_| panic!("not an address: {text}"))
        });
        self.set_name(name, Ok(addresses.collect()), Some(0));
    }

    /// Sets the answer of the name service, and after how many nanoseconds it comes; `None`: never.
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

    /// Sets the result of future attempts to connect to an address.
    pub fn set_route(&self, to: SocketAddr, route: Route) {
        self.world.routes.borrow_mut().push((to, route));
    }

    /// Sets the faults of future connections: for the bytes that clients send, and for those that they receive.
    pub fn set_faults(&self, from_client: Faults, to_client: Faults) {
        self.world.rules.borrow_mut().faults = [from_client, to_client];
    }

    /// Sets how many bytes a direction of future connections holds: in the sender's system, and in the receiver's. The
    /// default is 64 KiB each.
    pub fn set_windows(&self, send: usize, receive: usize) {
        let mut rules = self.world.rules.borrow_mut();
        (rules.send_window, rules.receive_window) = (send, receive);
    }

    /// Sets whether a reset also drops bytes that have arrived and were not read, as some systems do. The default is
    /// no.
    pub fn set_reset_discards(&self, on: bool) {
        self.world.rules.borrow_mut().reset_discards = on;
    }

    /// Sets how many turns a cancelled operation takes to end. With a seed, it takes up to three times as many.
    pub fn set_cancel_turns(&self, turns: u64) {
        self.world.rules.borrow_mut().cancel_turns = turns;
    }

    /// Makes the next `n` accepts of the listeners of an address fail.
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

    /// Runs all tasks until `future` has ended. Returns its output. Other tasks continue in the next call.
    ///
    /// # Panics
    ///
    /// If nothing can happen any more, if tasks loop without any time passing, or if a day has passed on the fake
    /// clock. If the contract of the platform is broken.
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

    /// Runs all tasks until nothing happens any more. Returns the numbers of live objects.
    ///
    /// # Panics
    ///
    /// If something still happens after a day of the fake clock.
    pub fn settle(&self) -> Live {
        let begun = self.now();
        while self.step() {
            assert!(
                self.now() - begun < LONGEST,
                "the run does not end: {:?}",
                self.live()
            );
        }
        self.live()
    }

    /// Runs all tasks until nothing happens any more, and checks that nothing is alive.
    ///
    /// # Panics
    ///
    /// If something is alive.
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

    /// Waits until everything has happened that needs no change of the clock.
    pub fn quiet(&self) -> impl Future<Output = ()> + 'static {
        Sleep::until(&self.world, self.now().saturating_add(1))
    }

    /// Returns the number of the current turn.
    pub fn turn(&self) -> u64 {
        self.world.turn.get()
    }

    /// Returns the numbers of live objects.
    pub fn live(&self) -> Live {
        self.world.counts.live()
    }

    /// Does one step. Returns false if nothing can be done any more.
    fn step(&self) -> bool {
        let now = self.now();
        if self.world.moment.replace(now) != now {
            self.world.turns_now.set(0);
        }
        let turns = self.world.turns_now.get() + 1;
        self.world.turns_now.set(turns);
        assert!(
            turns < MOST_TURNS,
            "too many turns without any time passing: {:?}",
            self.live()
        );
        let turned = self.world.turn();
        let moved = self.world.deliver();
        turned || moved || self.world.timers.jump()
    }
}
