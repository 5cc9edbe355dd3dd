//! Runs a workload: the peers in turn, repeatedly, so that a disturbance affects all of them.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use asyncio_streams_bench_plan::{Measured, TLS};

use super::figure::{Figure, Value};
use super::machine;
use super::peer::Peer;
use super::peers::Peers;
use super::usage::{Cost, Usage};
use super::workload::{Unit, Work, Workload};
use xtask::checkout;
use xtask::process::Running;

/// The text before the address that a server prints.
const LISTENING: &str = "listening on ";

/// The time that a process may take beyond the measured time.
const PATIENCE: Duration = Duration::from_secs(60);

/// The number and the length of the runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) runs: u32,
    pub(crate) measured: Duration,
    /// Whether to open all connections of workloads with more than 50.
    pub(crate) large: bool,
}

impl Pace {
    /// One short run, to check that everything works.
    pub(crate) const SMOKE: Self = Self {
        runs: 1,
        measured: Duration::from_millis(10),
        large: false,
    };

    fn connections(self, connections: usize) -> usize {
        if self.large {
            connections
        } else {
            connections.min(50)
        }
    }

    /// One run instead of several, four times as long.
    fn once(self) -> Self {
        Self {
            runs: 1,
            measured: self.measured * 4,
            ..self
        }
    }

    fn warmup(self) -> Duration {
        self.measured * 2 / 5
    }
}

/// Measures every peer. Failures are printed and added to `failures`.
pub(crate) fn all(
    workload: &Workload,
    peers: &Peers,
    pace: Pace,
    failures: &mut Vec<String>,
) -> BTreeMap<Peer, Figure> {
    let connections = pace.connections(workload.connections());
    if let Some(limit) = machine::descriptor_limit().filter(|limit| connections + 100 > *limit) {
        eprintln!(
            "\n!!! Left out: {}, since a process may have {limit} descriptors here",
            workload.name
        );
        return BTreeMap::new();
    }
    if workload.tls && peers.certificate().is_none() {
        return BTreeMap::new();
    }
    let pace = if workload.is_large() {
        pace.once()
    } else {
        pace
    };
    let mut values: BTreeMap<Peer, Vec<Value>> = BTreeMap::new();
    let mut failed = Vec::new();
    for _ in 0..pace.runs {
        for &peer in peers
            .peers
            .iter()
            .filter(|peer| peers.takes(workload, **peer))
        {
            if failed.contains(&peer) {
                continue;
            }
            let run = Run {
                peers,
                peer,
                pace,
                tls: workload.tls,
            };
            match run.value(workload) {
                Ok(value) => values.entry(peer).or_default().push(value),
                Err(error) => {
                    let failure = format!("{} by {}: {error:#}", workload.name, peer.name());
                    eprintln!("\n!!! {failure}");
                    failures.push(failure);
                    failed.push(peer);
                }
            }
        }
    }
    let figure = |(peer, values): (_, Vec<_>)| Some((peer, Figure::of(&values, workload.unit)?));
    values
        .into_iter()
        .filter(|(peer, _)| !failed.contains(peer))
        .filter_map(figure)
        .collect()
}

/// One run of one peer.
struct Run<'a> {
    peers: &'a Peers,
    peer: Peer,
    pace: Pace,
    tls: bool,
}

