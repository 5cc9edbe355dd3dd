//! Random conversations for a while: nothing is lost, and memory does not grow.
//!
//! `SOAK_MINUTES` in the environment sets the time, `SOAK_CONNECTIONS` the number of connections at once.

use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::{env, fs};

use asyncio_streams_tests::{In, Program};

const MIB: u64 = 1 << 20;

/// Handles for one connection with both ends and all calls, but not for conversations that are over.
const HANDLES: usize = 100;

/// The seconds after which memory is flat.
const WARM: u64 = 10;

/// A value that is measured repeatedly.
struct Gauge {
    name: &'static str,
    /// In bytes.
    samples: Vec<u64>,
    /// How far the peak may rise without being called growth, in bytes, in addition to one tenth.
    slack: u64,
}

impl Gauge {
    fn new(name: &'static str, slack: u64) -> Self {
        let samples = Vec::new();
        Gauge {
            name,
            samples,
            slack,
        }
    }

    /// The peaks of the thirds of the time. The first third is the warm-up.
    fn thirds(&self) -> [u64; 3] {
        let third = self.samples.len().div_ceil(3);
        let mut thirds = self.samples.chunks(third.max(1));
        [(); 3].map(|()| {
            let peak = thirds.next().and_then(|samples| samples.iter().max());
            peak.copied().unwrap_or_default()
        })
    }

    fn is_flat(&self) -> bool {
        let [_, second, last] = self.thirds();
        last <= second + second / 10 + self.slack
    }

    fn report(&self) {
        let [first, second, last] = self.thirds().map(|peak| peak as f64 / MIB as f64);
        println!(
            "{}: peaks of {first:.1}, {second:.1} and {last:.1} MiB in the thirds of the time",
            self.name
        );
    }
}

#[test]
fn nothing_is_lost_and_memory_is_flat() {
    soak(Program::new("soak"), 1.0);
}

/// For half the time: the engine is the same. By default that is too short to judge the memory.
#[test]
fn nothing_is_lost_in_a_linked_program() {
    soak(Program::linked("soak"), 0.5);
}

/// Runs for a part of the time, one program at a time: the memory of this process is measured.
fn soak(program: Program, part: f64) {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let minutes: f64 = part * setting("SOAK_MINUTES").unwrap_or(0.2);
    let connections: usize = setting("SOAK_CONNECTIONS").unwrap_or(64);
    let seconds = (minutes * 60.0).ceil() as u64;
    let mut soak = program
        .args([seconds, connections as u64])
        .deadline(Duration::from_secs(seconds + 180))
        .max_handles(HANDLES * connections + 1000)
        .start(In::Concurrent);
    let mut gauges = [
        Gauge::new("process", 16 * MIB),
        Gauge::new("linear memory", 8 * MIB),
    ];
    let mut shown = 0;
    loop {
        let line = soak.line();
        if line.starts_with("in all ") {
            println!("{line}, in {seconds} s");
            break;
        }
        let linear = soak
            .linear_memory()
            .and_then(|bytes| u64::try_from(bytes).ok());
        let samples = [
            resident(),
            linear.expect("the memory of a program in this process"),
        ];
        for (gauge, sample) in gauges.iter_mut().zip(samples) {
            gauge.samples.push(sample);
        }
        let count = gauges[0].samples.len();
        if count >= shown + 10 {
            shown = count;
            println!(
                "{line}; process {} MiB, linear memory {} MiB",
                samples[0] / MIB,
                samples[1] / MIB
            );
        }
    }
    soak.wait().assert_success();
    gauges.iter().for_each(Gauge::report);
    // The memory of a shorter run still grows to what its conversations need.
    let judged = gauges.into_iter().filter(|_| seconds >= WARM);
    for gauge in judged {
        assert!(gauge.is_flat(), "{} grows: {:?}", gauge.name, gauge.samples);
    }
}

#[test]
fn growth_is_noticed() {
    let is_flat = |bytes: [u64; 9]| {
        let mut gauge = Gauge::new("", 4);
        gauge.samples.extend(bytes);
        gauge.is_flat()
    };
    assert!(is_flat([10, 50, 100, 100, 90, 100, 110, 100, 114]));
    assert!(!is_flat([10, 50, 100, 100, 90, 100, 110, 100, 115]));
}

/// The resident memory of this process, in bytes (proc_pid_status(5)).
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("the figures of this process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.expect("the memory of this process") * 1024
}

fn setting<T: FromStr>(name: &str) -> Option<T> {
    let value = env::var(name).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name}={value} is not a number")),
    )
}
