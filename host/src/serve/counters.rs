//! The counters of a server.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::life::Life;
use crate::sockets::Meter;

/// The reasons why a worker, or an instance of it, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndCause {
    /// It trapped, or panicked.
    Trap,
    /// It trapped after memory beyond the limit was refused.
    Memory,
    /// It computed for too long without waiting.
    Stuck,
    /// It returned.
    Exit,
    /// It was replaced: it had served too many connections, was too old, or got a new program.
    Replaced,
}

const CAUSES: [(EndCause, &str); 5] = [
    (EndCause::Trap, "trap"),
    (EndCause::Memory, "memory"),
    (EndCause::Stuck, "stuck"),
    (EndCause::Exit, "exit"),
    (EndCause::Replaced, "replaced"),
];

impl EndCause {
    fn index(self) -> usize {
        CAUSES
            .iter()
            .position(|(cause, _)| *cause == self)
            .unwrap_or_default()
    }
}

/// The counts at one moment.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Counters {
    /// Connections that are open.
    pub live: usize,
    /// The open connections that the program has not accepted yet.
    pub queued: usize,
    /// Connections that were handed to programs.
    pub accepted: u64,
    /// Connections that were refused: a PROXY header or a TLS handshake was wrong or late.
    pub rejected: u64,
    /// Connections that were cut because they outlasted a grace.
    pub cut: u64,
    /// Bytes that programs received.
    pub received: u64,
    /// Bytes that programs sent.
    pub sent: u64,
    /// Workers, and with [`Isolation::Connection`](super::Isolation::Connection) instances, that ended by a trap.
    pub traps: u64,
    /// Those that ended because memory beyond the limit was refused.
    pub out_of_memory: u64,
    /// Those that ended because they computed for too long.
    pub stuck: u64,
    /// Those that returned.
    pub exits: u64,
    /// Workers that were replaced.
    pub replaced: u64,
    /// The workers that run.
    pub workers: Vec<WorkerCounters>,
}

/// Counts of one worker.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WorkerCounters {
    /// Its place among the workers; a worker that is being replaced and its successor have the same.
    pub index: usize,
    /// Whether it may get new connections.
    pub serving: bool,
    /// Open connections.
    pub live: usize,
    /// Connections that were handed to it.
    pub accepted: u64,
    /// How long it has run.
    pub age: Duration,
    /// How late its event loop was, at its last beat or now.
    pub lag: Duration,
    /// Bytes of memory and tables of its instances.
    pub memory: usize,
}

/// The state of a worker that other threads may read.
#[derive(Debug)]
pub(super) struct WorkerStats {
    pub(super) index: usize,
    pub(super) serving: AtomicBool,
    pub(super) meter: Arc<Meter>,
    pub(super) life: Arc<Life>,
    pub(super) memory: Arc<AtomicUsize>,
}

impl WorkerStats {
    pub(super) fn new(index: usize) -> Arc<Self> {
        Arc::new(Self {
            index,
            serving: AtomicBool::new(false),
            meter: Arc::default(),
            life: Life::new(),
            memory: Arc::default(),
        })
    }
}

/// Counts of a server.
#[derive(Debug, Default)]
pub(super) struct Stats {
    workers: Mutex<Vec<Arc<WorkerStats>>>,
    /// The counts of the workers that have ended.
    accepted: AtomicU64,
    rejected: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
    ends: [AtomicU64; CAUSES.len()],
    cut: AtomicU64,
}

impl Stats {
    pub(super) fn add(&self, worker: &Arc<WorkerStats>) {
        self.lock().push(Arc::clone(worker));
    }

    /// Adds the counts of a worker that has ended to the totals.
    pub(super) fn remove(&self, worker: &Arc<WorkerStats>) {
        let mut workers = self.lock();
        workers.retain(|other| !Arc::ptr_eq(other, worker));
        let meter = &worker.meter;
        self.accepted.fetch_add(meter.handed.load(Relaxed), Relaxed);
        self.rejected
            .fetch_add(meter.rejected.load(Relaxed), Relaxed);
        self.received
            .fetch_add(meter.received.load(Relaxed), Relaxed);
        self.sent.fetch_add(meter.sent.load(Relaxed), Relaxed);
    }

    pub(super) fn ended(&self, cause: EndCause) {
        if let Some(count) = self.ends.get(cause.index()) {
            count.fetch_add(1, Relaxed);
        }
    }

    pub(super) fn cut(&self, connections: usize) {
        self.cut.fetch_add(connections as u64, Relaxed);
    }

