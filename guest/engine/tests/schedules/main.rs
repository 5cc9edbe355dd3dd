//! Random schedules: connections with faults, on which both ends read, write, wait, cancel, drop, close and abort, as
//! the seed decides. Every byte is checked against a pattern, and every count at the end.
//!
//! A failure reports its seed. `SCHEDULE_SEED=17` runs only that one; `SCHEDULE_SEEDS=100000` sets how many run.

#[path = "../support/mod.rs"]
mod support;

mod client;
mod ledger;
mod receiver;
mod sender;
mod server;

use std::rc::Rc;

use asyncio_streams_engine::testing::{CutKind, Faults, Host, Network, Random};
use asyncio_streams_engine::{Engine, Limits};

use ledger::Ledger;
use support::{CLIENT, MILLISECOND, SECOND, SERVER};

/// The seeds of a default run.
const SEEDS: u64 = 600;

/// How long a part of a run waits for an event that a fault may prevent.
const PATIENCE: u64 = 120 * SECOND;

/// The decisions of one seed for all of its connections.
#[derive(Clone)]
struct Plan {
    seed: u64,
    network: Network,
    hosts: (Host, Host),
    engine: Engine,
    other: Engine,
    ledger: Rc<Ledger>,
    connections: usize,
    /// The network may lose bytes. Without that every byte arrives, unless an end has failed or stopped before.
    lossy: bool,
    idle_timeout: Option<u64>,
    max_connections: Option<u32>,
}

impl Plan {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let network = Network::with_seed(seed);
        let here = network.host(&[CLIENT]);
        let there = network.host(&[SERVER]);
        let mut lossy = false;
        if random.once_in(2) {
            let both = [faults(&mut random), faults(&mut random)];
            // A network that is only slow loses nothing.
            lossy = both.iter().any(loses);
            let [here, there] = both;
            network.set_faults(here, there);
        }
        network.set_reset_discards(random.once_in(2));
        if random.once_in(3) {
            network.set_windows(1 + random.below(5000), 1 + random.below(5000));
        }
        let mut limits = Limits::default();
        if random.once_in(5) {
            // The lobby opens early, and is soon full.
            limits.handles = 24 * (4 + random.below(6) as u32);
        }
        if random.once_in(5) {
            limits.memory = random.below(100_000);
        }
        let mut idle_timeout = None;
        if random.once_in(8) {
            idle_timeout = Some((1 + random.below(100) as u64) * MILLISECOND);
        }
        Plan {
            seed,
            engine: Engine::with_limits(here.clone(), limits),
            other: Engine::with_limits(there.clone(), limits),
            hosts: (here, there),
            network,
            ledger: Rc::default(),
            connections: 1 + random.below(8),
            lossy,
            idle_timeout,
            max_connections: random.once_in(4).then(|| 1 + random.below(3) as u32),
        }
    }

    /// Returns a generator for one part of the run.
    fn random(&self, part: u64) -> Random {
        Random::new(self.seed.wrapping_mul(1_000_003).wrapping_add(part))
    }
}

fn faults(random: &mut Random) -> Faults {
    match random.below(8) {
        0 => Faults::byte_by_byte(),
        1 => Faults::slow(
            1 + random.below(2000),
            random.below(20) as u64 * MILLISECOND,
        ),
        2 => Faults::black_hole(),
        3 => Faults::cut(random.below(20_000) as u64, CutKind::Reset),
        4 => Faults::cut(random.below(20_000) as u64, CutKind::End),
        5 => Faults::cut(random.below(20_000) as u64, CutKind::BlackHole),
        _ => Faults::default(),
    }
}

/// Returns whether bytes may not arrive.
fn loses(faults: &Faults) -> bool {
    faults.black_hole || faults.cut.is_some()
}

fn run(seed: u64) {
    let plan = Plan::new(seed);
    let network = plan.network.clone();
    network.run(server::run(plan.clone()));
    network.finish();
    for engine in [&plan.engine, &plan.other] {
        assert_eq!(engine.handles_in_use(), 0, "handles are still in use");
        assert_eq!(engine.bytes_held(), 0, "bytes are still held");
    }
    plan.ledger.check(plan.lossy);
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable}: not a number: {text:?}")),
    )
}

struct Failed(u64);

impl Drop for Failed {
    fn drop(&mut self) {
        eprintln!("failed with SCHEDULE_SEED={}", self.0);
    }
}

#[test]
fn every_byte_and_every_count_is_correct() {
    let seeds = match number("SCHEDULE_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SCHEDULE_SEEDS").unwrap_or(SEEDS),
    };
    for seed in seeds {
        let failed = Failed(seed);
        run(seed);
        std::mem::forget(failed);
    }
}

/// A schedule that depended on more than its seed could not be repeated.
#[test]
fn same_seed_repeats_the_same_run() {
    for seed in 0..20 {
        let turns = [(); 2].map(|()| {
            let plan = Plan::new(seed);
            plan.network.run(server::run(plan.clone()));
            plan.network.settle();
            (plan.network.turn(), plan.network.now(), plan.ledger.total())
        });
        assert_eq!(turns[0], turns[1], "seed {seed}");
    }
}
