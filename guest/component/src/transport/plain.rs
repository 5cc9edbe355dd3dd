//! Bytes as they go over the network, or over a stream that was given.
//!
//! TCP's result futures are the only place where a reset differs from an end, so they are always asked once a
//! stream has ended.

use std::future::{IntoFuture, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use wit_bindgen::rt::async_support::{AbiBuffer, StreamVtable};
use wit_bindgen::{FutureReader, StreamReader, StreamResult, StreamWriter};

use crate::bindings::exports::asyncio::streams::types::Error;
use crate::bindings::wasi::sockets::types::ErrorCode;
use crate::errors;

use super::rescue::Source;

/// The bytes that come in.
pub(crate) struct Incoming {
    stream: Source<u8>,
    outcome: Outcome,
    /// Whether the last read got as much as it had room for.
    full: bool,
    /// What [`Incoming::ready`] has read.
    kept: Vec<u8>,
}

impl Incoming {
    /// Bytes from a stream that cannot fail, or that ends without saying so.
    pub(crate) fn from_stream(stream: StreamReader<u8>) -> Self {
        Incoming {
            stream: Source::new(stream),
            outcome: Outcome::Known(Ok(())),
            full: false,
            kept: Vec::new(),
        }
    }

    pub(super) fn with_result(stream: StreamReader<u8>, result: SocketResult) -> Self {
        Incoming {
            stream: Source::new(stream),
            outcome: Outcome::Pending {
                result,
                what: "read",
            },
            full: false,
            kept: Vec::new(),
        }
    }

    /// Waits until there is something to read; false at the end, every time. A dropped wait loses nothing.
    ///
    /// It really reads: a read of length zero can be answered although nothing has come.
    pub(crate) async fn ready(&mut self) -> bool {
        while self.kept.is_empty() {
            let kept = &mut self.kept;
            let room = Vec::with_capacity(64);
            if !self.stream.read(room, |bytes| *kept = bytes).await {
                return !self.kept.is_empty();
            }
        }
        true
    }

    /// Reads into the spare capacity of `buffer` and gives it to `took`, also when the call is dropped: a read that
    /// is cancelled may have got bytes already. False at the end.
    pub(crate) async fn read(&mut self, buffer: Vec<u8>, took: impl FnOnce(Vec<u8>)) -> bool {
        if !self.kept.is_empty() {
            took(std::mem::take(&mut self.kept));
            return true;
        }
        let (room, full) = (buffer.capacity(), &mut self.full);
        let took = |bytes: Vec<u8>| {
            *full = bytes.len() >= room;
            took(bytes);
        };
        self.stream.read(buffer, took).await
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
    stream: Option<StreamWriter<u8>>,
    outcome: Outcome,
    /// What [`Outgoing::write_now`] could not write, and what it was told: after the end of the other side, one more
    /// write would be a trap.
    rest: Option<(StreamResult, Rest)>,
}

type Rest = AbiBuffer<&'static StreamVtable<u8>>;

impl Outgoing {
    /// Bytes to a stream whose reader says nothing but that it has gone.
    pub(crate) fn to_stream(stream: StreamWriter<u8>) -> Self {
        Outgoing {
            stream: Some(stream),
            outcome: Outcome::Known(Ok(())),
            rest: None,
        }
    }

    pub(super) fn with_result(stream: StreamWriter<u8>, result: SocketResult) -> Self {
        Outgoing {
            stream: Some(stream),
            outcome: Outcome::Pending {
                result,
                what: "write",
            },
            rest: None,
        }
    }

    /// Writes what the transport takes at once, and gives how many bytes that are; the rest is for
    /// [`Outgoing::write_rest`]. Only in async calls, and when there is no such rest.
    ///
    /// A transport that is a program's stream takes nothing at once: its reader is another task.
    pub(crate) fn write_now(&mut self, chunk: Vec<u8>) -> usize {
        let Some(stream) = self.stream.as_mut() else {
            return 0;
        };
        let mut write = pin!(stream.write(chunk));
        let mut nobody = Context::from_waker(Waker::noop());
        let (result, rest) = match write.as_mut().poll(&mut nobody) {
            Poll::Ready(done) => done,
            Poll::Pending => write.as_mut().cancel(),
        };
        let (taken, heard) = match result {
            StreamResult::Complete(n) => (n, StreamResult::Complete(0)),
            StreamResult::Cancelled | StreamResult::Dropped => (0, result),
        };
        let over = rest.remaining() == 0 && heard != StreamResult::Dropped;
        self.rest = (!over).then_some((heard, rest));
        taken
    }

    /// Whether [`Outgoing::write_now`] has left a rest.
    pub(crate) fn has_rest(&self) -> bool {
        self.rest.is_some()
    }

    /// Writes what [`Outgoing::write_now`] could not write; `sent` hears of each part that was taken.
    pub(crate) async fn write_rest(&mut self, sent: impl FnMut(usize)) -> Result<(), Error> {
        let Some((heard, rest)) = self.rest.take() else {
            return Ok(());
        };
        self.write_buffer(rest, heard, sent).await
    }

    /// Writes the whole chunk; `sent` hears of each part that was taken.
    pub(crate) async fn write(
        &mut self,
        chunk: Vec<u8>,
        sent: impl FnMut(usize),
    ) -> Result<(), Error> {
        let Some(stream) = self.stream.as_mut() else {
            return Err(Error::Closed);
        };
        let (result, rest) = stream.write(chunk).await;
        self.write_buffer(rest, result, sent).await
    }

    /// Goes on with a write that has come to `result`.
    async fn write_buffer(
        &mut self,
        mut rest: Rest,
        mut result: StreamResult,
        mut sent: impl FnMut(usize),
    ) -> Result<(), Error> {
        let Some(stream) = self.stream.as_mut() else {
            return Err(Error::Closed);
        };
        loop {
            match result {
                StreamResult::Complete(n) => sent(n),
                StreamResult::Cancelled => {}
                StreamResult::Dropped => {
                    let outcome = self.outcome.get().await;
                    return Err(outcome.err().unwrap_or_else(errors::broken_pipe));
                }
            }
            if rest.remaining() == 0 {
                return Ok(());
            }
            (result, rest) = stream.write_buf(rest).await;
        }
    }

    /// Ends the stream, for TCP with a FIN, and waits for the transport to confirm that it took every byte.
    pub(crate) async fn finish(&mut self) -> Result<(), Error> {
        self.stream = None;
        self.outcome.get().await
    }
}

type SocketResult = FutureReader<Result<(), ErrorCode>>;

/// The result that belongs to a stream.
pub(crate) enum Outcome {
    Pending {
        result: SocketResult,
        what: &'static str,
    },
    Known(Result<(), Error>),
}

impl Outcome {
    /// Waits for the result. A dropped call loses nothing.
    pub(crate) async fn get(&mut self) -> Result<(), Error> {
        let what = match self {
            Outcome::Known(known) => return known.clone(),
            Outcome::Pending { what, .. } => *what,
        };
        let Outcome::Pending { result, .. } = std::mem::replace(self, Outcome::Known(Ok(())))
        else {
            return Ok(());
        };
        let mut asking = Asking {
            read: pin!(result.into_future()),
            slot: self,
            what,
            done: false,
        };
        poll_fn(|cx| asking.poll(cx)).await
    }
}

struct Asking<'a, 'b> {
    read: Pin<&'a mut wit_bindgen::FutureRead<Result<(), ErrorCode>>>,
    slot: &'b mut Outcome,
    what: &'static str,
    done: bool,
}

impl Asking<'_, '_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.read.as_mut().poll(cx).map(|result| {
            self.done = true;
            self.settle(result)
        })
    }

    fn settle(&mut self, result: Result<(), ErrorCode>) -> Result<(), Error> {
        let known = result.map_err(|code| errors::network(code, self.what).into());
        *self.slot = Outcome::Known(known.clone());
        known
    }
}

impl Drop for Asking<'_, '_> {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        match self.read.as_mut().cancel() {
            Ok(result) => drop(self.settle(result)),
            Err(result) => {
                *self.slot = Outcome::Pending {
                    result,
                    what: self.what,
                }
            }
        }
    }
}
