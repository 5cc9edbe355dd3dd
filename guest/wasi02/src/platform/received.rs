//! The incoming bytes of a socket.

use std::any::Any;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use asyncio_streams_engine::Room;
use asyncio_streams_engine::errors::{self, SocketError};
use asyncio_streams_engine::platform::Source;
use asyncio_streams_engine::types::Error;

use crate::bindings::wasi::io::poll::Pollable;
use crate::bindings::wasi::io::streams::{InputStream, StreamError};
use crate::bindings::wasi::sockets::tcp;
use crate::interest::Interest;
use crate::reactor;

use super::errors::stream_failure;

/// Bytes asked for at first: more than a message of 1 KiB with its header. Hosts clear a buffer of that size for every read.
const LEAST: u32 = 2 * 1024;

/// Bytes asked for at once at the most: wasmtime returns no more.
const MOST: u32 = 64 * 1024;

/// An `input-stream`, shared with readers that gave out a pollable of it. Fields are dropped in this order.
struct Input {
    stream: InputStream,
    /// The stream is its child.
    _socket: Option<Rc<tcp::TcpSocket>>,
}

/// Incoming bytes.
pub(super) struct Received {
    state: State,
    /// There was nothing more to read, and the host has not reported anything since.
    empty: bool,
    size: u32,
    /// The last read filled its buffer. The host's lists have no spare room that could tell.
    full: bool,
}

enum State {
    /// Fields are dropped in this order: the pollable before the stream.
    Open {
        interest: Interest,
        input: Rc<Input>,
    },
    Over(Result<(), Error>),
}

/// Returns a pollable of the stream that the handle of a source is of ([`Source::handle`]). It is the stream's child, so that
/// the handle must be dropped after it.
pub fn subscribe(handle: &dyn Any) -> Option<Pollable> {
    let input = handle.downcast_ref::<Input>()?;
    Some(input.stream.subscribe())
}

impl Received {
    pub(super) fn new(input: Option<InputStream>, socket: Option<Rc<tcp::TcpSocket>>) -> Self {
        let Some(stream) = input else {
            return Self::failed(SocketError::InvalidState);
        };
        Self::of(State::Open {
            interest: Interest::default(),
            input: Rc::new(Input {
                stream,
                _socket: socket,
            }),
        })
    }

    pub(super) fn failed(error: SocketError) -> Self {
        Self::of(State::Over(Err(errors::network(error, "read").into())))
    }

    fn of(state: State) -> Self {
        Received {
            state,
            empty: false,
            size: LEAST,
            full: false,
        }
    }

    /// Polls until the host may have bytes or the end. Returns the stream, unless that is over.
    fn poll_ready(&mut self, cx: &Context<'_>) -> Poll<Option<&InputStream>> {
        let State::Open { interest, input } = &mut self.state else {
            return Poll::Ready(None);
        };
        if self.empty {
            ready!(interest.poll(cx, || input.stream.subscribe()));
            self.empty = false;
        }
        Poll::Ready(Some(&input.stream))
    }
}

impl Source for Received {
    fn poll_read(&mut self, cx: &mut Context<'_>, _: &Room<'_>) -> Poll<Option<Vec<u8>>> {
        loop {
            let size = self.size.into();
            let Some(stream) = ready!(self.poll_ready(cx)) else {
                return Poll::Ready(None);
            };
            let read = stream.read(size);
            if matches!(&read, Ok(bytes) if bytes.is_empty()) {
                self.empty = true;
                continue;
            }
            reactor::progress();
            match read {
                Ok(bytes) => {
                    self.resize(bytes.len());
                    return Poll::Ready(Some(bytes));
                }
                Err(StreamError::Closed) => self.state = State::Over(Ok(())),
                Err(StreamError::LastOperationFailed(failure)) => {
                    let failure = stream_failure(&failure);
                    self.state = State::Over(Err(errors::network(failure, "read").into()));
                }
            }
        }
    }

    fn filled(&self, _: &Vec<u8>) -> bool {
        self.full
    }

    fn leave(&mut self) {
        if let State::Open { interest, .. } = &mut self.state {
            interest.leave();
        }
    }

    fn handle(&self) -> Option<Rc<dyn Any>> {
        match &self.state {
            State::Open { input, .. } => Some(input.clone()),
            State::Over(_) => None,
        }
    }

    fn poll_outcome(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(match &self.state {
            // It is asked for after the end only.
            State::Open { .. } => Ok(()),
            State::Over(outcome) => outcome.clone(),
        })
    }

    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        self.poll_ready(cx).map(|stream| stream.is_some())
    }
}

impl Received {
    /// Fits the next read to this one, which returned `got` bytes.
    ///
    /// After fewer bytes than were asked for, the next read finds none as a rule. It reads nevertheless: wasmtime's pollable reports
    /// a socket as ready until a read has found nothing.
    fn resize(&mut self, got: usize) {
        let got = errors::saturate(got);
        self.full = got >= self.size;
        if self.full {
            self.size = self.size.saturating_mul(4).min(MOST);
        } else if got < self.size / 4 {
            self.size = (self.size / 2).max(LEAST);
        }
    }
}
