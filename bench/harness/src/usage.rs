//! Measures the processor time and the context switches of a process while it works. Only Linux reports both.

use std::fs;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use asyncio_streams_bench_plan::Measured;
use serde::{Deserialize, Serialize};

/// The pause between two samples.
const PAUSE: Duration = Duration::from_millis(20);

/// The cost of an item: an operation or a byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// Microseconds of processor time, of all threads and of the system for them.
    #[serde(rename = "cpu-microseconds")]
    pub(crate) microseconds: f64,
    /// Context switches of all threads.
    #[serde(rename = "context-switches")]
    pub(crate) switches: f64,
}

/// Takes samples of a process in the background. The drop ends that.
pub(crate) struct Usage {
    stop: Sender<()>,
    sampling: JoinHandle<Vec<Sample>>,
}

/// The use of resources up to a moment.
#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Instant,
    nanoseconds: u64,
    switches: u64,
}

impl Usage {
    /// Begins to sample.
    pub(crate) fn of(process: u32) -> Self {
        let (stop, stopped) = channel();
        let sampling = thread::spawn(move || {
            let mut samples = Vec::new();
            loop {
                samples.extend(Sample::take(process));
                if stopped.recv_timeout(PAUSE) != Err(RecvTimeoutError::Timeout) {
                    return samples;
                }
            }
        });
        Self { stop, sampling }
    }

    /// Returns the cost of an item of the work that ended at `end`; `None` where the work was too short for samples, or
    /// the system reports nothing.
    pub(crate) fn cost(self, end: Instant, measured: Measured) -> Option<Cost> {
        drop(self.stop);
        let samples = self.sampling.join().ok()?;
        let start = end.checked_sub(measured.elapsed)?;
        cost(&samples, start, end, measured.count)
    }
}

/// The cost of an item between the two moments. The samples in between have to cover half of the time.
fn cost(samples: &[Sample], start: Instant, end: Instant, count: u64) -> Option<Cost> {
    let mut within = samples
        .iter()
        .filter(|sample| (start..=end).contains(&sample.at));
    let first = within.next()?;
    let last = within.next_back()?;
    let (covered, whole) = (last.at - first.at, end - start);
    if covered < whole / 2 {
        return None;
    }
    // The use of the whole time follows from that of the covered time.
    let factor = whole.as_secs_f64() / covered.as_secs_f64() / count as f64;
    Some(Cost {
        microseconds: last.nanoseconds.checked_sub(first.nanoseconds)? as f64 / 1e3 * factor,
        switches: last.switches.checked_sub(first.switches)? as f64 * factor,
    })
}

impl Sample {
    /// Reads what all threads of the process have used. Threads that have ended do not count: the peers' threads live
    /// as long as their process.
    fn take(process: u32) -> Option<Self> {
        let mut sample = Self {
            at: Instant::now(),
            nanoseconds: 0,
            switches: 0,
        };
        for thread in fs::read_dir(format!("/proc/{process}/task")).ok()? {
            let thread = thread.ok()?.path();
            let (Ok(schedule), Ok(status)) = (
                fs::read_to_string(thread.join("schedstat")),
                fs::read_to_string(thread.join("status")),
            ) else {
                continue;
            };
            sample.nanoseconds += nanoseconds(&schedule)?;
            sample.switches += switches(&status);
        }
        Some(sample)
    }
}

/// The first of the three numbers is the time on a processor.
fn nanoseconds(schedule: &str) -> Option<u64> {
    schedule.split_whitespace().next()?.parse().ok()
}

fn switches(status: &str) -> u64 {
    let counts = status.lines().filter_map(|line| {
        let (_, count) = line.split_once("ctxt_switches:")?;
        count.trim().parse::<u64>().ok()
    });
    counts.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_switches_count() {
        let status = "Name:\tx\nvoluntary_ctxt_switches:\t40\nnonvoluntary_ctxt_switches:\t2\n";
        assert_eq!(switches(status), 42);
        assert_eq!(nanoseconds("123 456 7\n"), Some(123));
        assert_eq!(nanoseconds(""), None);
    }

    #[test]
    fn samples_within_the_time_give_the_cost_of_an_item() {
        let start = Instant::now();
        let sample = |milliseconds, nanoseconds, switches| Sample {
            at: start + Duration::from_millis(milliseconds),
            nanoseconds,
            switches,
        };
        // The first and the last sample are outside.
        let moment = |milliseconds| start + Duration::from_millis(milliseconds);
        let samples = [
            sample(0, 0, 0),
            sample(120, 1_000_000, 10),
            sample(180, 2_000_000, 40),
            sample(250, 9_000_000, 99),
        ];
        let found = cost(&samples, moment(100), moment(200), 100);
        // 60 of 100 ms are covered: 1 ms and 30 switches there are 1.67 ms and 50 switches in all.
        let Cost {
            microseconds,
            switches,
        } = found.unwrap();
        assert!((microseconds - 16.667).abs() < 0.01, "{microseconds}");
        assert!((switches - 0.5).abs() < 1e-9, "{switches}");
        assert_eq!(cost(&samples, moment(100), moment(240), 100), None);
        assert_eq!(cost(&samples, moment(130), moment(170), 100), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_uses_time() {
        let sample = || Sample::take(std::process::id()).unwrap();
        let before = sample();
        while sample().nanoseconds < before.nanoseconds + 5_000_000 {
            std::hint::black_box((0..100_000).sum::<u64>());
        }
        assert!(sample().switches >= before.switches);
    }
}
