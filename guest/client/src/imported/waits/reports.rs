//! The stream of keys that the watch reports.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use asyncio_streams_wasi03::{Source, StreamReader};

use crate::bindings::imports::wit_stream::StreamPayload;
use crate::bindings::numbers::Watch;
use crate::bindings::types;

use super::arrived::Arrived;

/// The number of keys that one read receives. More of them wait for the next one.
const KEYS: usize = 256;

type Opened = Result<wit_bindgen::StreamReader<u32>, types::Error>;

/// The reads of the stream, one at a time. A pending one belongs to the task that began it.
#[derive(Default)]
pub(super) struct Reports {
    state: RefCell<State>,
    /// A task waits for the stream.
    pending: Cell<bool>,
    arrived: Arrived,
    /// The memory of the last read.
    unused: Cell<Vec<u32>>,
}

#[derive(Default)]
enum State {
    #[default]
    Closed,
    Opening(Pin<Box<dyn Future<Output = Opened>>>),
    Open(Source<u32>),
}

impl Reports {
    /// Returns whether a task waits for the stream.
    pub(super) fn is_pending(&self) -> bool {
        self.pending.get()
    }

    /// Returns whether something has arrived since the last call.
    pub(super) fn have_arrived(&self) -> bool {
        self.arrived.take()
    }

    /// Has no task wait for the stream any more, if the running task does.
    pub(super) fn leave_task(&self) {
        // A call that opens the stream stays with its task, which it keeps only until the call has returned.
        if let State::Open(stream) = &mut *self.state.borrow_mut()
            && stream.is_in_this_task()
        {
            stream.leave();
            self.pending.set(false);
        }
    }

    /// Reads keys. If there are none, the running task waits for them, and the result is none.
    ///
    /// # Errors
    ///
    /// The error of the watch: it reports nothing.
    pub(super) fn read(&self, watch: &'static Watch) -> Option<Result<Vec<u32>, types::Error>> {
        let waker = Waker::from(self.arrived.waker());
        let polled = self.poll(watch, &mut Context::from_waker(&waker));
        self.pending.set(polled.is_pending());
        match polled {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        }
    }

    /// Takes back the memory of a read.
    pub(super) fn reuse(&self, mut keys: Vec<u32>) {
        keys.clear();
        self.unused.set(keys);
    }

    fn poll(
        &self,
        watch: &'static Watch,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Vec<u32>, types::Error>> {
        let mut state = self.state.borrow_mut();
        if matches!(*state, State::Closed) {
            *state = State::Opening(Box::pin(watch.reports()));
        }
        if let State::Opening(call) = &mut *state {
            let opened = ready!(call.as_mut().poll(cx));
            *state = State::Closed;
            let stream = StreamReader::adopt(&opened?, <u32 as StreamPayload>::VTABLE);
            *state = State::Open(Source::new(stream));
        }
        let State::Open(stream) = &mut *state else {
            return Poll::Pending;
        };
        let room = || {
            let mut room = self.unused.take();
            room.reserve(KEYS);
            (room, ())
        };
        match ready!(stream.poll_read(cx, room)) {
            Some(keys) => Poll::Ready(Ok(keys)),
            None => Poll::Ready(Err(types::Error::Closed)),
        }
    }
}
