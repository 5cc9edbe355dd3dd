//! Decides when to try which address of a name: Happy Eyeballs, RFC 8305, section 5.

use alloc::vec::Vec;

/// A race of connection attempts to a list of addresses, numbered from 0 in the order in which they are tried.
///
/// An attempt starts when the one before it has failed, or when the delay has passed since that one started. Whichever
/// is first counts, as in asyncio. The first attempt that succeeds wins; the caller then drops the others and this
/// value. Times are nanoseconds of any clock that does not go backwards.
#[derive(Debug)]
pub struct HappyEyeballs<E> {
    delay: Option<u64>,
    count: usize,
    /// The attempts that were started; the last one started at `since`.
    started: Vec<Attempt<E>>,
    since: u64,
}

#[derive(Debug)]
enum Attempt<E> {
    UnderWay,
    Failed(E),
}

/// The next step of a race.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Start this attempt, then ask again.
    Start(usize),
    /// Wait for an attempt to end, at most until this time in nanoseconds, then ask again. `None`: no further attempt
    /// depends on the time.
    Wait {
        /// When to ask again if nothing has ended.
        until: Option<u64>,
    },
    /// Every attempt has failed.
    Failed,
}

impl<E> HappyEyeballs<E> {
    /// Creates a race of `count` attempts. `delay` is in nanoseconds. Without one the attempts run one after another;
    /// with a delay of 0 all start at once.
    pub fn new(count: usize, delay: Option<u64>) -> Self {
        Self {
            delay,
            count,
            started: Vec::new(),
            since: 0,
        }
    }

    /// Returns the next step at the time `now`.
    pub fn next(&mut self, now: u64) -> Step {
        let under_way = |attempt: &Attempt<E>| matches!(attempt, Attempt::UnderWay);
        if self.started.len() >= self.count {
            return if self.started.iter().any(under_way) {
                Step::Wait { until: None }
            } else {
                Step::Failed
            };
        }
        if !self.started.last().is_some_and(under_way) {
            return self.start(now);
        }
        match self.delay.map(|delay| self.since.saturating_add(delay)) {
            Some(until) if now >= until => self.start(now),
            until => Step::Wait { until },
        }
    }

    /// Records that the attempt has failed. Ignored for an attempt that was not started or has failed before.
    pub fn failed(&mut self, attempt: usize, error: E) {
        if let Some(slot @ Attempt::UnderWay) = self.started.get_mut(attempt) {
            *slot = Attempt::Failed(error);
        }
    }

    /// Returns the errors of the failed attempts, in the order in which they were started.
    pub fn into_errors(self) -> Vec<(usize, E)> {
        let failed = |(index, attempt)| match attempt {
            Attempt::UnderWay => None,
            Attempt::Failed(error) => Some((index, error)),
        };
        self.started
            .into_iter()
            .enumerate()
            .filter_map(failed)
            .collect()
    }

    fn start(&mut self, now: u64) -> Step {
        let attempt = self.started.len();
        self.since = now;
        self.started.push(Attempt::UnderWay);
        Step::Start(attempt)
    }
}
