//! The incoming bytes of a socket, or of a stream of the program.
//!
//! Only TCP's result futures distinguish a reset from an end. So the engine reads them once a stream has ended.

use std::task::{Context, Poll, ready};

use asyncio_streams_engine::platform::Source;
use asyncio_streams_engine::types::Error;
use asyncio_streams_engine::{Permit, Room};

use crate::future::FutureReader;
use crate::source;
use crate::stream::StreamReader;

use super::sent::{Outcome, SocketResult};

/// A `stream<u8>` as the engine's source.
pub struct Received {
    stream: source::Source<u8, Permit>,
    outcome: Outcome,
}

impl Received {
    /// Reads a stream that cannot fail, or that ends without a reason.
    pub fn from_stream(stream: StreamReader<u8>) -> Self {
        Received {
            stream: source::Source::new(stream),
            outcome: Outcome::Known(Ok(())),
        }
    }

    pub(super) fn with_result(
        stream: StreamReader<u8>,
        result: FutureReader<SocketResult>,
    ) -> Self {
        Received {
            stream: source::Source::new(stream),
            outcome: Outcome::pending(result, "read"),
        }
    }
}

impl Source for Received {
    fn poll_read(&mut self, cx: &mut Context<'_>, room: &Room<'_>) -> Poll<Option<Vec<u8>>> {
        self.stream.poll_read(cx, || room.for_wait())
    }

    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        self.stream.poll_readable(cx)
    }

    fn leave(&mut self) {
        self.stream.leave();
    }

    fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let outcome = ready!(self.outcome.poll(cx));
        Poll::Ready(outcome)
    }

    fn stop(&mut self) -> Option<Vec<u8>> {
        self.stream.stop()
    }

    fn stop_then(self: Box<Self>, then: Box<dyn FnOnce(Vec<u8>)>) {
        self.stream.stop_then(then);
    }
}
