//! One thing that is measured: how, and what its figures count.

use super::peers::Peer;

/// One thing to measure.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) work: Work,
    pub(crate) unit: Unit,
    /// Whether the connections are protected by TLS.
    pub(crate) tls: bool,
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
    /// As above on one connection, but the peer is a program in Python: the same file by the newest CPython of the machine, and
    /// as a component.
    Python {
        kind: &'static str,
        load: &'static str,
        size: usize,
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
    /// The length of one of the components.
    Size(&'static str),
}

/// The unit of a figure.
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
        if self.tls {
            match peer {
                // The other workloads show the cost without TLS.
                Peer::OursCall | Peer::Linked => return false,
                // It has no network.
                Peer::Floor if !self.is_bulk() => return false,
                _ => {}
            }
        }
        match self.work {
            // Only a component has a linear memory.
            Work::Linear(_) => peer.is_component(),
            // One file is measured, which both ways of using it share.
            Work::Size(_) => peer == Peer::Ours,
            Work::Python { .. } => matches!(peer, Peer::Ours | Peer::Asyncio),
            _ => true,
        }
    }

    /// How many connections are open at once.
    pub(crate) fn connections(&self) -> usize {
        match self.work {
            Work::Client { connections, .. } | Work::Server { connections, .. } => connections,
            Work::Idle(n) | Work::Linear(n) | Work::WakeUp(n) => n,
            Work::Python { .. } | Work::Start | Work::Size(_) => 1,
        }
    }

    fn is_bulk(&self) -> bool {
        self.unit == Unit::BytesPerSecond
    }

    /// Whether there are so many that one run has to do.
    pub(crate) fn is_large(&self) -> bool {
        self.connections() >= 10_000
    }
}
