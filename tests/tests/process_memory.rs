//! The memory of the process that runs a program: leaks in the host show here, and not in the program's linear
//! memory.
//!
//! `MEMORY_MESSAGES` and `MEMORY_CONNECTIONS` in the environment set the load of a server; `cargo xtask soak` sends a
//! million messages and makes 100,000 connections.
#![cfg(target_os = "linux")]

#[path = "process_memory/clients.rs"]
mod clients;
#[path = "process_memory/loops.rs"]
mod loops;

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{env, fmt};

use asyncio_streams_tests::resources::own_memory;
use asyncio_streams_tests::{In, Program, Running, wasmtime};

/// Growth of a process without a leak, by its allocator and its threads.
const SLACK: u64 = 256 << 10;

/// How often an apparent growth is measured.
const ROUNDS: u32 = 4;

/// Longer than everything takes on a slow and busy machine.
const DEADLINE: Duration = Duration::from_secs(1800);

/// The runner of a program, in a separate process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runner {
    Wasmtime,
    Streams,
}

impl Runner {
    /// Returns the available runners.
    fn all() -> Vec<Runner> {
        let mut all = vec![Runner::Streams];
        all.extend(wasmtime().map(|_| Runner::Wasmtime));
        all
    }

    fn start(self, program: Program) -> Running {
        let program = program.deadline(DEADLINE);
        match self {
            Runner::Wasmtime => program.start(In::Wasmtime),
            Runner::Streams => {
                program.start_by(Path::new(env!("CARGO_BIN_EXE_streams-of-the-tests")))
            }
        }
    }
}

/// The growth of a process during a number of repetitions.
#[derive(Clone, Copy, Debug)]
struct Growth {
    times: u64,
    bytes: u64,
}

impl Growth {
    /// Measures the growth by `work`, which does something `times` times. It repeats while the growth is more than
    /// `allowed` bytes each time, at most [`ROUNDS`] times: a leak shows in every round, an allocator that settles
    /// does not.
    fn of(process: u32, times: u64, allowed: u64, mut work: impl FnMut()) -> Self {
        let mut measure = || {
            let before = own_memory(process);
            work();
            Growth {
                times,
                bytes: own_memory(process).saturating_sub(before),
            }
        };
        let mut growth = measure();
        for _ in 1..ROUNDS {
            if growth.is_within(allowed) {
                break;
            }
            growth = measure();
        }
        growth
    }

    /// Whether it is at most `allowed` bytes each time.
    fn is_within(self, allowed: u64) -> bool {
        self.bytes <= self.times * allowed + SLACK
    }
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Growth { times, bytes } = self;
        let each = *bytes as f64 / *times as f64;
        write!(f, "{each:.1} bytes each ({bytes} over {times})")
    }
}

/// One at a time: the tests use all processors, and many ports.
fn take_turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the source address of a connection: a different one for each of some thousands.
fn source(number: u64) -> Ipv4Addr {
    let [.., high, low] = number.to_be_bytes();
    Ipv4Addr::new(127, 1, high, low)
}

fn setting(name: &str, default: u64) -> u64 {
    let value = env::var(name).ok();
    value.map_or(default, |value| {
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name}={value} is not a number"))
    })
}

#[test]
fn growth_is_noticed() {
    let growth = |bytes| Growth {
        times: 100_000,
        bytes,
    };
    assert!(growth(0).is_within(8));
    assert!(growth(800_000 + SLACK).is_within(8));
    assert!(!growth(800_001 + SLACK).is_within(8));
    // Ten times the loss of a saturated server with wasmtime 48 before the executor was changed.
    assert!(
        !Growth {
            times: 150_000,
            bytes: 150_000 * 364 / 10
        }
        .is_within(8)
    );
}
