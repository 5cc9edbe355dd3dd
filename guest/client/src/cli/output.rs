//! Standard output and error: one stream each, shared by all tasks.
//!
//! A call queues its bytes. The call that finds the stream free writes the queue, and the others wait
//! for that. So lines never mix, and a dropped call loses nothing: what its write had not sent goes
//! back to the front of the queue.

use std::cell::RefCell;
use std::future::poll_fn;
use std::mem;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use wit_bindgen::{FutureReader, StreamResult, StreamWrite};

use crate::bindings::imports::wasi::cli::types::ErrorCode;
use crate::bindings::imports::wasi::cli::{stderr, stdout};
use crate::{ByteWriter, Error, byte_stream};

/// Which of the two.
#[derive(Clone, Copy)]
pub(super) enum Output {
    Standard,
    Error,
}

struct State {
    /// The bytes that no call writes yet.
    queue: Vec<u8>,
    /// The number of bytes that were queued since the start.
    queued: u64,
    /// The number of them that are out.
    written: u64,
    stream: Stream,
    /// Calls that wait for the stream, or for their bytes.
    waiting: Vec<Waker>,
}

enum Stream {
    Unopened,
    Free(Opened),
    /// A call has it and writes.
    Lent,
    Gone(ErrorCode),
}

struct Opened {
    writer: ByteWriter,
    result: FutureReader<Result<(), ErrorCode>>,
}

/// The state that a call finds when it is polled.
enum Turn {
    /// Its bytes are out.
    Done,
    Mine(Lease),
    Gone(ErrorCode),
}

impl Output {
    /// Writes all of `bytes`, and what was queued before.
    pub(super) async fn write(self, bytes: &[u8]) -> Result<(), Error> {
        let end = self.state(|state| {
            state.queue.extend_from_slice(bytes);
            state.queued = state.queued.saturating_add(count(bytes.len()));
            state.queued
        });
        loop {
            match poll_fn(|cx| self.turn(end, cx)).await {
                Turn::Done => return Ok(()),
                Turn::Gone(code) => return Err(super::failure(code, self.name())),
                Turn::Mine(mut lease) => lease.write_queue().await,
            }
        }
    }

    /// Writes what is queued and ends the stream; a later write begins another.
    pub(super) async fn finish(self) -> Result<(), Error> {
        self.write(&[]).await?;
        let opened = self.state(
            |state| match mem::replace(&mut state.stream, Stream::Unopened) {
                Stream::Free(opened) => Some(opened),
                other => {
                    state.stream = other;
                    None
                }
            },
        );
        let Some(Opened { writer, result }) = opened else {
            return Ok(());
        };
        drop(writer);
        result
            .await
            .map_err(|code| super::failure(code, self.name()))
    }

    fn turn(self, end: u64, cx: &mut Context<'_>) -> Poll<Turn> {
        self.state(|state| {
            if state.written >= end {
                return Poll::Ready(Turn::Done);
            }
            match mem::replace(&mut state.stream, Stream::Lent) {
                Stream::Unopened => Poll::Ready(Turn::Mine(Lease {
                    output: self,
                    stream: Some(self.open()),
                })),
                Stream::Free(opened) => Poll::Ready(Turn::Mine(Lease {
                    output: self,
                    stream: Some(opened),
                })),
                Stream::Lent => {
                    state.waiting.push(cx.waker().clone());
                    Poll::Pending
                }
                Stream::Gone(code) => {
                    state.stream = Stream::Gone(code);
                    Poll::Ready(Turn::Gone(code))
                }
            }
        })
    }

    fn open(self) -> Opened {
        let (writer, reader) = byte_stream();
        let result = match self {
            Output::Standard => stdout::write_via_stream(reader),
            Output::Error => stderr::write_via_stream(reader),
        };
        Opened { writer, result }
    }

    fn name(self) -> &'static str {
        match self {
            Output::Standard => "standard output",
            Output::Error => "standard error",
        }
    }

    fn state<R>(self, f: impl FnOnce(&mut State) -> R) -> R {
        thread_local! {
            static STANDARD: RefCell<State> = const { RefCell::new(State::new()) };
            static ERROR: RefCell<State> = const { RefCell::new(State::new()) };
        }
        match self {
            Output::Standard => STANDARD.with_borrow_mut(f),
            Output::Error => ERROR.with_borrow_mut(f),
        }
    }

    /// Accounts for a write of `length` bytes that left `rest`.
    fn wrote(self, length: usize, mut rest: Vec<u8>) {
        self.state(|state| {
            state.written = state
                .written
                .saturating_add(count(length.saturating_sub(rest.len())));
            rest.append(&mut state.queue);
            state.queue = rest;
        });
    }

    /// Returns the stream to the shared state, and wakes the calls that wait for it.
    fn put(self, stream: Stream) {
        let waiting = self.state(|state| {
            state.stream = stream;
            mem::take(&mut state.waiting)
        });
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl State {
    const fn new() -> Self {
        State {
            queue: Vec::new(),
            queued: 0,
            written: 0,
            stream: Stream::Unopened,
            waiting: Vec::new(),
        }
    }
}

/// The stream, while one call writes; it goes back when the call ends, however it ends.
struct Lease {
    output: Output,
    stream: Option<Opened>,
}

impl Lease {
    /// Writes until the queue is empty or the other end is gone.
    async fn write_queue(&mut self) {
        let output = self.output;
        while let Some(opened) = &mut self.stream {
            let bytes = output.state(|state| mem::take(&mut state.queue));
            if bytes.is_empty() {
                return;
            }
            let length = bytes.len();
            let result = {
                let write = pin!(opened.writer.write(bytes));
                Write {
                    output,
                    length,
                    write,
                    ended: false,
                }
                .await
            };
            if result == StreamResult::Dropped {
                self.end().await;
            }
        }
    }

    /// Says to all that the other end is gone, and asks why.
    async fn end(&mut self) {
        let Some(Opened { result, .. }) = self.stream.take() else {
            return;
        };
        // First, since the question may be dropped.
        self.output.put(Stream::Gone(ErrorCode::Pipe));
        if let Err(code) = result.await {
            self.output.state(|state| state.stream = Stream::Gone(code));
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(opened) = self.stream.take() {
            self.output.put(Stream::Free(opened));
        }
    }
}

/// One write to the stream. When it ends, and when it is dropped before, what was not sent goes
/// back to the queue.
struct Write<'a, 'b> {
    output: Output,
    length: usize,
    write: Pin<&'a mut StreamWrite<'b, u8>>,
    ended: bool,
}

impl Future for Write<'_, '_> {
    type Output = StreamResult;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<StreamResult> {
        let Poll::Ready((result, rest)) = self.write.as_mut().poll(cx) else {
            return Poll::Pending;
        };
        self.ended = true;
        self.output.wrote(self.length, rest.into_vec());
        Poll::Ready(result)
    }
}

impl Drop for Write<'_, '_> {
    fn drop(&mut self) {
        if !self.ended {
            let (_, rest) = self.write.as_mut().cancel();
            self.output.wrote(self.length, rest.into_vec());
        }
    }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
