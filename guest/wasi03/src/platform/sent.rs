//! The outgoing bytes of a socket, or of a stream for the program.

use std::task::{Context, Poll, ready};

use asyncio_streams_engine::errors;
use asyncio_streams_engine::platform::Sink;
use asyncio_streams_engine::types::Error;

use crate::answer::Answer;
use crate::bindings::wasi::sockets::types::ErrorCode;
use crate::future::FutureReader;
use crate::sink::{self, Gone};
use crate::stream::StreamWriter;

use super::address::socket_error;

/// A `stream<u8>` as the engine's sink.
pub struct Sent {
    stream: Option<sink::Sink>,
    outcome: Outcome,
}

impl Sent {
    /// Writes to a stream whose reader reports only that it is gone.
    pub fn to_stream(stream: StreamWriter<u8>) -> Self {
        Sent {
            stream: Some(sink::Sink::to_component(stream)),
            outcome: Outcome::Known(Ok(())),
        }
    }

    pub(super) fn with_result(
        stream: StreamWriter<u8>,
        result: FutureReader<SocketResult>,
    ) -> Self {
        Sent {
            stream: Some(sink::Sink::new(stream)),
            outcome: Outcome::pending(result, "write"),
        }
    }
}

impl Sink for Sent {
    fn start(&mut self, bytes: Vec<u8>) -> usize {
        match self.stream.as_mut() {
            Some(stream) => stream.start(bytes),
            None => 0,
        }
    }

    fn has_rest(&self) -> bool {
        self.stream.as_ref().is_some_and(sink::Sink::has_rest)
    }

    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, Error>> {
        let Some(stream) = self.stream.as_mut() else {
            return Poll::Ready(Err(Error::Closed));
        };
        match ready!(stream.poll_rest(cx)) {
            Ok(n) => Poll::Ready(Ok(n)),
            Err(Gone) => {
                let outcome = ready!(self.outcome.poll(cx));
                Poll::Ready(Err(outcome.err().unwrap_or_else(errors::broken_pipe)))
            }
        }
    }

    fn leave(&mut self) {
        if let Some(stream) = self.stream.as_mut() {
            stream.leave();
        }
    }

    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.stream = None;
        self.outcome.poll(cx)
    }

    fn take_buffer(&mut self) -> Vec<u8> {
        self.stream
            .as_mut()
            .map_or_else(Vec::new, sink::Sink::take_buffer)
    }

    fn poll_wanted(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match self.stream.as_mut() {
            Some(stream) => stream.poll_wanted(cx).map_err(|Gone| errors::broken_pipe()),
            None => Poll::Ready(Err(Error::Closed)),
        }
    }
}

/// The value of a socket stream's result future.
pub(super) type SocketResult = Result<(), ErrorCode>;

/// The result of a stream. It is read only when the engine needs it.
pub(super) enum Outcome {
    Pending {
        result: Answer<SocketResult>,
        what: &'static str,
    },
    Known(Result<(), Error>),
}

impl Outcome {
    pub(super) fn pending(result: FutureReader<SocketResult>, what: &'static str) -> Self {
        Outcome::Pending {
            result: Answer::new(result),
            what,
        }
    }

    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        let known = match self {
            Outcome::Known(known) => return Poll::Ready(known.clone()),
            Outcome::Pending { result, what } => match ready!(result.poll_get(cx)) {
                Some(Err(code)) => Err(errors::network(socket_error(code), what).into()),
                Some(Ok(())) | None => Ok(()),
            },
        };
        *self = Outcome::Known(known.clone());
        Poll::Ready(known)
    }
}
