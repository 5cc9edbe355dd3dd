//! Random conversations for a while: nothing is lost, and memory stays as it is.
//!
//! `SOAK_MINUTES` in the environment says for how long, `SOAK_CONNECTIONS` how many at once.

use std::str::FromStr;
use std::time::Duration;
use std::{env, fs};

use asyncio_streams_tests::{In, Program};

const MIB: u64 = 1 << 20;

/// What wasmtime 48 keeps of a conversation, in bytes: some 330 of each async call between two components that is answered
/// at once, until the store is dropped. What a connection holds, streams and a socket, is more than the difference to what
/// was measured, 2.4 KiB.
const KEPT: u64 = 4096;

/// Handles for one connection, both ends and all calls: without those of conversations that are over.
const HANDLES: usize = 100;

/// Something that is measured again and again.
struct Gauge {
    name: &'static str,
    /// After how many conversations, and bytes.
    samples: Vec<(u64, u64)>,
    /// How much the peak may rise without being called growth, in bytes: beside a tenth of it, and for each conversation.
    slack: u64,
    kept: u64,
}

impl Gauge {
    fn new(name: &'static str, slack: u64, kept: u64) -> Self {
        let samples = Vec::new();
        Gauge {
            name,
            samples,
            slack,
            kept,
        }
    }

    /// The thirds of the time: the peak of each, and the conversations until its end. The first is for warming up.
    fn thirds(&self) -> [(u64, u64); 3] {
        let third = self.samples.len().div_ceil(3);
        let peak = |samples: &[(u64, u64)]| {
            let bytes = samples.iter().map(|(_, bytes)| *bytes).max();
            (
                samples
                    .last()
                    .map_or(0, |(conversations, _)| *conversations),
                bytes.unwrap_or_default(),
            )
        };
        let mut thirds = self.samples.chunks(third.max(1));
        [(); 3].map(|()| thirds.next().map(peak).unwrap_or_default())
    }

    fn is_flat(&self) -> bool {
        let [_, (before, second), (after, last)] = self.thirds();
        let kept = after.saturating_sub(before) * self.kept;
        last <= second + second / 10 + self.slack + kept
    }

    fn report(&self) {
        let [first, second, last] = self.thirds().map(|(_, peak)| peak as f64 / MIB as f64);
        println!(
            "{}: peaks of {first:.1}, {second:.1} and {last:.1} MiB in the thirds of the time",
            self.name
        );
    }
}

#[test]
fn nothing_is_lost_and_memory_is_flat() {
    let minutes: f64 = setting("SOAK_MINUTES").unwrap_or(0.2);
    let connections: usize = setting("SOAK_CONNECTIONS").unwrap_or(64);
    let seconds = (minutes * 60.0).ceil() as u64;
    let mut soak = Program::new("soak")
        .args([seconds, connections as u64])
        .deadline(Duration::from_secs(seconds + 180))
        .max_handles(HANDLES * connections + 1000)
        .start(In::Concurrent);
    let mut gauges = [
        Gauge::new("process", 16 * MIB, KEPT),
        Gauge::new("linear memory", 8 * MIB, 0),
    ];
    let mut shown = 0;
    loop {
        let line = soak.line();
        if line.starts_with("in all ") {
            println!("{line}, in {seconds} s");
            break;
        }
        let conversations = line
            .split(' ')
            .next()
            .and_then(|number| number.parse().ok());
        let conversations = conversations.unwrap_or_else(|| panic!("not what was done: {line}"));
        let linear = soak
            .linear_memory()
            .and_then(|bytes| u64::try_from(bytes).ok());
        let samples = [
            resident(),
            linear.expect("the memory of a program in this process"),
        ];
        for (gauge, sample) in gauges.iter_mut().zip(samples) {
            gauge.samples.push((conversations, sample));
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
    for gauge in gauges {
        assert!(gauge.is_flat(), "{} grows: {:?}", gauge.name, gauge.samples);
    }
}

#[test]
fn growth_is_noticed() {
    let is_flat = |bytes: [u64; 9], kept| {
        let mut gauge = Gauge::new("", 4, kept);
        gauge.samples.extend((1..).zip(bytes));
        gauge.is_flat()
    };
    assert!(is_flat([10, 50, 100, 100, 90, 100, 110, 100, 114], 0));
    assert!(!is_flat([10, 50, 100, 100, 90, 100, 110, 100, 115], 0));
    // Three conversations in the last third.
    assert!(is_flat([10, 50, 100, 100, 90, 100, 110, 100, 120], 2));
    assert!(!is_flat([10, 50, 100, 100, 90, 100, 110, 100, 121], 2));
}

/// The memory of this process that is in the machine's, in bytes (proc_pid_status(5)).
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
