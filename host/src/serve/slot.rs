//! The place of a worker, and the workers that occupy it one after another.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::control::Control;
use super::counters::WorkerStats;
use super::options::ServeOptions;
use super::prepare::prepare;
use super::tls::Tls;
use super::worker::{Drain, Senders, Worker};
use crate::program::Program;
use crate::sockets::{Handed, Permit};

/// A worker that has lived this long has not failed to start.
const SETTLED: Duration = Duration::from_secs(10);

/// A program that accepts nothing for this long while clients wait is reported.
const ACCEPT_PATIENCE: Duration = Duration::from_secs(10);

/// A worker whose thread runs.
pub(super) struct Running {
    pub(super) id: u64,
    pub(super) stats: Arc<WorkerStats>,
    /// The channels of its connections; empty once it gets no more.
    senders: Senders,
    drain: watch::Sender<Drain>,
    started: Instant,
    /// When its clients are cut.
    deadline: Option<Instant>,
    /// Replaces the worker after this many connections, or at the age below.
    max_requests: Option<u64>,
    max_age: Option<Duration>,
    /// Since when the program has accepted none of the waiting connections.
    reluctant: Option<(Instant, u64)>,
    /// It listens.
    pub(super) ready: bool,
}

impl Running {
    pub(super) fn start(
        control: &Control,
        id: u64,
        index: usize,
        program: Program,
        tls: Option<&Tls>,
    ) -> std::io::Result<Self> {
        let stats = WorkerStats::new(index);
        let (drain, drained) = watch::channel(Drain::No);
        let options = &control.options;
        let senders = Worker {
            id,
            program,
            options: Arc::clone(options),
            addresses: Arc::clone(&control.addresses),
            prepare: prepare(options.proxy_protocol, tls),
            stats: Arc::clone(&stats),
            all: Arc::clone(&control.stats),
            events: control.events.clone(),
            back: control.back.clone(),
            drain: drained,
            printing: Arc::new(()),
        }
        .start()?;
        Ok(Self {
            id,
            stats,
            senders,
            drain,
            started: Instant::now(),
            deadline: None,
            max_requests: options.max_requests.map(|n| about(n, index).max(1)),
            max_age: options.max_age.map(|age| {
                Duration::from_millis(about(
                    u64::try_from(age.as_millis()).unwrap_or(u64::MAX),
                    index,
                ))
            }),
            reluctant: None,
            ready: false,
        })
    }

    /// Hands a connection over.
    ///
    /// # Errors
    /// Returns the connection, if the worker is ending.
    #[expect(
        clippy::result_large_err,
        reason = "returns the connection, once in a worker's life"
    )]
    pub(super) fn hand(&self, handed: Handed, permit: Permit) -> Result<(), (Handed, Permit)> {
        // A connection that the embedder handed over goes to the first listener.
        let sender = self.senders.get(handed.listener).or(self.senders.first());
        match sender {
            Some(sender) => sender.send((handed, permit)).map_err(|back| back.0),
            None => Err((handed, permit)),
        }
    }

    pub(super) fn is_open(&self) -> bool {
        !self.senders.is_empty()
    }

    /// Stops handing connections to the worker.
    pub(super) fn close(&mut self) {
        self.senders.clear();
        self.stats.serving.store(false, Relaxed);
    }

    /// Lets its clients finish, until `deadline` at most.
    pub(super) fn finish(&mut self, deadline: Option<Instant>) {
        self.close();
        self.deadline = match (self.deadline, deadline) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        self.tell(Drain::Finish);
    }

    /// Ends the worker and all its connections.
    pub(super) fn end_now(&mut self) {
        self.close();
        self.deadline = None;
        self.tell(Drain::Now);
    }

    fn tell(&self, drain: Drain) {
        self.drain.send_if_modified(|now| {
            let later = drain > *now;
            if later {
                *now = drain;
            }
            later
        });
    }

    /// Ends the worker if its grace is over, and returns how many clients that cuts.
    pub(super) fn cut_if_over(&mut self, now: Instant) -> usize {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return 0;
        }
        let live = self.live();
        self.end_now();
        live
    }

    pub(super) fn warn_if_it_does_not_accept(&mut self, now: Instant) {
        let queued = self.stats.meter.queued.load(Relaxed);
        let accepted = self.accepted().saturating_sub(queued as u64);
        match self.reluctant {
            _ if queued == 0 => self.reluctant = None,
            Some((since, before)) if before == accepted => {
                if now.duration_since(since) >= ACCEPT_PATIENCE {
                    tracing::warn!(
                        worker = self.stats.index,
                        waiting = queued,
                        "the program has accepted no connection for {ACCEPT_PATIENCE:?}"
                    );
                    self.reluctant = Some((now, accepted));
                }
            }
            _ => self.reluctant = Some((now, accepted)),
        }
    }

    fn is_due(&self) -> bool {
        self.max_requests.is_some_and(|max| self.accepted() >= max)
            || self
                .max_age
                .is_some_and(|max| self.started.elapsed() >= max)
    }
}