impl Run<'_> {
    fn value(&self, workload: &Workload) -> Result<Value> {
        let n = self.pace.connections(workload.connections());
        let (measured, cost) = match workload.work {
            Work::Client {
                kind, load, size, ..
            } => self.as_client(self.peers.command(self.peer, self.tls), kind, load, size, n)?,
            Work::Python { kind, load, size } => {
                let command = self.peers.command_in_python(self.peer)?;
                self.as_client(command, kind, load, size, n)?
            }
            Work::Requests(_) => {
                let command = self.peers.command_in_python(self.peer)?;
                let (server, address) = self.serving(command, "requests")?;
                self.measure(
                    &self.crowd("requests", &address, n, true),
                    Some(server.id()),
                )?
            }
            Work::Server {
                kind, client, size, ..
            } => {
                let (server, address) = self.server(kind)?;
                let mut words = self.peers.load();
                words.extend(self.client(client, &address, size, n));
                self.measure(&words, Some(server.id()))?
            }
            Work::Idle(_) => return self.idle(n, machine::resident_memory).map(Value::from),
            Work::Linear(_) => return self.idle(n, machine::linear_memory).map(Value::from),
            Work::WakeUp(_) => {
                let (server, address) = self.server("echo")?;
                self.measure(&self.crowd("wake-up", &address, n, true), Some(server.id()))?
            }
            Work::Start => {
                let mut words = self.peers.load();
                words.push("start".to_owned());
                words.extend(self.peers.command(self.peer, self.tls));
                let (measured, _) = self.measure(&words, None)?;
                (measured, None)
            }
            Work::Size(name) => {
                let file = checkout::components().join(name);
                return Ok((file.metadata()?.len() as f64).into());
            }
        };
        let value = match workload.unit {
            Unit::Microseconds => measured.seconds_each() * 1e6,
            Unit::Milliseconds => measured.seconds_each() * 1e3,
            _ => measured.per_second(),
        };
        Ok(Value { value, cost })
    }

    /// The load serves, and the peer measures.
    fn as_client(
        &self,
        mut command: Vec<String>,
        kind: &str,
        load: &str,
        size: usize,
        connections: usize,
    ) -> Result<(Measured, Option<Cost>)> {
        let mut words = self.peers.load();
        words.extend(["load", load, &size.to_string()].map(str::to_owned));
        let mut load = self.start(&words, "the load", PATIENCE + self.pace.measured)?;
        let address = listening(&mut load)?;
        command.extend(self.client(kind, &address, size, connections));
        self.measure(&command, None)
    }

    /// The growth of the server's memory for each connection.
    fn idle(&self, n: usize, memory: fn(u32) -> Result<u64>) -> Result<f64> {
        let (server, address) = self.server("echo")?;
        // Code is loaded and buffers are made that serve all connections: exclude them from the growth.
        self.measure(&self.crowd("wake-up", &address, 8, true), None)?;
        let before = memory(server.id())?;
        let mut crowd = self.start(
            &self.crowd("idle", &address, n, false),
            "the crowd",
            2 * PATIENCE,
        )?;
        let said = crowd.next_line()?;
        if said.as_deref() != Some("open") {
            bail!("the crowd ended before it was complete");
        }
        let grown = memory(server.id())?.saturating_sub(before);
        Ok(grown as f64 / n as f64)
    }

    /// Starts the peer as a server, and returns its address.
    fn server(&self, kind: &str) -> Result<(Running, String)> {
        self.serving(self.peers.command(self.peer, self.tls), kind)
    }

    fn serving(&self, mut words: Vec<String>, kind: &str) -> Result<(Running, String)> {
        words.extend(["server", kind, "127.0.0.1:0"].map(str::to_owned));
        let mut server = self.start(&words, "the server", 3 * PATIENCE + self.pace.measured)?;
        let address = listening(&mut server)?;
        Ok((server, address))
    }

    fn crowd(&self, kind: &str, address: &str, n: usize, measures: bool) -> Vec<String> {
        let mut words = self.peers.load();
        words.extend(["load", kind, address, &n.to_string()].map(str::to_owned));
        if measures {
            words.extend(self.times());
        }
        words
    }

    fn client(&self, kind: &str, address: &str, size: usize, connections: usize) -> Vec<String> {
        let mut words: Vec<String> = [
            "client",
            kind,
            address,
            &size.to_string(),
            &connections.to_string(),
        ]
        .map(str::to_owned)
        .into();
        words.extend(self.times());
        words
    }

    fn times(&self) -> [String; 2] {
        [self.pace.warmup(), self.pace.measured].map(|time| time.as_millis().to_string())
    }

    /// Starts a program.
    fn start(&self, words: &[String], what: &str, deadline: Duration) -> Result<Running> {
        let mut command = command(words);
        if let Some(certificate) = self.peers.certificate().filter(|_| self.tls) {
            command.env(TLS, certificate);
        }
        Ok(Running::start(&mut command, what)?.within(deadline))
    }

    /// Runs the measuring side to its end, and samples the use of a process meanwhile: `process`, or else that of the
    /// measuring side.
    fn measure(&self, words: &[String], process: Option<u32>) -> Result<(Measured, Option<Cost>)> {
        let mut measuring = self.start(
            words,
            "the measuring side",
            2 * PATIENCE + self.pace.measured,
        )?;
        let usage = Usage::of(process.unwrap_or(measuring.id()));
        let mut said = None;
        while let Some(line) = measuring.next_line()? {
            said = Some((line, Instant::now()));
        }
        let status = measuring.finish()?;
        if !status.success() {
            bail!("the measuring side failed ({status})");
        }
        let (said, end) = said.context("the measuring side printed nothing")?;
        let measured: Measured = said.parse().map_err(anyhow::Error::msg)?;
        Ok((measured, usage.cost(end, measured)))
    }
}

/// A program with as many descriptors as the system permits, in an environment that does not affect the figures.
fn command(words: &[String]) -> Command {
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "ulimit -n \"$(ulimit -H -n)\" 2>/dev/null; exec \"$@\"",
        "sh",
    ]);
    command
        .args(words)
        .stdout(Stdio::piped())
        .current_dir(crate::folder());
    // With the value 1, the first two make a message more expensive under wasmtime 48.
    for variable in ["RUST_BACKTRACE", "RUST_LIB_BACKTRACE", "RUST_LOG"] {
        command.env_remove(variable);
    }
    command
}

/// Waits until a server prints its address.
fn listening(server: &mut Running) -> Result<String> {
    while let Some(line) = server.next_line()? {
        if let Some(address) = line.strip_prefix(LISTENING) {
            return Ok(address.trim().to_owned());
        }
    }
    bail!("the server ended before it listened")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_run_without_backtraces() {
        let words = ["env".to_owned()];
        let command = command(&words);
        for variable in ["RUST_BACKTRACE", "RUST_LIB_BACKTRACE", "RUST_LOG"] {
            let set = command.get_envs().find(|(name, _)| *name == variable);
            assert_eq!(set.map(|(_, value)| value), Some(None), "{variable}");
        }
    }
}
