//! The thread that accepts connections, hands them to workers, and supervises the workers.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::unix::AsyncFd;
use tokio::sync::{Notify, mpsc, oneshot};

use super::counters::{EndCause, Stats};
use super::listen::Listener;
use super::options::ServeOptions;
use super::slot::{Outcome, Running, Slot};
use super::tls::Tls;
use super::worker::End;
use crate::program::Program;
use crate::sockets::{Handed, Permit};

/// How often the clock is read. It is also one tick of the engine's epoch.
const TICK: Duration = Duration::from_millis(20);

/// A worker whose event loop was silent for this long gets no new connections.
const SILENT: Duration = Duration::from_millis(100);

/// How long accepting pauses when the system has no descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The events of a server.
pub(super) enum Event {
    /// A worker listens.
    Ready(u64),
    /// A worker's thread has ended.
    Ended(u64, End),
    /// A connection that the embedder accepted.
    HandOver(Handed),
    Reload(Box<Reload>),
    /// Stop accepting, and let the clients finish within the time. The answer is the number of clients that were cut.
    Shutdown(Duration, oneshot::Sender<usize>),
    /// A check that the thread is alive.
    Ping(oneshot::Sender<()>),
}

/// A reload: a new program, or the same one, in new workers.
pub(super) struct Reload {
    pub(super) program: Program,
    pub(super) tls: Option<Option<Tls>>,
    pub(super) done: oneshot::Sender<Result<(), String>>,
}

/// The result of starting: `Ok` once all workers listen.
pub(super) type Started = oneshot::Sender<Result<(), String>>;

pub(super) struct Control {
    pub(super) options: Arc<ServeOptions>,
    pub(super) program: Program,
    pub(super) tls: Option<Tls>,
    pub(super) addresses: Arc<[SocketAddr]>,
    pub(super) stats: Arc<Stats>,
    pub(super) events: mpsc::UnboundedSender<Event>,
    pub(super) back: mpsc::UnboundedSender<Handed>,
    pub(super) freed: Arc<Notify>,
    pub(super) slots: Vec<Slot>,
    /// Workers that finish their connections.
    pub(super) leaving: Vec<Running>,
    pub(super) waiting: VecDeque<Handed>,
    pub(super) next_id: u64,
    pub(super) phase: Phase,
}

pub(super) enum Phase {
    Starting(Started),
    Serving,
    Reloading(Box<Reload>),
    Ending(oneshot::Sender<usize>, usize),
}

impl Control {
    /// Serves until it is told to shut down, or cannot start.
    pub(super) async fn run(
        mut self,
        listeners: Vec<Listener>,
        mut events: mpsc::UnboundedReceiver<Event>,
        mut returned: mpsc::UnboundedReceiver<Handed>,
    ) {
        let Ok(listeners) = listeners
            .into_iter()
            .map(Listener::watch)
            .collect::<std::io::Result<Vec<_>>>()
        else {
            self.fail_to_start("the listening sockets cannot be watched");
            return;
        };
        let mut listeners = Some(Front {
            listeners,
            addresses: Arc::clone(&self.addresses),
            first: 0,
        });
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut pause_until = Instant::now();
        for index in 0..self.slots.len() {
            self.start_next(index);
        }
        loop {
            self.hand_out();
            if matches!(self.phase, Phase::Ending(..)) {
                // New clients are refused from here on.
                listeners = None;
                if self.is_empty() {
                    break;
                }
            } else if matches!(self.phase, Phase::Starting(_)) && self.is_empty() {
                return;
            }
            let accepts = self.waiting.is_empty()
                && !matches!(self.phase, Phase::Starting(_))
                && self.pick().is_some()
                && Instant::now() >= pause_until;
            tokio::select! {
                biased;
                Some(event) = events.recv() => self.on_event(event),
                Some(handed) = returned.recv() => self.waiting.push_back(handed),
                _ = ticks.tick() => self.on_tick(),
                () = self.freed.notified() => {}
                accepted = accept(listeners.as_mut()), if accepts => match accepted {
                    Ok(handed) => self.waiting.push_back(handed),
                    Err(error) => {
                        tracing::warn!("a connection cannot be accepted: {error}");
                        pause_until = Instant::now() + ACCEPT_PAUSE;
                    }
                },
            }
        }
        if let Phase::Ending(done, cut) = self.phase {
            let _ = done.send(cut);
        }
    }

