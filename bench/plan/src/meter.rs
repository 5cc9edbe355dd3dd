//! Counting while a clock runs.

use std::cell::Cell;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::Client;

/// Counts the work after the warm-up, and decides when the time is up. All connections of a peer share one.
#[derive(Debug)]
pub struct Meter<Clock> {
    clock: Clock,
    warmup: Duration,
    measured: Duration,
    stride: u64,
    calls: Cell<u64>,
    count: Cell<u64>,
    since: Cell<Duration>,
    phase: Cell<Phase>,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    WarmUp,
    Measuring,
    Done(Measured),
}

impl<Clock: Fn() -> Duration> Meter<Clock> {
    /// Starts the warm-up. The clock returns the time since a fixed moment.
    pub fn new(client: &Client, clock: Clock) -> Self {
        Meter {
            warmup: client.warmup,
            measured: client.measured,
            stride: client.stride(),
            calls: Cell::new(0),
            count: Cell::new(0),
            since: Cell::new(clock()),
            phase: Cell::new(Phase::WarmUp),
            clock,
        }
    }

    /// Counts `amount`, and returns whether to continue.
    pub fn go_on(&self, amount: u64) -> bool {
        self.count.set(self.count.get() + amount);
        self.calls.set(self.calls.get() + 1);
        if self.calls.get().is_multiple_of(self.stride) {
            self.look();
        }
        !matches!(self.phase.get(), Phase::Done(_))
    }

    /// Returns the measured count.
    ///
    /// # Errors
    /// When the time is not up yet.
    pub fn measured(&self) -> Result<Measured, String> {
        match self.phase.get() {
            Phase::Done(measured) => Ok(measured),
            Phase::WarmUp | Phase::Measuring => Err("the work ended before the time".to_owned()),
        }
    }

    fn look(&self) {
        let now = (self.clock)();
        let elapsed = now.saturating_sub(self.since.get());
        match self.phase.get() {
            Phase::WarmUp if elapsed >= self.warmup => {
                self.count.set(0);
                self.since.set(now);
                self.phase.set(Phase::Measuring);
            }
            Phase::Measuring if elapsed >= self.measured => {
                self.phase.set(Phase::Done(Measured {
                    count: self.count.get(),
                    elapsed,
                }));
            }
            Phase::WarmUp | Phase::Measuring | Phase::Done(_) => {}
        }
    }
}

/// The amount of work and its time. As a text it is the line that a peer prints: `COUNT in NANOSECONDS ns`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Operations or bytes.
    pub count: u64,
    /// The total time.
    pub elapsed: Duration,
}

impl Measured {
    /// Returns the count for each second.
    pub fn per_second(&self) -> f64 {
        self.count as f64 / self.elapsed.as_secs_f64()
    }

    /// Returns the seconds for each.
    pub fn seconds_each(&self) -> f64 {
        self.elapsed.as_secs_f64() / self.count as f64
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {} ns", self.count, self.elapsed.as_nanos())
    }
}

impl FromStr for Measured {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let parsed = || {
            let (count, rest) = line.trim().split_once(" in ")?;
            let nanoseconds: u64 = rest.strip_suffix(" ns")?.parse().ok()?;
            let count: u64 = count.parse().ok()?;
            (count > 0 && nanoseconds > 0).then_some(Measured {
                count,
                elapsed: Duration::from_nanos(nanoseconds),
            })
        };
        parsed().ok_or_else(|| format!("{line:?} is not COUNT in NANOSECONDS ns"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Order;

    fn client() -> Client {
        match Order::parse("client connect 127.0.0.1:1 0 1 100 1000".split(' ')) {
            Ok(Order::Client(client)) => client,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_warmup_does_not_count() {
        let now = Cell::new(Duration::from_secs(5));
        let client = client();
        let meter = Meter::new(&client, || now.get());
        let mut rounds = 0;
        loop {
            now.set(now.get() + Duration::from_millis(10));
            rounds += 1;
            if !meter.go_on(3) {
                break;
            }
            assert!(meter.measured().is_err());
        }
        // The clock is read every fourth time: 12 rounds of warm-up, then 100.
        assert_eq!(rounds, 112);
        let measured = meter.measured().unwrap();
        assert_eq!(measured.count, 300);
        assert_eq!(measured.elapsed, Duration::from_secs(1));
        assert!(!meter.go_on(1));
        assert_eq!(meter.measured(), Ok(measured));
    }

    #[test]
    fn a_result_is_parsed_as_it_is_printed() {
        let measured = Measured {
            count: 500,
            elapsed: Duration::from_millis(250),
        };
        assert_eq!(measured.to_string().parse(), Ok(measured));
        assert_eq!(measured.per_second(), 2000.0);
        assert_eq!(measured.seconds_each(), 0.0005);
        for wrong in ["", "1 in 2", "0 in 5 ns", "5 in 0 ns", "x in 1 ns"] {
            assert!(wrong.parse::<Measured>().is_err(), "{wrong:?}");
        }
    }
}
