//! A worker: a thread that runs the program.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use super::control::Event;
use super::counters::{EndCause, Stats, WorkerStats};
use super::options::{Isolation, ServeOptions};
use super::output::Lines;
use super::quit::Quit;
use crate::life::{BEAT, Watch};
use crate::program::{Command, ExitStatus, Program, RunError, Stdin, Stdout};
use crate::sockets::{Given, Handed, Permit, Prepare, queue};

/// How long the last bytes of TLS connections may take to leave after the program has returned.
const LINGER: Duration = Duration::from_secs(5);

/// The order to a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(super) enum Drain {
    /// Continue to serve.
    No,
    /// Finish the connections.
    Finish,
    /// End at once.
    Now,
}

/// How a worker ended.
#[derive(Debug)]
pub(super) struct End {
    pub(super) cause: EndCause,
    /// The cause, in one line, without control characters.
    pub(super) reason: String,
}

/// The parts that a worker's thread needs.
pub(super) struct Worker {
    pub(super) id: u64,
    pub(super) program: Program,
    pub(super) options: Arc<ServeOptions>,
    pub(super) addresses: Arc<[SocketAddr]>,
    pub(super) prepare: Option<Arc<Prepare>>,
    pub(super) stats: Arc<WorkerStats>,
    pub(super) all: Arc<Stats>,
    pub(super) events: mpsc::UnboundedSender<Event>,
    pub(super) back: mpsc::UnboundedSender<Handed>,
    pub(super) drain: watch::Receiver<Drain>,
    /// Shared with every output that is not completely written yet.
    pub(super) printing: Arc<()>,
}

/// Connections for a worker, one channel for each listener.
pub(super) type Senders = Vec<mpsc::UnboundedSender<(Handed, Permit)>>;

impl Worker {
    /// Starts the thread. Its end is always sent as an event, even after a panic.
    pub(super) fn start(self) -> std::io::Result<Senders> {
        let (senders, receivers): (Vec<_>, Vec<_>) = self
            .addresses
            .iter()
            .map(|_| mpsc::unbounded_channel())
            .unzip();
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        if self.options.isolation == Isolation::Connection {
            // An instance that computes yields at each tick of the epoch. By default the runtime would check its
            // sockets only after 61 such turns.
            runtime.event_interval(1);
        }
        let runtime = runtime.enable_all().build()?;
        std::thread::Builder::new()
            .name(format!("worker-{}", self.stats.index))
            .spawn(move || {
                let (id, events) = (self.id, self.events.clone());
                let run = AssertUnwindSafe(|| runtime.block_on(self.run(receivers)));
                let end = std::panic::catch_unwind(run).unwrap_or_else(|_| End {
                    cause: EndCause::Trap,
                    reason: "the host panicked under it".to_owned(),
                });
                drop(runtime);
                // Without a server there is no receiver.
                let _ = events.send(Event::Ended(id, end));
            })?;
        Ok(senders)
    }

    async fn run(&self, receivers: Vec<mpsc::UnboundedReceiver<(Handed, Permit)>>) -> End {
        match self.options.isolation {
            Isolation::Worker => self.run_shared(receivers).await,
            Isolation::Connection => self.run_isolated(receivers).await,
        }
    }

    /// Runs one instance for all connections.
    async fn run_shared(&self, receivers: Vec<mpsc::UnboundedReceiver<(Handed, Permit)>>) -> End {
        let quit = Quit::new();
        let mut waiting = self.addresses.len();
        let (listens, mut listening) = mpsc::unbounded_channel();
        let given = receivers.into_iter().zip(self.addresses.iter());
        let given = given.map(|(receiver, address)| {
            let listens = listens.clone();
            Given {
                address: *address,
                queue: queue(receiver, self.back.clone(), self.prepare.clone()),
                on_listen: Box::new(move || {
                    let _ = listens.send(());
                }),
            }
        });
        let watch = self.watch(Arc::clone(&self.stats.life), BEAT);
        let command = match self.command(&quit, watch) {
            Ok(command) => given.fold(command, Command::give),
            Err(error) => return self.end_of(Err(error), &self.stats.life),
        };
        let mut run = pin!(command.run());
        let mut finished = pin!(self.finished(&quit));
        let end = loop {
            tokio::select! {
                result = &mut run => break self.end_of(result, &self.stats.life),
                end = &mut finished => return end,
                Some(()) = listening.recv() => {
                    waiting = waiting.saturating_sub(1);
                    if waiting == 0 {
                        let _ = self.events.send(Event::Ready(self.id));
                    }
                }
            }
        };
        self.linger().await;
        end
    }