    fn is_empty(&self) -> bool {
        self.leaving.is_empty() && self.slots.iter().all(Slot::is_empty)
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Ready(id) => self.on_ready(id),
            Event::Ended(id, end) => self.on_ended(id, &end),
            Event::HandOver(handed) => self.waiting.push_back(handed),
            Event::Reload(reload) => self.on_reload(reload),
            Event::Shutdown(grace, done) => self.on_shutdown(grace, done),
            Event::Ping(alive) => {
                let _ = alive.send(());
            }
        }
    }

    /// Hands connections to workers for as long as there are both.
    fn hand_out(&mut self) {
        while !self.waiting.is_empty()
            && let Some(index) = self.pick()
            && let Some(handed) = self.waiting.pop_front()
        {
            let freed = Arc::clone(&self.freed);
            let Some(worker) = self
                .slots
                .get_mut(index)
                .and_then(|slot| slot.current.as_mut())
            else {
                return;
            };
            let permit = Permit::new(&worker.stats.meter, &freed, self.options.max_connections);
            if let Err((handed, permit)) = worker.hand(handed, permit) {
                // The worker is ending; its successor serves the connection.
                drop(permit);
                worker.close();
                self.waiting.push_front(handed);
            }
        }
    }

    /// Picks the worker with the fewest connections that listens, is alive and has room.
    fn pick(&self) -> Option<usize> {
        let workers = self.slots.iter().enumerate();
        let workers = workers.filter_map(|(index, slot)| Some((index, slot.current.as_ref()?)));
        workers
            .filter(|(_, worker)| {
                worker.is_open()
                    && worker.live() < self.options.max_connections
                    && worker.stats.life.silent_for() < SILENT
            })
            .min_by_key(|(_, worker)| (worker.live(), worker.accepted()))
            .map(|(index, _)| index)
    }

    /// Starts a worker that takes the place of the current one once it listens.
    fn start_next(&mut self, index: usize) {
        let program = match &self.phase {
            Phase::Reloading(reload) => reload.program.clone(),
            _ => self.program.clone(),
        };
        let tls = match &self.phase {
            Phase::Reloading(reload) => reload.tls.clone().unwrap_or_else(|| self.tls.clone()),
            _ => self.tls.clone(),
        };
        let id = self.next_id;
        self.next_id += 1;
        let started = Running::start(self, id, index, program, tls.as_ref());
        let Some(slot) = self.slots.get_mut(index) else {
            return;
        };
        slot.restart_at = None;
        match started {
            Ok(worker) => {
                self.stats.add(&worker.stats);
                slot.next = Some(worker);
            }
            Err(error) => {
                tracing::error!(worker = index, "its thread cannot be started: {error}");
                slot.fail(&self.options);
            }
        }
    }

    fn on_ready(&mut self, id: u64) {
        // The new program takes over in all workers at once, or in none.
        let together = matches!(self.phase, Phase::Reloading(_));
        let next = self.slots.iter_mut().filter_map(|slot| slot.next.as_mut());
        for worker in next.filter(|next| next.id == id) {
            worker.ready = true;
        }
        let is_ready = |slot: &Slot| slot.next.as_ref().is_some_and(|next| next.ready);
        if together && !self.slots.iter().all(is_ready) {
            return;
        }
        let ready = self.slots.iter_mut().filter(|slot| is_ready(slot));
        let old: Vec<Running> = ready.filter_map(Slot::promote).collect();
        for old in old {
            let cause = "a new one has taken its place";
            tracing::info!(worker = old.stats.index, "the worker finishes: {cause}");
            self.leave(old, self.options.reload_grace);
        }
        let all_new = self.slots.iter().all(|slot| slot.next.is_none());
        match std::mem::replace(&mut self.phase, Phase::Serving) {
            Phase::Starting(started) if all_new => {
                let _ = started.send(Ok(()));
            }
            Phase::Reloading(reload) if all_new => {
                self.program = reload.program;
                if let Some(tls) = reload.tls {
                    self.tls = tls;
                }
                tracing::info!("reloaded");
                let _ = reload.done.send(Ok(()));
            }
            phase => self.phase = phase,
        }
    }

    /// Lets a worker finish its connections.
    pub(super) fn leave(&mut self, mut worker: Running, grace: Duration) {
        worker.finish(Instant::now().checked_add(grace));
        self.leaving.push(worker);
    }

    fn on_ended(&mut self, id: u64, end: &End) {
        if let Some(position) = self.leaving.iter().position(|worker| worker.id == id) {
            let worker = self.leaving.swap_remove(position);
            self.stats.remove(&worker.stats);
            self.stats.ended(end.cause);
            if end.cause != EndCause::Replaced {
                tracing::error!(
                    worker = worker.stats.index,
                    "the worker ended: {}",
                    end.reason
                );
            }
            return;
        }
        let Some(index) = self.slots.iter().position(|slot| slot.has(id)) else {
            return;
        };
        let Some(slot) = self.slots.get_mut(index) else {
            return;
        };
        let (worker, outcome) = slot.ended(id);
        if let Some(worker) = worker {
            self.stats.remove(&worker.stats);
        }
        self.stats.ended(end.cause);
        match (outcome, &self.phase) {
            (_, Phase::Ending(..)) => {}
            (Outcome::NeverReady, Phase::Starting(_)) => self.fail_to_start(&end.reason),
            (Outcome::NeverReady, Phase::Reloading(_)) => self.fail_to_reload(&end.reason),
            _ => {
                let Some(slot) = self.slots.get_mut(index) else {
                    return;
                };
                let pause = slot.fail(&self.options);
                if slot.next.is_some() {
                    // A successor is on its way already.
                    slot.restart_at = None;
                }
                tracing::error!(
                    worker = index,
                    restart_in_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                    "the worker ended: {}",
                    end.reason
                );
                if pause.is_zero() && slot.next.is_none() {
                    self.start_next(index);
                }
            }
        }
    }

    /// Ends everything: the first workers have to start, or nothing is served.
    fn fail_to_start(&mut self, reason: &str) {
        if let Phase::Starting(started) = std::mem::replace(&mut self.phase, Phase::Serving) {
            let (nobody, _) = oneshot::channel();
            self.phase = Phase::Ending(nobody, 0);
            for slot in &mut self.slots {
                slot.end_now();
            }
            let _ = started.send(Err(reason.to_owned()));
        }
    }

    /// Ends the new workers; the old ones continue.
    fn fail_to_reload(&mut self, reason: &str) {
        if let Phase::Reloading(reload) = std::mem::replace(&mut self.phase, Phase::Serving) {
            for slot in &mut self.slots {
                if let Some(mut next) = slot.next.take() {
                    next.end_now();
                    self.leaving.push(next);
                }
                slot.after_reload();
            }
            tracing::error!("the reload failed, the old program goes on: {reason}");
            let _ = reload.done.send(Err(reason.to_owned()));
        }
    }

    fn on_reload(&mut self, reload: Box<Reload>) {
        if !matches!(self.phase, Phase::Serving) {
            let reason = "the server is starting, reloading or ending already";
            let _ = reload.done.send(Err(reason.to_owned()));
            return;
        }
        self.phase = Phase::Reloading(reload);
        for index in 0..self.slots.len() {
            // A replacement that is starting would have the old program.
            if let Some(mut next) = self.slots.get_mut(index).and_then(|slot| slot.next.take()) {
                next.end_now();
                self.leaving.push(next);
            }
            self.start_next(index);
        }
    }

    fn on_shutdown(&mut self, grace: Duration, done: oneshot::Sender<usize>) {
        match std::mem::replace(&mut self.phase, Phase::Ending(done, 0)) {
            Phase::Starting(started) => {
                let _ = started.send(Err("it was told to shut down".to_owned()));
            }
            Phase::Reloading(reload) => {
                let _ = reload.done.send(Err("the server shuts down".to_owned()));
            }
            Phase::Serving | Phase::Ending(..) => {}
        }
        // Accepted connections are served, even by workers that are full.
        self.hand_out();
        for index in 0..self.slots.len() {
            let Some(slot) = self.slots.get_mut(index) else {
                continue;
            };
            slot.restart_at = None;
            let (current, next) = (slot.current.take(), slot.next.take());
            if let Some(mut next) = next {
                next.end_now();
                self.leaving.push(next);
            }
            if let Some(current) = current {
                self.leave(current, grace);
            }
        }
        let until = Instant::now().checked_add(grace);
        for worker in &mut self.leaving {
            worker.finish(until);
        }
    }

    fn on_tick(&mut self) {
        self.program.engine().wasmtime().increment_epoch();
        let now = Instant::now();
        if let Phase::Reloading(reload) = &self.phase {
            // During a reload, both programs may run.
            reload.program.engine().wasmtime().increment_epoch();
        }
        let mut cut = 0;
        for worker in &mut self.leaving {
            cut += worker.cut_if_over(now);
        }
        if cut > 0 {
            tracing::warn!(
                connections = cut,
                "connections outlasted the grace and were cut"
            );
            self.stats.cut(cut);
            if let Phase::Ending(_, total) = &mut self.phase {
                *total += cut;
            }
        }
        if matches!(self.phase, Phase::Ending(..)) {
            return;
        }
        for index in 0..self.slots.len() {
            let Some(slot) = self.slots.get_mut(index) else {
                continue;
            };
            if slot.restart_at.is_some_and(|at| at <= now) {
                self.start_next(index);
            } else if slot.is_late(now, &self.options) {
                self.on_late(index);
            } else if slot.is_due(&self.options) && matches!(self.phase, Phase::Serving) {
                tracing::info!(worker = index, "the worker is old enough to be replaced");
                self.start_next(index);
            } else if let Some(current) = &mut slot.current {
                current.warn_if_it_does_not_accept(now);
            }
        }
    }

    /// Fails a worker that does not listen in time.
    fn on_late(&mut self, index: usize) {
        let wanted: Vec<String> = self.addresses.iter().map(SocketAddr::to_string).collect();
        let reason = format!(
            "it did not listen on {} within {:?}",
            wanted.join(", "),
            self.options.start_timeout
        );
        let Some(mut next) = self.slots.get_mut(index).and_then(|slot| slot.next.take()) else {
            return;
        };
        next.end_now();
        self.leaving.push(next);
        match &self.phase {
            Phase::Starting(_) => self.fail_to_start(&reason),
            Phase::Reloading(_) => self.fail_to_reload(&reason),
            _ => {
                tracing::error!(worker = index, "the worker failed: {reason}");
                if let Some(slot) = self.slots.get_mut(index) {
                    slot.fail(&self.options);
                }
            }
        }
    }
}