/// The state that a worker had reached when it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Served,
    NeverReady,
}

/// The place of one worker.
#[derive(Default)]
pub(super) struct Slot {
    /// The worker that serves.
    pub(super) current: Option<Running>,
    /// Its successor, until it listens.
    pub(super) next: Option<Running>,
    pub(super) restart_at: Option<Instant>,
    /// The number of consecutive workers that ended before they settled.
    failures: u32,
}

impl Slot {
    pub(super) fn is_empty(&self) -> bool {
        self.current.is_none() && self.next.is_none()
    }

    pub(super) fn has(&self, id: u64) -> bool {
        self.is_next(id) || self.current.as_ref().is_some_and(|worker| worker.id == id)
    }

    pub(super) fn is_next(&self, id: u64) -> bool {
        self.next.as_ref().is_some_and(|worker| worker.id == id)
    }

    /// Puts the next worker in the place of the current one, which is returned.
    pub(super) fn promote(&mut self) -> Option<Running> {
        let next = self.next.take()?;
        next.stats.serving.store(true, Relaxed);
        self.current.replace(next)
    }

    /// Removes a worker that has ended.
    pub(super) fn ended(&mut self, id: u64) -> (Option<Running>, Outcome) {
        if self.is_next(id) {
            return (self.next.take(), Outcome::NeverReady);
        }
        let worker = self.current.take();
        if worker
            .as_ref()
            .is_some_and(|worker| worker.started.elapsed() >= SETTLED)
        {
            self.failures = 0;
        }
        (worker, Outcome::Served)
    }

    /// Counts a failure, and sets when to restart; after the first one, at once.
    pub(super) fn fail(&mut self, options: &ServeOptions) -> Duration {
        let pause = backoff(self.failures, options);
        self.failures = self.failures.saturating_add(1);
        self.restart_at = Instant::now().checked_add(pause);
        pause
    }

    /// Restarts a worker in a slot whose worker ended during a failed reload.
    pub(super) fn after_reload(&mut self) {
        if self.current.is_none() {
            self.restart_at = Some(Instant::now());
        }
    }

    pub(super) fn end_now(&mut self) {
        for worker in [&mut self.current, &mut self.next].into_iter().flatten() {
            worker.end_now();
        }
        self.restart_at = None;
    }

    /// Returns whether the next worker takes too long to listen.
    pub(super) fn is_late(&self, now: Instant, options: &ServeOptions) -> bool {
        self.next
            .as_ref()
            .is_some_and(|next| now.duration_since(next.started) > options.start_timeout)
    }

    /// Returns whether the current worker is to be replaced.
    pub(super) fn is_due(&self, _: &ServeOptions) -> bool {
        self.next.is_none()
            && self.restart_at.is_none()
            && self.current.as_ref().is_some_and(Running::is_due)
    }
}

fn backoff(failures: u32, options: &ServeOptions) -> Duration {
    match failures.checked_sub(1) {
        None => Duration::ZERO,
        Some(doublings) => options
            .restart_backoff
            .saturating_mul(1 << doublings.min(20))
            .min(options.max_restart_backoff),
    }
}

/// Returns `n`, or up to a tenth more or less, so that workers that started together are not replaced together.
fn about(n: u64, index: usize) -> u64 {
    let span = n / 10;
    let random = RandomState::new().hash_one(index);
    (n - span).saturating_add(match span {
        0 => 0,
        span => random % (2 * span + 1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_limit() {
        let options = ServeOptions::default();
        let pauses: Vec<u128> = (0..10)
            .map(|failures| backoff(failures, &options).as_millis())
            .collect();
        assert_eq!(
            pauses,
            [0, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]
        );
        assert_eq!(backoff(u32::MAX, &options), options.max_restart_backoff);
    }

    #[test]
    fn jitter_is_a_tenth() {
        for n in [0, 1, 9, 10, 1000, u64::MAX / 2] {
            for index in 0..50 {
                let about = about(n, index);
                assert!(about >= n - n / 10 && about <= n + n / 10, "{n} {about}");
            }
        }
    }
}
