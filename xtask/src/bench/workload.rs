//! What is measured.

use anyhow::{Result, bail};

use super::peers::Peer;

/// One thing to measure.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) work: Work,
    pub(crate) unit: Unit,
}

/// How it is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// The peer is a client of the load, and takes the time.
    Client {
        kind: &'static str,
        load: &'static str,
        size: usize,
        connections: usize,
    },
    /// The peer is a server, the load its client, which takes the time.
    Server {
        kind: &'static str,
        client: &'static str,
        size: usize,
        connections: usize,
    },
    /// The peer is a server with so many connections: its process' memory for each.
    Idle(usize),
    /// The same: the linear memory for each.
    Linear(usize),
    /// The peer is a server with so many connections: a byte there and back on one.
    WakeUp(usize),
    /// From the start of the peer to the first byte of its connection.
    Start,
    /// The length of a file.
    Size,
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Lines,
    BytesPerSecond,
    Messages,
    Connections,
    Microseconds,
    Milliseconds,
    Bytes,
    BytesEach,
}

impl Unit {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Unit::Lines => "lines/s",
            Unit::BytesPerSecond => "bytes/s",
            Unit::Messages => "messages/s",
            Unit::Connections => "connections/s",
            Unit::Microseconds => "µs",
            Unit::Milliseconds => "ms",
            Unit::Bytes => "bytes",
            Unit::BytesEach => "bytes/connection",
        }
    }

    pub(crate) fn higher_is_better(self) -> bool {
        match self {
            Unit::Lines | Unit::BytesPerSecond | Unit::Messages | Unit::Connections => true,
            Unit::Microseconds | Unit::Milliseconds | Unit::Bytes | Unit::BytesEach => false,
        }
    }
}

impl Workload {
    /// Whether this peer takes part.
    pub(crate) fn has(&self, peer: Peer) -> bool {
        match self.work {
            // Only a component has a linear memory.
            Work::Linear(_) => peer.is_component(),
            // One file is measured, which both ways of using it share.
            Work::Size => peer == Peer::Ours,
            _ => true,
        }
    }

    /// How many connections are open at once.
    pub(crate) fn connections(&self) -> usize {
        match self.work {
            Work::Client { connections, .. } | Work::Server { connections, .. } => connections,
            Work::Idle(n) | Work::Linear(n) | Work::WakeUp(n) => n,
            Work::Start | Work::Size => 1,
        }
    }

    /// Whether there are so many that one run has to do.
    pub(crate) fn is_large(&self) -> bool {
        self.connections() >= 10_000
    }
}

