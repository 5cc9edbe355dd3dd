//! A stream of bytes without a socket: for `from_stream`, `wrap`, `write_stream` and `into_stream`.
//!
//! As between components, nothing is buffered: a write ends when the reader has taken its bytes.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::errors;
use crate::platform::{Sink, Source};
use crate::read_buffers::Room;
use crate::types::Error;

use super::contract::{Waiting, broken};
use super::counts::{Counted, Kind};
use super::host::Host;

struct State {
    /// The bytes of the pending write, and how many of them were taken.
    offered: Vec<u8>,
    taken: usize,
    told: usize,
    /// How the writer has ended; `None` until then.
    ended: Option<Result<(), Error>>,
    reader_gone: bool,
    /// A read is pending.
    reading: bool,
    reader: Waiting,
    writer: Waiting,
}

impl State {
    fn rest(&self) -> usize {
        self.offered.len() - self.taken
    }
}

/// Creates a stream: bytes that are written to the sink are read from the source.
pub fn stream(host: &Host) -> (StreamSink, StreamSource) {
    let state = Rc::new(RefCell::new(State {
        offered: Vec::new(),
        taken: 0,
        told: 0,
        ended: None,
        reader_gone: false,
        reading: false,
        reader: Waiting::default(),
        writer: Waiting::default(),
    }));
    let sink = StreamSink {
        host: host.clone(),
        state: state.clone(),
        _counted: host.world.counts.count(Kind::Sink),
    };
    let source = StreamSource {
        host: host.clone(),
        state,
        ended: false,
        _counted: host.world.counts.count(Kind::Source),
    };
    (sink, source)
}

/// The writing end of a [`stream`].
pub struct StreamSink {
    host: Host,
    state: Rc<RefCell<State>>,
    _counted: Counted,
}

impl StreamSink {
    /// Ends the stream with a failure as its outcome.
    pub fn fail(self, error: Error) {
        self.state.borrow_mut().ended = Some(Err(error));
    }
}

impl Sink for StreamSink {
    fn start(&mut self, bytes: Vec<u8>) -> usize {
        self.host.world.check_async("a write was started");
        if self.has_rest() {
            broken("a write was started while something is left of the last one");
        }
        let mut state = self.state.borrow_mut();
        (state.offered, state.taken, state.told) = (bytes, 0, 0);
        state.reader.end(&self.host.world);
        0
    }

    fn has_rest(&self) -> bool {
        let state = self.state.borrow();
        state.rest() > 0 || state.told < state.taken
    }

    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, Error>> {
        self.host.world.check_async("a write was polled");
        let mut state = self.state.borrow_mut();
        let news = state.taken - state.told;
        if news > 0 {
            state.told = state.taken;
            return Poll::Ready(Ok(news));
        }
        if state.rest() == 0 {
            return Poll::Ready(Ok(0));
        }
        if state.reader_gone {
            return Poll::Ready(Err(errors::broken_pipe()));
        }
        state.writer.join(&self.host.world, cx);
        Poll::Pending
    }

    fn leave(&mut self) {
        self.state.borrow_mut().writer.leave(&self.host.world);
    }

    fn poll_end(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.host.world.check_async("an end was polled");
        if self.has_rest() {
            broken("a sink was ended while something is left of the last write");
        }
        let mut state = self.state.borrow_mut();
        state.ended.get_or_insert(Ok(()));
        state.reader.end(&self.host.world);
        Poll::Ready(Ok(()))
    }

    fn take_buffer(&mut self) -> Vec<u8> {
        if self.has_rest() {
            return Vec::new();
        }
        let mut state = self.state.borrow_mut();
        (state.taken, state.told) = (0, 0);
        std::mem::take(&mut state.offered)
    }

    fn poll_wanted(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.host.world.check_async("a sink was polled");
        let mut state = self.state.borrow_mut();
        if state.reader_gone {
            return Poll::Ready(Err(errors::broken_pipe()));
        }
        if state.reading {
            return Poll::Ready(Ok(()));
        }
        state.writer.join(&self.host.world, cx);
        Poll::Pending
    }
}

impl Drop for StreamSink {
    fn drop(&mut self) {
        let mut state = self.state.borrow_mut();
        state.writer.leave(&self.host.world);
        let taken = state.taken;
        state.offered.truncate(taken);
        state.ended.get_or_insert(Ok(()));
        state.reader.end(&self.host.world);
    }
}

/// The reading end of a [`stream`].
pub struct StreamSource {
    host: Host,
    state: Rc<RefCell<State>>,
    ended: bool,
    _counted: Counted,
}

impl StreamSource {
    /// Reads at most `most` bytes, for a test; `None` at the end.
    pub async fn read(&mut self, most: usize) -> Option<Vec<u8>> {
        let reading = Reading(self);
        std::future::poll_fn(|cx| reading.0.poll_bytes(cx, most)).await
    }

    /// Reads to the end, for a test.
    pub async fn read_to_end(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(bytes) = self.read(1 << 16).await {
            all.extend(bytes);
        }
        all
    }

    fn poll_bytes(&mut self, cx: &Context<'_>, most: usize) -> Poll<Option<Vec<u8>>> {
        let world = self.host.world.clone();
        world.check_async("a source was polled");
        if self.ended {
            return Poll::Ready(None);
        }
        let mut state = self.state.borrow_mut();
        if state.rest() > 0 {
            let n = world.part(most.min(state.rest()));
            let from = state.taken;
            let bytes = state.offered[from..from + n].to_vec();
            state.taken += n;
            state.reading = false;
            state.writer.end(&world);
            return Poll::Ready(Some(bytes));
        }
        if state.ended.is_some() {
            state.reading = false;
            self.ended = true;
            return Poll::Ready(None);
        }
        state.reading = true;
        state.writer.end(&world);
        state.reader.join(&world, cx);
        Poll::Pending
    }
}

/// A read of a test. Dropping it cancels the read.
struct Reading<'a>(&'a mut StreamSource);

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.borrow_mut();
        state.reading = false;
        state.reader.leave(&self.0.host.world);
    }
}

impl Source for StreamSource {
    fn poll_read(&mut self, cx: &mut Context<'_>, room: &Room<'_>) -> Poll<Option<Vec<u8>>> {
        let buffer = room.for_ready();
        self.poll_bytes(cx, buffer.capacity())
    }

    fn leave(&mut self) {
        self.state.borrow_mut().reader.leave(&self.host.world);
    }

    fn poll_outcome(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if !self.ended {
            broken("a source was asked for its outcome before its end");
        }
        let outcome = self.state.borrow().ended.clone();
        Poll::Ready(outcome.unwrap_or(Ok(())))
    }

    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let world = self.host.world.clone();
        world.check_async("a source was polled");
        let mut state = self.state.borrow_mut();
        if state.rest() > 0 {
            return Poll::Ready(true);
        }
        if state.ended.is_some() {
            return Poll::Ready(false);
        }
        state.reading = true;
        state.writer.end(&world);
        state.reader.join(&world, cx);
        Poll::Pending
    }
}

impl Drop for StreamSource {
    fn drop(&mut self) {
        let mut state = self.state.borrow_mut();
        state.reader_gone = true;
        state.reader.leave(&self.host.world);
        state.writer.end(&self.host.world);
    }
}
