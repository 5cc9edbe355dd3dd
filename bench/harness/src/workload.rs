//! A workload: how it is measured, and what its figures count.

use serde::{Deserialize, Serialize};

use super::peer::Peer;

/// The workloads of peers in other languages.
const FOREIGN: [&str; 3] = ["lines-64", "echo-client-1k-1", "echo-server-1k-50"];

/// One thing to measure.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) work: Work,
    pub(crate) unit: Unit,
    /// Whether the connections are protected by TLS.
    pub(crate) tls: bool,
    /// Whether it is for the peers whose calls block.
    pub(crate) blocking: bool,
}

/// How a workload is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// The peer is a client of the load, and measures.
    Client {
        kind: &'static str,
        load: &'static str,
        size: usize,
        connections: usize,
    },
    /// As above on one connection, but the peer is a program in Python. The same file runs under the newest CPython
    /// of the machine, and as a component.
    Python {
        kind: &'static str,
        load: &'static str,
        size: usize,
    },
    /// The peer is an application that a server in Python serves; the load asks it for pages on this many connections.
    Requests(usize),
    /// The peer is a server; the load is its client, which measures.
    Server {
        kind: &'static str,
        client: &'static str,
        size: usize,
        connections: usize,
    },
    /// The peer is a server with this many connections: the memory of its process for each.
    Idle(usize),
    /// The same, but its linear memory for each.
    Linear(usize),
    /// The peer is a server with this many connections: a byte there and back on one of them.
    WakeUp(usize),
    /// From the start of the peer to the first byte of its connection.
    Start,
    /// The size of one of the components.
    Size(&'static str),
}

/// The unit of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Unit {
    #[serde(rename = "lines/s")]
    Lines,
    #[serde(rename = "bytes/s")]
    BytesPerSecond,
    #[serde(rename = "messages/s")]
    Messages,
    #[serde(rename = "requests/s")]
    Requests,
    #[serde(rename = "connections/s")]
    Connections,
    #[serde(rename = "µs")]
    Microseconds,
    #[serde(rename = "ms")]
    Milliseconds,
    #[serde(rename = "bytes")]
    Bytes,
    #[serde(rename = "bytes/connection")]
    BytesEach,
}

impl Unit {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Unit::Lines => "lines/s",
            Unit::BytesPerSecond => "bytes/s",
            Unit::Messages => "messages/s",
            Unit::Requests => "requests/s",
            Unit::Connections => "connections/s",
            Unit::Microseconds => "µs",
            Unit::Milliseconds => "ms",
            Unit::Bytes => "bytes",
            Unit::BytesEach => "bytes/connection",
        }
    }

    pub(crate) fn higher_is_better(self) -> bool {
        match self {
            Unit::Lines
            | Unit::BytesPerSecond
            | Unit::Messages
            | Unit::Requests
            | Unit::Connections => true,
            Unit::Microseconds | Unit::Milliseconds | Unit::Bytes | Unit::BytesEach => false,
        }
    }
}

impl Workload {
    /// Returns whether this peer takes part.
    pub(crate) fn has(&self, peer: Peer) -> bool {
        if self.in_python() {
            return matches!(peer, Peer::Ours | Peer::OursInStreams | Peer::Asyncio);
        }
        if peer.under_streams().is_some() {
            return !self.tls && self.is_repeated() && peer.blocks() == self.blocking;
        }
        if peer.is_foreign() {
            return FOREIGN.contains(&self.name.as_str());
        }
        // The peers in Python are compared with calls that block too.
        if peer.blocks() != self.blocking && !(self.blocking && peer.is_python()) {
            return false;
        }
        if self.tls {
            match peer {
                // The other workloads show the difference between these ways.
                Peer::OursCall | Peer::Linked => return false,
                // With TLS, this peer is rustls alone, without a network.
                Peer::Floor if !self.is_bulk() => return false,
                _ => {}
            }
        }
        match self.work {
            // Only a component has a linear memory.
            Work::Linear(_) => peer.is_component(),
            // One file is measured, which both ways of using it share.
            Work::Size(_) => matches!(peer, Peer::Ours | Peer::P2),
            _ => true,
        }
    }

    /// Returns how many connections are open at once.
    pub(crate) fn connections(&self) -> usize {
        match self.work {
            Work::Client { connections, .. } | Work::Server { connections, .. } => connections,
            Work::Idle(n) | Work::Linear(n) | Work::WakeUp(n) | Work::Requests(n) => n,
            Work::Python { .. } | Work::Start | Work::Size(_) => 1,
        }
    }

    /// Returns whether the peers are programs in Python: the same file as a component and under CPython.
    pub(crate) fn in_python(&self) -> bool {
        matches!(self.work, Work::Python { .. } | Work::Requests(_))
    }

    /// Returns whether the peers in Python need packages of Python's index for it.
    pub(crate) fn needs_packages(&self) -> bool {
        matches!(self.work, Work::Requests(_))
    }

    /// Returns whether a connection does the same again and again, so that the host matters.
    fn is_repeated(&self) -> bool {
        matches!(
            self.work,
            Work::Client { .. } | Work::Server { .. } | Work::WakeUp(_)
        )
    }

    fn is_bulk(&self) -> bool {
        self.unit == Unit::BytesPerSecond
    }

    /// Returns whether there are so many connections that only one run is made.
    pub(crate) fn is_large(&self) -> bool {
        self.connections() >= 10_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn peers_in_other_languages_take_part_in_the_workloads_that_they_know() {
        let with = |peer: Peer| -> Vec<String> {
            let all = catalogue::all().into_iter();
            all.filter(|workload| workload.has(peer))
                .map(|workload| workload.name)
                .collect()
        };
        for (peer, _) in Peer::IN_OTHER_LANGUAGES {
            assert_eq!(with(peer), FOREIGN);
        }
        assert!(with(Peer::Ours).len() > FOREIGN.len());
    }

    #[test]
    fn one_workload_in_python_needs_packages() {
        let of = |kind: fn(&Workload) -> bool| -> Vec<String> {
            let all = catalogue::all().into_iter();
            all.filter(kind).map(|workload| workload.name).collect()
        };
        let names = ["readline", "async-for", "echo", "requests-50"];
        assert_eq!(
            of(Workload::in_python),
            names.map(|name| format!("python-{name}"))
        );
        assert_eq!(of(Workload::needs_packages), ["python-requests-50"]);
    }
}
