//! How many things of the platform are alive, so that a test can check that nothing leaks.

use std::cell::Cell;
use std::rc::Rc;

/// What is alive. At the end of a test all counts are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// Sockets that no stream was taken of, or only the incoming one.
    pub sockets: usize,
    /// Listening sockets.
    pub listeners: usize,
    /// Incoming streams.
    pub sources: usize,
    /// Outgoing streams.
    pub sinks: usize,
    /// Connects and name lookups that have not ended.
    pub calls: usize,
    /// Reads, writes and other operations that were cancelled and have not ended.
    pub cancelled: usize,
    /// Timers that are waited for.
    pub timers: usize,
    /// Futures in the background.
    pub background: usize,
    /// Times that the background is kept running.
    pub kept: usize,
    /// Ports that are in use.
    pub ports: usize,
}

/// The kinds of things that are counted.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Socket,
    Listener,
    Source,
    Sink,
    Call,
    Cancelled,
    Timer,
    Background,
    Kept,
    Port,
}

/// The counters of a network.
#[derive(Default)]
pub(super) struct Counts(Cell<Live>);

impl Counts {
    /// Counts one thing more, until the guard is dropped.
    pub(super) fn count(self: &Rc<Self>, kind: Kind) -> Counted {
        self.change(kind, |n| n + 1);
        Counted {
            counts: self.clone(),
            kind,
        }
    }

    pub(super) fn live(&self) -> Live {
        self.0.get()
    }

    fn change(&self, kind: Kind, change: impl Fn(usize) -> usize) {
        let mut live = self.0.get();
        let count = match kind {
            Kind::Socket => &mut live.sockets,
            Kind::Listener => &mut live.listeners,
            Kind::Source => &mut live.sources,
            Kind::Sink => &mut live.sinks,
            Kind::Call => &mut live.calls,
            Kind::Cancelled => &mut live.cancelled,
            Kind::Timer => &mut live.timers,
            Kind::Background => &mut live.background,
            Kind::Kept => &mut live.kept,
            Kind::Port => &mut live.ports,
        };
        *count = change(*count);
        self.0.set(live);
    }
}

/// One thing that is alive.
pub(super) struct Counted {
    counts: Rc<Counts>,
    kind: Kind,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.counts.change(self.kind, |n| n - 1);
    }
}
