//! Bytes as they go over the network, or over a stream that was given.
//!
//! TCP's result futures are the only place where a reset differs from an end, so they are always asked once a
//! stream has ended.

use asyncio_streams_task::{Answer, FutureReader, Gone, Sink, Source, StreamReader, StreamWriter};

use crate::bindings::exports::asyncio::streams::types::Error;
use crate::bindings::wasi::sockets::types::ErrorCode;
use crate::errors;

use super::read_buffers::{self, Permit};

/// The bytes that come in.
pub(crate) struct Incoming {
    stream: Source<u8, Option<Permit>>,
    outcome: Outcome,
    /// Whether the last read got as much as it had room for.
    full: bool,
}

impl Incoming {
    /// Bytes from a stream that cannot fail, or that ends without saying so.
    pub(crate) fn from_stream(stream: StreamReader<u8>) -> Self {
        Self::new(stream, Outcome::Known(Ok(())))
    }

    pub(super) fn with_result(stream: StreamReader<u8>, result: SocketResult) -> Self {
        Self::new(stream, Outcome::pending(result, "read"))
    }

    fn new(stream: StreamReader<u8>, outcome: Outcome) -> Self {
        Incoming {
            stream: Source::new(stream),
            outcome,
            full: false,
        }
    }

    /// Waits until a byte was really read, and keeps it for the next read; false at the end, every time. A dropped wait
    /// loses nothing.
    pub(crate) async fn ready(&mut self) -> bool {
        let crowd = || read_buffers::waiting_in_a_crowd(read_buffers::LARGE);
        self.stream.ready(crowd).await
    }

    /// Reads into the buffer that `room` returns, unless an earlier read is pending; `None` at the end. Dropping the call
    /// loses nothing.
    pub(super) async fn read(
        &mut self,
        room: impl FnMut() -> (Vec<u8>, Option<Permit>),
    ) -> Option<Vec<u8>> {
        let bytes = self.stream.read(room).await;
        self.full = bytes
            .as_ref()
            .is_some_and(|bytes| bytes.len() >= bytes.capacity());
        bytes
    }

    /// Waits until there seems to be something to read, without taking it; false at the end.
    pub(crate) async fn readable(&mut self) -> bool {
        self.stream.readable().await
    }

    /// Ends a read that is pending, and returns what it got.
    pub(crate) fn stop(&mut self) -> Option<Vec<u8>> {
        self.stream.stop()
    }

    /// Drops the stream; `then` gets what a read got that was pending, at once or later in the background.
    pub(crate) fn stop_then(self, then: impl FnOnce(Vec<u8>) + 'static) {
        self.stream.stop_then(then);
    }

    /// Whether the last read got as much as it had room for, so that there is probably more.
    pub(super) fn last_was_full(&self) -> bool {
        self.full
    }

    /// How the stream ended. To be asked after the end; a dropped call can be repeated.
    pub(crate) async fn outcome(&mut self) -> Result<(), Error> {
        self.outcome.get().await
    }
}

/// The bytes that go out.
pub(crate) struct Outgoing {
    stream: Option<Sink>,
    outcome: Outcome,
}

impl Outgoing {
    /// Bytes to a stream whose reader says nothing but that it has gone.
    pub(crate) fn to_stream(stream: StreamWriter<u8>) -> Self {
        Self::new(stream, Outcome::Known(Ok(())))
    }

    pub(super) fn with_result(stream: StreamWriter<u8>, result: SocketResult) -> Self {
        Self::new(stream, Outcome::pending(result, "write"))
    }

    fn new(stream: StreamWriter<u8>, outcome: Outcome) -> Self {
        Outgoing {
            stream: Some(Sink::new(stream)),
            outcome,
        }
    }

    /// Starts to write `chunk`, and returns how many bytes the transport took at once; the others are for
    /// [`Outgoing::write_rest`]. Nothing may be left of an earlier write.
    pub(crate) fn write_now(&mut self, chunk: Vec<u8>) -> usize {
        match self.stream.as_mut() {
            Some(stream) => stream.start(chunk),
            None => 0,
        }
    }

    /// Whether a write has left a rest.
    pub(crate) fn has_rest(&self) -> bool {
        self.stream.as_ref().is_some_and(Sink::has_rest)
    }

    /// Writes what is left of the last write; `sent` hears of each part that was taken. A dropped call can be repeated.
    pub(crate) async fn write_rest(&mut self, sent: impl FnMut(usize)) -> Result<(), Error> {
        let Some(stream) = self.stream.as_mut() else {
            return Err(Error::Closed);
        };
        match stream.finish(sent).await {
            Ok(()) => Ok(()),
            Err(Gone) => {
                let outcome = self.outcome.get().await;
                Err(outcome.err().unwrap_or_else(errors::broken_pipe))
            }
        }
    }

    /// Writes the whole chunk; `sent` hears of each part that was taken.
    pub(crate) async fn write(
        &mut self,
        chunk: Vec<u8>,
        mut sent: impl FnMut(usize),
    ) -> Result<(), Error> {
        let taken = self.write_now(chunk);
        if taken > 0 {
            sent(taken);
        }
        self.write_rest(sent).await
    }

    /// Ends the stream, for TCP with a FIN, and waits for the transport to confirm that it took every byte.
    pub(crate) async fn finish(&mut self) -> Result<(), Error> {
        self.stream = None;
        self.outcome.get().await
    }
}

type SocketResult = FutureReader<Result<(), ErrorCode>>;

/// The result that belongs to a stream.
enum Outcome {
    Pending {
        result: Answer<Result<(), ErrorCode>>,
        what: &'static str,
    },
    Known(Result<(), Error>),
}

impl Outcome {
    fn pending(result: SocketResult, what: &'static str) -> Self {
        Outcome::Pending {
            result: Answer::new(result),
            what,
        }
    }

    /// Waits for the result. A dropped call loses nothing.
    async fn get(&mut self) -> Result<(), Error> {
        let known = match self {
            Outcome::Known(known) => return known.clone(),
            Outcome::Pending { result, what } => match result.get().await {
                Some(Err(code)) => Err(errors::network(code, what).into()),
                Some(Ok(())) | None => Ok(()),
            },
        };
        *self = Outcome::Known(known.clone());
        known
    }
}