    pub(super) fn counters(&self) -> Counters {
        let workers = self.lock();
        let end = |cause: EndCause| {
            self.ends
                .get(cause.index())
                .map_or(0, |count| count.load(Relaxed))
        };
        let mut counters = Counters {
            accepted: self.accepted.load(Relaxed),
            rejected: self.rejected.load(Relaxed),
            received: self.received.load(Relaxed),
            sent: self.sent.load(Relaxed),
            cut: self.cut.load(Relaxed),
            traps: end(EndCause::Trap),
            out_of_memory: end(EndCause::Memory),
            stuck: end(EndCause::Stuck),
            exits: end(EndCause::Exit),
            replaced: end(EndCause::Replaced),
            ..Counters::default()
        };
        for worker in workers.iter() {
            let meter = &worker.meter;
            let live = meter.live.load(Relaxed);
            let accepted = meter.handed.load(Relaxed);
            counters.live += live;
            counters.queued += meter.queued.load(Relaxed);
            counters.accepted += accepted;
            counters.rejected += meter.rejected.load(Relaxed);
            counters.received += meter.received.load(Relaxed);
            counters.sent += meter.sent.load(Relaxed);
            counters.workers.push(WorkerCounters {
                index: worker.index,
                serving: worker.serving.load(Relaxed),
                live,
                accepted,
                age: worker.life.age(),
                lag: worker.life.lag(),
                memory: worker.memory.load(Relaxed),
            });
        }
        counters.workers.sort_by_key(|worker| worker.index);
        counters
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<WorkerStats>>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counters {
    /// The counts in the text format of Prometheus.
    pub fn prometheus(&self) -> String {
        let mut text = String::new();
        let mut metric = |name: &str, kind: &str, help: &str, samples: &[(String, f64)]| {
            // Writing to a String never fails.
            let _ = writeln!(text, "# HELP streams_{name} {help}");
            let _ = writeln!(text, "# TYPE streams_{name} {kind}");
            for (labels, value) in samples {
                let _ = writeln!(text, "streams_{name}{labels} {value}");
            }
        };
        let one = |value: u64| [(String::new(), value as f64)];
        metric(
            "connections",
            "gauge",
            "Open connections.",
            &one(self.live as u64),
        );
        metric(
            "connections_queued",
            "gauge",
            "Connections that the program has not accepted yet.",
            &one(self.queued as u64),
        );
        metric(
            "connections_accepted_total",
            "counter",
            "Connections handed to programs.",
            &one(self.accepted),
        );
        metric(
            "connections_rejected_total",
            "counter",
            "Connections refused for their PROXY header or TLS handshake.",
            &one(self.rejected),
        );
        metric(
            "connections_cut_total",
            "counter",
            "Connections that outlasted a grace.",
            &one(self.cut),
        );
        metric(
            "received_bytes_total",
            "counter",
            "Bytes that programs received.",
            &one(self.received),
        );
        metric(
            "sent_bytes_total",
            "counter",
            "Bytes that programs sent.",
            &one(self.sent),
        );
        let counts = [
            self.traps,
            self.out_of_memory,
            self.stuck,
            self.exits,
            self.replaced,
        ];
        let ends: Vec<_> = CAUSES
            .iter()
            .zip(counts)
            .map(|((_, cause), count)| (format!("{{cause=\"{cause}\"}}"), count as f64))
            .collect();
        metric(
            "worker_ends_total",
            "counter",
            "Workers and instances that ended.",
            &ends,
        );
        let per_worker = |value: &dyn Fn(&WorkerCounters) -> f64| -> Vec<(String, f64)> {
            self.workers
                .iter()
                .filter(|worker| worker.serving)
                .map(|worker| (format!("{{worker=\"{}\"}}", worker.index), value(worker)))
                .collect()
        };
        metric(
            "worker_connections",
            "gauge",
            "Open connections of a worker.",
            &per_worker(&|worker| worker.live as f64),
        );
        metric(
            "worker_age_seconds",
            "gauge",
            "How long a worker has run.",
            &per_worker(&|worker| worker.age.as_secs_f64()),
        );
        metric(
            "worker_lag_seconds",
            "gauge",
            "How late the event loop of a worker was.",
            &per_worker(&|worker| worker.lag.as_secs_f64()),
        );
        metric(
            "worker_memory_bytes",
            "gauge",
            "Memory and tables of the instances of a worker.",
            &per_worker(&|worker| worker.memory as f64),
        );
        let draining = self.workers.iter().filter(|worker| !worker.serving).count();
        metric(
            "workers_draining",
            "gauge",
            "Workers that start, or that finish their connections.",
            &one(draining as u64),
        );
        text
    }
}