    /// Lets the program finish when that is ordered, and returns when it is to be ended.
    async fn finished(&self, quit: &Quit) -> End {
        let mut drain = self.drain.clone();
        let is = |wanted: Drain| move |now: &Drain| *now >= wanted;
        // An error means that the server is gone.
        let _ = drain.wait_for(is(Drain::Finish)).await;
        let finish = async {
            // Wait for the queue: a program that is asked to finish accepts nothing more.
            let meter = &self.stats.meter;
            while meter.queued.load(Relaxed) > 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            quit.ask();
            // A program that does not read its input cannot notice its end: it is ended after its last connection.
            while quit.is_heard() || meter.live.load(Relaxed) > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::select! {
            () = finish => {}
            _ = async { let _ = drain.wait_for(is(Drain::Now)).await; } => {}
        }
        End {
            cause: EndCause::Replaced,
            reason: "it was replaced or shut down".to_owned(),
        }
    }

    /// Runs an instance for each connection.
    async fn run_isolated(&self, receivers: Vec<mpsc::UnboundedReceiver<(Handed, Permit)>>) -> End {
        // Try once first: a program that cannot listen is found before the first client.
        if let Err(end) = self.try_out().await {
            self.linger().await;
            return end;
        }
        let _ = self.events.send(Event::Ready(self.id));
        let mut connections = Merged { receivers };
        let mut runs = JoinSet::new();
        let mut drain = self.drain.clone();
        let mut beats = tokio::time::interval(BEAT);
        beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut open = true;
        while open || !runs.is_empty() {
            tokio::select! {
                next = std::future::poll_fn(|cx| connections.poll_next(cx)), if open => match next {
                    Some((listener, connection)) => self.spawn(&mut runs, listener, connection),
                    None => open = false,
                },
                Some(_) = runs.join_next() => {}
                _ = beats.tick() => self.stats.life.beat(BEAT),
                _ = async { let _ = drain.wait_for(|now| *now >= Drain::Now).await; } => break,
            }
        }
        drop(runs);
        self.linger().await;
        End {
            cause: EndCause::Replaced,
            reason: "it was replaced or shut down".to_owned(),
        }
    }

    /// Runs an instance until it listens everywhere.
    async fn try_out(&self) -> Result<(), End> {
        let quit = Quit::new();
        let life = crate::life::Life::new();
        let (listens, mut listening) = mpsc::unbounded_channel();
        let mut senders = Vec::new();
        let mut command = match self.command(&quit, self.watch(Arc::clone(&life), BEAT)) {
            Ok(command) => command,
            Err(error) => return Err(self.end_of(Err(error), &life)),
        };
        for address in self.addresses.iter() {
            let (sender, receiver) = mpsc::unbounded_channel();
            senders.push(sender);
            let listens = listens.clone();
            command = command.give(Given {
                address: *address,
                queue: queue(receiver, self.back.clone(), None),
                on_listen: Box::new(move || {
                    let _ = listens.send(());
                }),
            });
        }
        let all = async {
            for _ in self.addresses.iter() {
                let _ = listening.recv().await;
            }
        };
        let mut drain = self.drain.clone();
        tokio::select! {
            result = command.run() => Err(self.end_of(result, &life)),
            () = all => Ok(()),
            _ = async { let _ = drain.wait_for(|now| *now >= Drain::Now).await; } => Err(End {
                cause: EndCause::Replaced,
                reason: "it was replaced or shut down".to_owned(),
            }),
        }
    }

    /// Starts an instance for one connection.
    fn spawn(&self, runs: &mut JoinSet<()>, listener: usize, connection: (Handed, Permit)) {
        let quit = Quit::new();
        let life = crate::life::Life::new();
        // Often enough for the limit, and seldom enough for thousands of instances.
        let interval = self
            .options
            .stuck_timeout
            .map_or(Duration::from_secs(60), |limit| (limit / 4).max(BEAT));
        let command = match self.command(&quit, self.watch(Arc::clone(&life), interval)) {
            Ok(command) => command,
            Err(error) => {
                self.end_of(Err(error), &life);
                return;
            }
        };
        let (handed, mut permit) = connection;
        let (ended, over) = oneshot::channel::<()>();
        permit.on_end(ended);
        // The connection of an instance that fails is lost: it is not handed to another.
        let (nowhere, _) = mpsc::unbounded_channel();
        let mut connection = Some((handed, permit));
        let command =
            self.addresses
                .iter()
                .enumerate()
                .fold(command, |command, (index, address)| {
                    let (sender, receiver) = mpsc::unbounded_channel();
                    if index == listener
                        && let Some(connection) = connection.take()
                    {
                        let _ = sender.send(connection);
                    }
                    command.give(Given {
                        address: *address,
                        queue: queue(receiver, nowhere.clone(), self.prepare.clone()),
                        on_listen: Box::new(|| {}),
                    })
                });
        let grace = self.options.reload_grace;
        let report = self.reporter(Arc::clone(&life));
        runs.spawn(async move {
            let after = async {
                // The permit was dropped: the connection has ended.
                let _ = over.await;
                quit.ask();
                if quit.is_heard() {
                    tokio::time::sleep(grace).await;
                }
            };
            tokio::select! {
                result = command.run() => report(result),
                () = after => {}
            }
        });
    }

    /// Returns a function that reports how an instance for one connection ended.
    fn reporter(
        &self,
        life: Arc<crate::life::Life>,
    ) -> impl FnOnce(Result<ExitStatus, RunError>) + Send + 'static {
        let (index, all) = (self.stats.index, Arc::clone(&self.all));
        move |result| {
            if let Err(error) = result {
                let (cause, reason) = (cause_of(&error, &life), error.to_string());
                all.ended(cause);
                tracing::error!(
                    worker = index,
                    "the instance of a connection ended: {reason}"
                );
            }
        }
    }

