//! The state that all hosts of a network share: the tasks, the clock, and bytes in transit.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::rc::{Rc, Weak};

use crate::errors::LookupError;

use super::call::Pending;
use super::clock::Timers;
use super::contract;
use super::counts::Counts;
use super::faults::{Faults, Route};
use super::host::{Host, Machine};
use super::link::Link;
use super::listener::Listening;
use super::random::Random;
use super::tasks::{TaskId, Tasks};

pub(super) struct World {
    pub(super) counts: Rc<Counts>,
    pub(super) tasks: Tasks,
    pub(super) timers: Timers,
    pub(super) turn: Cell<u64>,
    /// The time of the last turn, and the number of turns at that time.
    pub(super) moment: Cell<u64>,
    pub(super) turns_now: Cell<u64>,
    /// The running task.
    pub(super) current: Cell<Option<TaskId>>,
    /// The number of operations that each task has polled and not left.
    joined: RefCell<BTreeMap<TaskId, usize>>,
    /// Makes the random decisions, if there is a seed.
    random: Option<RefCell<Random>>,
    /// Connections on which something can move.
    busy: RefCell<Vec<Rc<Link>>>,
    /// Connects and lookups that have not ended.
    pub(super) calls: RefCell<Vec<Rc<dyn Pending>>>,
    pub(super) listeners: RefCell<Vec<Rc<Listening>>>,
    pub(super) links: RefCell<Vec<Weak<Link>>>,
    pub(super) names: RefCell<HashMap<String, Name>>,
    pub(super) routes: RefCell<Vec<(SocketAddr, Route)>>,
    pub(super) machines: RefCell<Vec<Weak<Machine>>>,
    pub(super) rules: RefCell<Rules>,
}

/// The behaviour of the network, unless a connection has its own faults.
pub(super) struct Rules {
    pub(super) send_window: usize,
    pub(super) receive_window: usize,
    /// The faults of the direction from the client, and of the direction to it.
    pub(super) faults: [Faults; 2],
    pub(super) reset_discards: bool,
    pub(super) cancel_turns: u64,
}

/// The name service's answer for a name.
#[derive(Clone)]
pub(super) struct Name {
    pub(super) answer: Result<Vec<IpAddr>, LookupError>,
    /// Nanoseconds until the answer; `None`: never.
    pub(super) delay: Option<u64>,
}

impl World {
    pub(super) fn new(seed: Option<u64>) -> Rc<Self> {
        Rc::new(World {
            counts: Rc::default(),
            tasks: Tasks::default(),
            timers: Timers::default(),
            turn: Cell::new(0),
            moment: Cell::new(0),
            turns_now: Cell::new(0),
            current: Cell::new(None),
            joined: RefCell::default(),
            random: seed.map(|seed| RefCell::new(Random::new(seed))),
            busy: RefCell::default(),
            calls: RefCell::default(),
            listeners: RefCell::default(),
            links: RefCell::default(),
            names: RefCell::default(),
            routes: RefCell::default(),
            machines: RefCell::default(),
            rules: RefCell::new(Rules {
                send_window: 64 * 1024,
                receive_window: 64 * 1024,
                faults: Default::default(),
                reset_discards: false,
                cancel_turns: 2,
            }),
        })
    }

    /// Returns true once in `n` times on average with a seed, never without.
    pub(super) fn chance(&self, n: usize) -> bool {
        self.random
            .as_ref()
            .is_some_and(|random| random.borrow_mut().once_in(n))
    }

    /// Returns a number from 1 to `most`; always `most` without a seed.
    pub(super) fn part(&self, most: usize) -> usize {
        match &self.random {
            Some(random) if most > 1 && random.borrow_mut().once_in(3) => {
                random.borrow_mut().below(most) + 1
            }
            _ => most,
        }
    }

    /// Returns a number below `n`; always 0 without a seed.
    pub(super) fn below(&self, n: usize) -> usize {
        match &self.random {
            Some(random) => random.borrow_mut().below(n),
            None => 0,
        }
    }

    /// Returns how many turns a cancelled operation takes to end.
    pub(super) fn cancel_turns(&self) -> u64 {
        let turns = self.rules.borrow().cancel_turns;
        match &self.random {
            Some(random) => random.borrow_mut().below(turns as usize * 3 + 1) as u64,
            None => turns,
        }
    }

    /// Schedules a connection for the next delivery.
    pub(super) fn add_busy(&self, link: Rc<Link>) {
        self.busy.borrow_mut().push(link);
    }

    /// Delivers everything that is in transit. Returns whether anything has moved. Runs between two turns.
    pub(super) fn deliver(&self) -> bool {
        let mut moved = false;
        for link in self.busy.take() {
            // With a seed, some connections are delayed to a later turn.
            if self.tasks.has_ready() && self.chance(4) {
                self.busy.borrow_mut().push(link);
                continue;
            }
            moved |= link.step();
        }
        let calls = self.calls.borrow().clone();
        for call in calls {
            moved |= call.step();
        }
        self.calls.borrow_mut().retain(|call| !call.has_ended());
        moved || !self.busy.borrow().is_empty()
    }

    /// Returns the host with this address, as `from` sees it.
    pub(super) fn host_of(&self, from: &Host, ip: IpAddr) -> Option<Host> {
        if ip.is_loopback() {
            return Some(from.clone());
        }
        let machines = self.machines.borrow();
        let mut machines = machines.iter().filter_map(Weak::upgrade);
        let machine = machines.find(|machine| machine.addresses.contains(&ip))?;
        Some(Host {
            world: from.world.clone(),
            machine,
        })
    }

    /// Panics unless an operation may be polled here: in an async call or in the background.
    #[track_caller]
    pub(super) fn check_async(&self, what: &str) {
        if self.current.get().is_none() || contract::in_sync_call() {
            contract::broken(&format!(
                "{what} in a sync call or outside of a task: operations are started and polled in async calls and in \
                 the background only"
            ));
        }
    }

    /// Returns whether an async call or the background runs.
    pub(super) fn is_async(&self) -> bool {
        self.current.get().is_some() && !contract::in_sync_call()
    }

    pub(super) fn join(&self, task: TaskId) {
        *self.joined.borrow_mut().entry(task).or_default() += 1;
    }

    pub(super) fn part_from(&self, task: TaskId) {
        let mut joined = self.joined.borrow_mut();
        if let Some(count) = joined.get_mut(&task) {
            *count -= 1;
            if *count == 0 {
                joined.remove(&task);
            }
        }
    }

    /// Panics if operations still wait in a task that has ended.
    pub(super) fn check_left(&self, task: TaskId) {
        let count = self.joined.borrow().get(&task).copied().unwrap_or(0);
        if count > 0 {
            contract::broken(&format!(
                "a task has ended that still waits for {count} operations: `leave` was not called for them"
            ));
        }
    }
}

/// An object that is kept alive for a pending operation.
pub(super) type Kept = Box<dyn Any>;
