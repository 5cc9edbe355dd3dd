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

/// Bytes asked for at first. Hosts clear a buffer of that size for every read.
const LEAST: u64 = 4 * 1024;

/// Bytes asked for at once at the most: wasmtime returns no more.
const MOST: u64 = 64 * 1024;

/// An `input-stream`, shared with readers that gave out a pollable of it. Fields are dropped in this order.
struct Input {
    stream: InputStream,
    /// The stream is its child.
    _socket: Option<Rc<tcp::TcpSocket>>,
}

/// Incoming bytes. Fields are dropped in this order: the pollable before the stream.
pub(super) struct Received {
    interest: Interest,
    /// `None` once it has ended.
    input: Option<Rc<Input>>,
    outcome: Result<(), Error>,
    /// There was nothing more to read, and the host has not reported anything since.
    empty: bool,
    size: u64,
    /// The last read filled its buffer. The host's lists have no spare room that could tell.
    full: bool,
}

/// Returns a pollable of the stream that the handle of a source is of ([`Source::handle`]). It is the stream's child, so that
/// the handle must be dropped after it.
pub fn subscribe(handle: &dyn Any) -> Option<Pollable> {
    let input = handle.downcast_ref::<Input>()?;
    Some(input.stream.subscribe())
}

impl Received {
    pub(super) fn new(input: Option<InputStream>, socket: Option<Rc<tcp::TcpSocket>>) -> Self {
        let outcome = match input {
            Some(_) => Ok(()),
            None => Err(errors::network(SocketError::InvalidState, "read").into()),
        };
        Received {
            interest: Interest::default(),
            input: input.map(|stream| {
                Rc::new(Input {
                    stream,
                    _socket: socket,
                })
            }),
            outcome,
            empty: false,
            size: LEAST,
            full: false,
        }
    }

    pub(super) fn failed(error: SocketError) -> Self {
        Received {
            interest: Interest::default(),
            input: None,
            outcome: Err(errors::network(error, "read").into()),
            empty: false,
            size: LEAST,
            full: false,
        }
    }

    fn poll_ready(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.empty
            && let Some(input) = &self.input
        {
            ready!(self.interest.poll(cx, || input.stream.subscribe()));
            self.empty = false;
        }
        Poll::Ready(())
    }

    fn end(&mut self, outcome: Result<(), Error>) {
        self.outcome = outcome;
        // The pollable is the stream's child.
        self.interest = Interest::default();
        self.input = None;
    }
}

impl Source for Received {
    fn poll_read(&mut self, cx: &mut Context<'_>, _: &Room<'_>) -> Poll<Option<Vec<u8>>> {
        loop {
            ready!(self.poll_ready(cx));
            let Some(input) = &self.input else {
                return Poll::Ready(None);
            };
            let read = input.stream.read(self.size);
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
                Err(StreamError::Closed) => self.end(Ok(())),
                Err(StreamError::LastOperationFailed(failure)) => {
                    let failure = stream_failure(&failure);
                    self.end(Err(errors::network(failure, "read").into()));
                }
            }
        }
    }

    fn filled(&self, _: &Vec<u8>) -> bool {
        self.full
    }

    fn leave(&mut self) {
        self.interest.leave();
    }

    fn handle(&self) -> Option<Rc<dyn Any>> {
        self.input.clone().map(|input| input as Rc<dyn Any>)
    }

    fn poll_outcome(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(self.outcome.clone())
    }

    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        ready!(self.poll_ready(cx));
        Poll::Ready(self.input.is_some())
    }
}

impl Received {
    /// Fits the next read to this one, which returned `got` bytes.
    ///
    /// After fewer bytes than were asked for, the next read finds none as a rule. It reads nevertheless: wasmtime's pollable reports
    /// a socket as ready until a read has found nothing.
    fn resize(&mut self, got: usize) {
        let got = u64::try_from(got).unwrap_or(u64::MAX);
        self.full = got >= self.size;
        if self.full {
            self.size = self.size.saturating_mul(4).min(MOST);
        } else if got < self.size / 4 {
            self.size = (self.size / 2).max(LEAST);
        }
    }
}