    fn watch(&self, life: Arc<crate::life::Life>, interval: Duration) -> Watch {
        let limit = match self.program.engine().is_interruptible() {
            true => self.options.stuck_timeout,
            false => None,
        };
        // With a limit shorter than the interval, programs that only wait would be ended.
        let interval = limit.map_or(interval, |limit| interval.min(limit / 4));
        Watch {
            life,
            interval,
            limit,
        }
    }

    fn command(&self, quit: &Quit, watch: Watch) -> Result<Command, RunError> {
        let index = self.stats.index;
        let names: Vec<String> = self.addresses.iter().map(SocketAddr::to_string).collect();
        // The host has already reported the addresses on which it listens.
        let told = names.iter().map(|name| format!("listening on {name}"));
        let limits = self
            .options
            .limits
            .clone()
            .max_handles(self.options.handles());
        let mut command = self
            .program
            .command()
            .args(&self.options.args)
            .network(self.options.network.clone())
            .limits(limits)
            .stdin(Stdin::stream(quit.clone()))
            .signals(quit.signals())
            .stdout(Stdout::writer(Lines::stdout(
                index,
                told.collect(),
                &self.printing,
            )))
            .stderr(Stdout::writer(Lines::stderr(index, &self.printing)))
            .count_memory(Arc::clone(&self.stats.memory))
            .watch(watch)
            // The host decides when the grace is over.
            .env(
                "STREAMS_SERVE",
                format!("--until-stdin-closes --grace 1000000 {}", names.join(" ")),
            );
        for (name, value) in &self.options.env {
            command = command.env(name, value);
        }
        for (host, guest) in &self.options.dirs {
            command = command.dir(host, guest)?;
        }
        Ok(command)
    }

    fn end_of(&self, result: Result<ExitStatus, RunError>, life: &crate::life::Life) -> End {
        match result {
            Ok(status) if *self.drain.borrow() == Drain::No => End {
                cause: EndCause::Exit,
                reason: format!("it returned, with exit status {}", status.code()),
            },
            Ok(status) => End {
                cause: EndCause::Replaced,
                reason: format!("it finished, with exit status {}", status.code()),
            },
            Err(error) => End {
                cause: cause_of(&error, life),
                reason: error.to_string(),
            },
        }
    }

    /// Waits for the last bytes of connections that the host still flushes, and for the program's last output.
    async fn linger(&self) {
        let meter = &self.stats.meter;
        let flushed = async {
            while meter.live.load(Relaxed) > meter.queued.load(Relaxed)
                || Arc::strong_count(&self.printing) > 1
            {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        // Anything that is not sent by then is lost with the runtime.
        let _ = tokio::time::timeout(LINGER, flushed).await;
    }
}

fn cause_of(error: &RunError, life: &crate::life::Life) -> EndCause {
    match error {
        _ if life.was_stuck() => EndCause::Stuck,
        RunError::Trapped { cause, .. } if cause.contains("memory beyond the limit") => {
            EndCause::Memory
        }
        _ => EndCause::Trap,
    }
}

/// The receivers of all listeners as one.
struct Merged {
    receivers: Vec<mpsc::UnboundedReceiver<(Handed, Permit)>>,
}

impl Merged {
    /// The next connection and its listener; `None` when all have ended.
    fn poll_next(
        &mut self,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<(usize, (Handed, Permit))>> {
        use std::task::Poll::{Pending, Ready};
        let mut ended = 0;
        for (index, receiver) in self.receivers.iter_mut().enumerate() {
            match receiver.poll_recv(cx) {
                Ready(Some(connection)) => return Ready(Some((index, connection))),
                Ready(None) => ended += 1,
                Pending => {}
            }
        }
        match ended == self.receivers.len() {
            true => Ready(None),
            false => Pending,
        }
    }
}