/// The listening sockets.
struct Front {
    listeners: Vec<AsyncFd<Listener>>,
    addresses: Arc<[SocketAddr]>,
    /// The listener that is asked first; it changes, so that all get their turn.
    first: usize,
}

impl Front {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<Handed>> {
        let count = self.listeners.len();
        for step in 0..count {
            let index = (self.first + step) % count;
            let (Some(listener), Some(address)) =
                (self.listeners.get(index), self.addresses.get(index))
            else {
                continue;
            };
            while let Poll::Ready(ready) = listener.poll_read_ready(cx) {
                let accepted = ready?.try_io(|socket| socket.get_ref().accept(index, *address));
                match accepted {
                    Ok(Ok(handed)) => {
                        self.first = index + 1;
                        return Poll::Ready(Ok(handed));
                    }
                    // The client has left already.
                    Ok(Err(error))
                        if matches!(
                            error.kind(),
                            std::io::ErrorKind::ConnectionAborted
                                | std::io::ErrorKind::ConnectionReset
                                | std::io::ErrorKind::Interrupted
                        ) => {}
                    Ok(Err(error)) => return Poll::Ready(Err(error)),
                    Err(_would_block) => {}
                }
            }
        }
        Poll::Pending
    }
}

async fn accept(front: Option<&mut Front>) -> std::io::Result<Handed> {
    match front {
        Some(front) => poll_fn(|cx| front.poll_accept(cx)).await,
        None => std::future::pending().await,
    }
}

/// The counts of a worker's connections.
impl Running {
    pub(super) fn live(&self) -> usize {
        self.stats.meter.live.load(Relaxed)
    }

    pub(super) fn accepted(&self) -> u64 {
        self.stats.meter.handed.load(Relaxed)
    }
}
