//! The incoming bytes of a connection.

use std::task::{Context, Poll};

use crate::errors;
use crate::platform::Source;
use crate::read_buffers::Room;
use crate::types::Error;

use super::contract::{Waiting, broken};
use super::counts::{Counted, Kind};
use super::flow::Reading;
use super::host::Host;
use super::link::Hold;

/// The source of one side.
pub(super) struct TcpSource {
    host: Host,
    /// `None` once the drop has taken it.
    hold: Option<Hold>,
    ended: bool,
    outcome: Option<Result<(), Error>>,
    /// The turn in which the outcome was first requested: it is returned in a later one.
    asked: Option<u64>,
    waiting: Waiting,
    _counted: Counted,
}

impl TcpSource {
    pub(super) fn new(host: &Host, hold: Hold) -> Self {
        TcpSource {
            host: host.clone(),
            hold: Some(hold),
            ended: false,
            outcome: None,
            asked: None,
            waiting: Waiting::default(),
            _counted: host.world.counts.count(Kind::Source),
        }
    }

    /// Takes the result of the pending read, if it has one.
    fn take_result(&mut self) -> Option<Option<Vec<u8>>> {
        let hold = self.hold.as_ref()?;
        let mut state = hold.link.state.borrow_mut();
        let reading = &mut state.flows[1 - hold.side].reading;
        let result = reading.as_mut()?.result.take()?;
        *reading = None;
        self.ended |= result.is_none();
        Some(result)
    }

    /// Begins a read. Returns its result if it ends at once.
    fn start(&mut self, room: &Room<'_>) -> Option<Option<Vec<u8>>> {
        let hold = self.hold.as_ref()?;
        let world = &self.host.world;
        let mut state = hold.link.state.borrow_mut();
        let reset = state.sides[hold.side].reset;
        let flow = &mut state.flows[1 - hold.side];
        let later = world.chance(3);
        if flow.has_arrived() && !later {
            let mut bytes = room.for_ready();
            if bytes.capacity() == 0 || !bytes.is_empty() {
                broken("a read has a buffer without room, or one that is not empty");
            }
            let n = world.part(bytes.capacity());
            bytes.extend(flow.receive(n));
            drop(state);
            hold.link.mark_busy();
            return Some(Some(bytes));
        }
        if (reset || flow.is_at_end()) && !flow.has_arrived() && !later {
            self.ended = true;
            return Some(None);
        }
        let (buffer, permit) = room.for_wait();
        if buffer.capacity() == 0 || !buffer.is_empty() {
            broken("a read has a buffer without room, or one that is not empty");
        }
        flow.reading = Some(Reading {
            room: buffer,
            permit: Some(Box::new(permit)),
            result: None,
            waiting: Waiting::default(),
        });
        drop(state);
        hold.link.mark_busy();
        None
    }

    fn is_pending(&self) -> bool {
        self.hold.as_ref().is_some_and(|hold| {
            hold.link.state.borrow().flows[1 - hold.side]
                .reading
                .is_some()
        })
    }

    fn take_apart(&mut self, then: impl FnOnce(Vec<u8>) + 'static) {
        let world = self.host.world.clone();
        self.waiting.leave(&world);
        let pending = self.is_pending();
        let Some(hold) = self.hold.take() else {
            return;
        };
        if !pending {
            return;
        }
        {
            let mut state = hold.link.state.borrow_mut();
            if let Some(reading) = &mut state.flows[1 - hold.side].reading {
                reading.waiting.leave(&world);
            }
        }
        self.host.reap(move || {
            let reading = hold.link.state.borrow_mut().flows[1 - hold.side]
                .reading
                .take();
            if let Some(Some(bytes)) = reading.and_then(|reading| reading.result) {
                then(bytes);
            }
            drop(hold);
        });
    }
}

impl Source for TcpSource {
    fn poll_read(&mut self, cx: &mut Context<'_>, room: &Room<'_>) -> Poll<Option<Vec<u8>>> {
        let world = self.host.world.clone();
        world.check_async("a source was polled");
        if self.ended {
            return Poll::Ready(None);
        }
        if let Some(result) = self.take_result() {
            return Poll::Ready(result);
        }
        if !self.is_pending()
            && let Some(result) = self.start(room)
        {
            return Poll::Ready(result);
        }
        if let Some(hold) = &self.hold {
            let mut state = hold.link.state.borrow_mut();
            if let Some(reading) = &mut state.flows[1 - hold.side].reading {
                reading.waiting.join(&world, cx);
            }
        }
        Poll::Pending
    }

    fn leave(&mut self) {
        let world = self.host.world.clone();
        self.waiting.leave(&world);
        if let Some(hold) = &self.hold {
            let mut state = hold.link.state.borrow_mut();
            if let Some(reading) = &mut state.flows[1 - hold.side].reading {
                reading.waiting.leave(&world);
            }
        }
    }

    fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let world = self.host.world.clone();
        world.check_async("an outcome was polled");
        if !self.ended {
            broken("a source was asked for its outcome before its end");
        }
        if let Some(outcome) = &self.outcome {
            return Poll::Ready(outcome.clone());
        }
        let turn = world.turn.get();
        if *self.asked.get_or_insert(turn) == turn {
            self.waiting.join(&world, cx);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.waiting.leave(&world);
        let error = self.hold.as_ref().and_then(|hold| {
            let mut state = hold.link.state.borrow_mut();
            state.sides[hold.side].error.take()
        });
        let outcome = match error {
            Some(code) => Err(errors::network(code, "read").into()),
            None => Ok(()),
        };
        self.outcome = Some(outcome.clone());
        Poll::Ready(outcome)
    }

    fn stop(&mut self) -> Option<Vec<u8>> {
        self.host.world.check_async("a read was stopped");
        if let Some(result) = self.take_result() {
            return result;
        }
        let world = self.host.world.clone();
        let hold = self.hold.as_ref()?;
        let mut state = hold.link.state.borrow_mut();
        if let Some(mut reading) = state.flows[1 - hold.side].reading.take() {
            reading.waiting.leave(&world);
        }
        None
    }

    fn stop_then(mut self: Box<Self>, then: Box<dyn FnOnce(Vec<u8>)>) {
        if let Some(Some(bytes)) = self.take_result() {
            return then(bytes);
        }
        self.take_apart(then);
    }
}

impl Drop for TcpSource {
    fn drop(&mut self) {
        self.take_apart(drop);
    }
}