/// All workloads, in the order of the tables.
pub(crate) fn all() -> Vec<Workload> {
    let mut all = Vec::new();
    let mut add = |name: &str, about: &str, unit, work| {
        all.push(Workload {
            name: name.to_owned(),
            about: about.to_owned(),
            work,
            unit,
        });
    };
    let client = |kind, load, size| Work::Client {
        kind,
        load,
        size,
        connections: 1,
    };
    add(
        "lines-64",
        "lines of 64 bytes read",
        Unit::Lines,
        client("lines", "lines", 64),
    );
    add(
        "lines-1k",
        "lines of 1 KiB read",
        Unit::Lines,
        client("lines", "lines", 1 << 10),
    );
    add(
        "until-crlf",
        "lines of 64 bytes read by a separator of two bytes",
        Unit::Lines,
        client("until", "separators", 64),
    );
    add(
        "bulk-in",
        "bytes received",
        Unit::BytesPerSecond,
        client("bulk-in", "source", 1),
    );
    add(
        "bulk-out",
        "bytes sent",
        Unit::BytesPerSecond,
        client("bulk-out", "sink", 64 << 10),
    );
    for (side, is_client) in [("client", true), ("server", false)] {
        for (label, size) in [("1k", 1 << 10), ("10k", 10 << 10), ("100k", 100 << 10)] {
            for connections in [1, 50] {
                let work = if is_client {
                    Work::Client {
                        kind: "echo",
                        load: "echo",
                        size,
                        connections,
                    }
                } else {
                    Work::Server {
                        kind: "echo",
                        client: "echo",
                        size,
                        connections,
                    }
                };
                add(
                    &format!("echo-{side}-{label}-{connections}"),
                    &format!(
                        "messages of {} KiB there and back, as {side}, on {connections} connections",
                        size >> 10
                    ),
                    Unit::Messages,
                    work,
                );
            }
        }
    }
    for (name, kind, about) in [
        (
            "write-read",
            "write-read",
            "128 bytes written at once, as many read",
        ),
        (
            "write-write-read",
            "write-write-read",
            "the same in two writes",
        ),
        (
            "write-drain-write-drain-read",
            "write-drain",
            "the same with a drain after each write",
        ),
    ] {
        add(name, about, Unit::Microseconds, client(kind, "answer", 128));
    }
    add(
        "connect",
        "connections opened, greeted with a byte and closed, one after the other",
        Unit::Connections,
        client("connect", "greet", 0),
    );
    let greet = Work::Server {
        kind: "greet",
        client: "connect",
        size: 0,
        connections: 16,
    };
    add(
        "accept",
        "connections accepted, greeted with a byte and closed, from 16 at once",
        Unit::Connections,
        greet,
    );
    for n in [1000, 10_000] {
        add(
            &format!("idle-{n}"),
            &format!("process memory for each of {n} waiting connections"),
            Unit::BytesEach,
            Work::Idle(n),
        );
    }
    add(
        "idle-linear-10000",
        "linear memory for each of 10000 waiting connections",
        Unit::BytesEach,
        Work::Linear(10_000),
    );
    for n in [100, 10_000] {
        add(
            &format!("wakeup-{n}"),
            &format!("a byte there and back on one of {n} connections"),
            Unit::Microseconds,
            Work::WakeUp(n),
        );
    }
    add(
        "start",
        "from the start of the program to its first byte",
        Unit::Milliseconds,
        Work::Start,
    );
    add("size", "streams.wasm", Unit::Bytes, Work::Size);
    all
}

/// Those that were named, in the order of the tables; all, when none was.
///
/// # Errors
/// A name that none has, with the list of those that there are.
pub(crate) fn chosen(names: &[String]) -> Result<Vec<Workload>> {
    let all = all();
    if let Some(unknown) = names
        .iter()
        .find(|name| all.iter().all(|workload| workload.name != **name))
    {
        bail!("there is no workload {unknown:?}.\n{}", help());
    }
    let wanted = |workload: &Workload| names.is_empty() || names.contains(&workload.name);
    Ok(all.into_iter().filter(wanted).collect())
}

/// The list of workloads for people.
pub(crate) fn help() -> String {
    let mut help = String::from("Workloads:\n");
    for Workload {
        name, about, unit, ..
    } in all()
    {
        help.push_str(&format!("  {name:<28} {about} ({})\n", unit.name()));
    }
    help
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_were_agreed_on() {
        let names: Vec<String> = all().into_iter().map(|workload| workload.name).collect();
        let echo = |side: &str| {
            ["1k-1", "1k-50", "10k-1", "10k-50", "100k-1", "100k-50"]
                .map(|of| format!("echo-{side}-{of}"))
        };
        let mut expected: Vec<String> =
            ["lines-64", "lines-1k", "until-crlf", "bulk-in", "bulk-out"]
                .map(String::from)
                .into();
        expected.extend(echo("client"));
        expected.extend(echo("server"));
        expected.extend(
            [
                "write-read",
                "write-write-read",
                "write-drain-write-drain-read",
                "connect",
                "accept",
                "idle-1000",
                "idle-10000",
                "idle-linear-10000",
                "wakeup-100",
                "wakeup-10000",
                "start",
                "size",
            ]
            .map(String::from),
        );
        assert_eq!(names, expected);
    }

    #[test]
    fn some_are_chosen_by_name() {
        let chosen = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            chosen(&names).map(|chosen| {
                chosen
                    .into_iter()
                    .map(|workload| workload.name)
                    .collect::<Vec<_>>()
            })
        };
        assert_eq!(chosen(&["size", "bulk-in"]).unwrap(), ["bulk-in", "size"]);
        assert_eq!(chosen(&[]).unwrap().len(), all().len());
        let error = chosen(&["lines-64", "bulk"]).unwrap_err().to_string();
        assert!(
            error.contains("\"bulk\"") && error.contains("echo-server-100k-50"),
            "{error}"
        );
    }
}
