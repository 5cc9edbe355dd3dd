//! The outgoing bytes of a connection.

use std::task::{Context, Poll};

use crate::errors;
use crate::platform::Sink;
use crate::types::Error;

use super::contract::{Waiting, broken};
use super::counts::{Counted, Kind};
use super::flow::Writing;
use super::host::Host;
use super::link::Hold;

/// The sink of one side.
pub(super) struct TcpSink {
    host: Host,
    /// `None` once the drop has taken it.
    hold: Option<Hold>,
    /// The turn in which the end was requested: it is confirmed in a later one.
    ending: Option<u64>,
    outcome: Option<Result<(), Error>>,
    waiting: Waiting,
    _counted: Counted,
}

impl TcpSink {
    pub(super) fn new(host: &Host, hold: Hold) -> Self {
        TcpSink {
            host: host.clone(),
            hold: Some(hold),
            ending: None,
            outcome: None,
            waiting: Waiting::default(),
            _counted: host.world.counts.count(Kind::Sink),
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut super::link::State, usize) -> T) -> Option<T> {
        let hold = self.hold.as_ref()?;
        Some(act(&mut hold.link.state.borrow_mut(), hold.side))
    }

    /// Returns why the connection takes no more bytes. The system reports the reason once; afterwards it is a broken
    /// pipe.
    fn failure(&self) -> Error {
        let error = self
            .with(|state, side| state.sides[side].error.take())
            .flatten();
        match error {
            Some(code) => errors::network(code, "write").into(),
            None => errors::broken_pipe(),
        }
    }

    fn mark_busy(&self) {
        if let Some(hold) = &self.hold {
            hold.link.mark_busy();
        }
    }
}

impl Sink for TcpSink {
    fn start(&mut self, bytes: Vec<u8>) -> usize {
        let world = self.host.world.clone();
        world.check_async("a write was started");
        if self.has_rest() {
            broken("a write was started while something is left of the last one");
        }
        if self.ending.is_some() {
            broken("a write was started after the end");
        }
        if bytes.is_empty() {
            broken("a write of no bytes was started");
        }
        let later = world.chance(3);
        let taken = self.with(|state, side| {
            let flow = &mut state.flows[side];
            let taken = if later || state.sides[side].reset {
                0
            } else {
                flow.send(&bytes[..world.part(bytes.len())])
            };
            flow.writing = Some(Writing {
                // If nothing was taken at once, the write is pending from now on.
                pending: taken == 0,
                bytes,
                taken,
                told: taken,
                arrived: false,
                failed: false,
                waiting: Waiting::default(),
            });
            taken
        });
        self.mark_busy();
        taken.unwrap_or(0)
    }

    fn has_rest(&self) -> bool {
        let rest = self.with(|state, side| {
            let writing = state.flows[side].writing.as_ref();
            writing.is_some_and(|writing| writing.rest() > 0 || writing.told < writing.taken)
        });
        rest.unwrap_or(false)
    }

    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, Error>> {
        let world = self.host.world.clone();
        world.check_async("a write was polled");
        let polled = self.with(|state, side| {
            let reset = state.sides[side].reset;
            let Some(writing) = &mut state.flows[side].writing else {
                return Poll::Ready(Some(0));
            };
            let news = writing.taken - writing.told;
            if news > 0 {
                writing.told = writing.taken;
                return Poll::Ready(Some(news));
            }
            if writing.rest() == 0 {
                return Poll::Ready(Some(0));
            }
            if writing.failed || (reset && !writing.pending) {
                writing.waiting.leave(&world);
                return Poll::Ready(None);
            }
            writing.pending = true;
            writing.waiting.join(&world, cx);
            Poll::Pending
        });
        match polled {
            Some(Poll::Ready(Some(n))) => Poll::Ready(Ok(n)),
            Some(Poll::Ready(None)) | None => Poll::Ready(Err(self.failure())),
            Some(Poll::Pending) => {
                self.mark_busy();
                Poll::Pending
            }
        }
    }

    fn leave(&mut self) {
        let world = self.host.world.clone();
        self.waiting.leave(&world);
        self.with(|state, side| {
            if let Some(writing) = &mut state.flows[side].writing {
                writing.waiting.leave(&world);
            }
        });
    }

    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let world = self.host.world.clone();
        world.check_async("an end was polled");
        if self.has_rest() {
            broken("a sink was ended while something is left of the last write");
        }
        if let Some(outcome) = &self.outcome {
            return Poll::Ready(outcome.clone());
        }
        let turn = world.turn.get();
        if self.ending.is_none() {
            self.with(|state, side| state.flows[side].end());
            self.mark_busy();
        }
        if *self.ending.get_or_insert(turn) == turn {
            self.waiting.join(&world, cx);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.waiting.leave(&world);
        let reset = self
            .with(|state, side| state.sides[side].reset)
            .unwrap_or(true);
        let outcome = if reset { Err(self.failure()) } else { Ok(()) };
        self.outcome = Some(outcome.clone());
        Poll::Ready(outcome)
    }

    fn take_buffer(&mut self) -> Vec<u8> {
        if self.has_rest() {
            return Vec::new();
        }
        let writing = self
            .with(|state, side| state.flows[side].writing.take())
            .flatten();
        writing.map(|writing| writing.bytes).unwrap_or_default()
    }
}

impl Drop for TcpSink {
    fn drop(&mut self) {
        let world = self.host.world.clone();
        self.waiting.leave(&world);
        let Some(hold) = self.hold.take() else {
            return;
        };
        let pending = {
            let mut state = hold.link.state.borrow_mut();
            let flow = &mut state.flows[hold.side];
            match &mut flow.writing {
                Some(writing) if writing.pending => {
                    writing.waiting.leave(&world);
                    true
                }
                _ => {
                    flow.writing = None;
                    flow.end();
                    false
                }
            }
        };
        hold.link.mark_busy();
        if pending {
            self.host.reap(move || {
                {
                    let mut state = hold.link.state.borrow_mut();
                    let flow = &mut state.flows[hold.side];
                    flow.writing = None;
                    flow.end();
                }
                hold.link.mark_busy();
                drop(hold);
            });
        }
    }
}
