//! Counts the live objects of the platform, so that a test can check for leaks.

use std::cell::Cell;
use std::rc::Rc;

/// The numbers of live objects. At the end of a test all are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// Sockets of which no stream was taken, or only the incoming one.
    pub sockets: usize,
    /// Listening sockets.
    pub listeners: usize,
    /// Incoming streams.
    pub sources: usize,
    /// Outgoing streams.
    pub sinks: usize,
    /// Connects and name lookups that have not ended.
    pub calls: usize,
    /// Cancelled reads, writes and other operations that have not ended.
    pub cancelled: usize,
    /// Pending timers.
    pub timers: usize,
    /// Futures in the background.
    pub background: usize,
    /// The number of times that the background is kept running.
    pub kept: usize,
    /// Ports in use.
    pub ports: usize,
}

/// The kinds of objects that are counted.
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
    /// Counts one more object, until the guard is dropped.
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

/// A counted object.
pub(super) struct Counted {
    counts: Rc<Counts>,
    kind: Kind,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.counts.change(self.kind, |n| n - 1);
    }
}
