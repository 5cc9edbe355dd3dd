//! Signs of life of a thread that runs programs, and the end of programs that show none.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// The interval at which a live event loop records a sign of life.
pub(crate) const BEAT: Duration = Duration::from_millis(25);

/// When an event loop last ran.
#[derive(Debug)]
pub(crate) struct Life {
    start: Instant,
    /// Microseconds after `start`.
    last: AtomicU64,
    /// How late the last beat was, in microseconds.
    lag: AtomicU64,
    stuck: AtomicBool,
}

impl Life {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            last: AtomicU64::new(0),
            lag: AtomicU64::new(0),
            stuck: AtomicBool::new(false),
        })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Records that the event loop runs; its beats are `interval` apart.
    pub(crate) fn beat(&self, interval: Duration) {
        let now = self.now();
        let late = now.saturating_sub(self.last.swap(now, Relaxed));
        let interval = u64::try_from(interval.as_micros()).unwrap_or(u64::MAX);
        self.lag.store(late.saturating_sub(interval), Relaxed);
    }

    pub(crate) fn silent_for(&self) -> Duration {
        Duration::from_micros(self.now().saturating_sub(self.last.load(Relaxed)))
    }

    /// Returns how late the event loop was at its last beat, or is now.
    pub(crate) fn lag(&self) -> Duration {
        let silent = self.silent_for().saturating_sub(BEAT);
        silent.max(Duration::from_micros(self.lag.load(Relaxed)))
    }

    pub(crate) fn age(&self) -> Duration {
        self.start.elapsed()
    }

    /// Returns whether the program was ended because it was silent for too long.
    pub(crate) fn was_stuck(&self) -> bool {
        self.stuck.load(Relaxed)
    }

    pub(crate) fn set_stuck(&self) {
        self.stuck.store(true, Relaxed);
    }
}

/// The settings and results of watching a run.
#[derive(Clone)]
pub(crate) struct Watch {
    pub(crate) life: Arc<Life>,
    pub(crate) interval: Duration,
    /// How long it may compute without waiting, if the engine can interrupt it.
    pub(crate) limit: Option<Duration>,
}
