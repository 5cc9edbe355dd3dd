//! The outgoing bytes of a socket.

use std::mem;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use asyncio_streams_engine::errors::{self, SocketError};
use asyncio_streams_engine::platform::Sink;
use asyncio_streams_engine::types::Error;

use crate::abandoned;
use crate::bindings::wasi::io::streams::{OutputStream, StreamError};
use crate::bindings::wasi::sockets::tcp::{self, ShutdownType};
use crate::interest::Interest;
use crate::reactor;

use super::errors::stream_failure;

/// An `output-stream`, with the rest of the last write.
pub(super) struct Sent {
    state: State,
    rest: Vec<u8>,
    /// The number of bytes of `rest` that were taken.
    taken: usize,
}

enum State {
    Open(Stream),
    /// The stream has ended or failed.
    Over(Result<(), Error>),
}

/// Fields are dropped in this order: the pollable, the stream, the socket.
struct Stream {
    interest: Interest,
    output: OutputStream,
    /// None for a stream that is no socket's.
    socket: Option<Rc<tcp::TcpSocket>>,
    /// The end was sent.
    shut: bool,
}

impl Sent {
    pub(super) fn new(output: Option<OutputStream>, socket: Option<Rc<tcp::TcpSocket>>) -> Self {
        let Some(output) = output else {
            return Self::failed(SocketError::InvalidState);
        };
        Self::of(State::Open(Stream {
            interest: Interest::default(),
            output,
            socket,
            shut: false,
        }))
    }

    pub(super) fn failed(error: SocketError) -> Self {
        Self::of(State::Over(Err(errors::network(error, "write").into())))
    }

    fn of(state: State) -> Self {
        Sent {
            state,
            rest: Vec::new(),
            taken: 0,
        }
    }

    /// Writes as much of the rest as the host takes now; 0 when it takes none.
    fn write(&mut self) -> Result<usize, Error> {
        let rest = self.rest.get(self.taken..).unwrap_or_default();
        let stream = match &self.state {
            State::Open(stream) => stream,
            State::Over(outcome) => return Err(outcome.clone().err().unwrap_or(Error::Closed)),
        };
        match stream.write(rest) {
            Ok(n) => {
                self.taken = self.taken.saturating_add(n);
                Ok(n)
            }
            Err(failure) => {
                let error = lost(failure);
                // It has failed, so its drop does not block.
                self.state = State::Over(Err(error.clone()));
                Err(error)
            }
        }
    }

    fn forget_rest(&mut self) {
        self.rest.clear();
        self.taken = 0;
    }
}

impl Stream {
    fn write(&self, bytes: &[u8]) -> Result<usize, StreamError> {
        let room = usize::try_from(self.room()?).unwrap_or(usize::MAX);
        let part = bytes.get(..room).unwrap_or(bytes);
        if !part.is_empty() {
            self.output.write(part)?;
        }
        Ok(part.len())
    }

    /// Returns how many bytes the host takes now.
    fn room(&self) -> Result<u64, StreamError> {
        reactor::spend();
        let room = self.output.check_write();
        if !matches!(room, Ok(0)) {
            reactor::progress();
        }
        room
    }

    fn poll_ready(&mut self, cx: &Context<'_>) -> Poll<()> {
        let output = &self.output;
        self.interest.poll(cx, || output.subscribe())
    }

    /// Sends the end after what was written, once. A stream that is no socket's ends with its drop.
    fn shut(&mut self) {
        if !self.shut {
            self.shut = true;
            // A host may end the stream with it, and the pollable is the stream's child.
            self.interest = Interest::default();
            // Either fails when the connection is lost, which the stream reports.
            match &self.socket {
                Some(socket) => drop(socket.shutdown(ShutdownType::Send)),
                None => drop(self.output.flush()),
            }
        }
    }

    /// Polls until the system has taken everything and the end.
    fn poll_end(&mut self, cx: &Context<'_>) -> Poll<Result<(), StreamError>> {
        loop {
            match self.room() {
                Ok(0) => ready!(self.poll_ready(cx)),
                // The host has taken all bytes. A host that still offers room after the end has sent the end.
                Ok(_) if self.shut => return Poll::Ready(Ok(())),
                Ok(_) => self.shut(),
                // Its own end, unless it had not been sent.
                Err(StreamError::Closed) if self.shut => return Poll::Ready(Ok(())),
                Err(failure) => return Poll::Ready(Err(failure)),
            }
        }
    }

    /// Returns whether the host still holds bytes, for which its drop may block.
    fn holds_bytes(&self) -> bool {
        matches!(self.room(), Ok(0))
    }
}

impl Sink for Sent {
    fn start(&mut self, bytes: Vec<u8>) -> usize {
        self.rest = bytes;
        self.taken = 0;
        // A failure stays for the next poll.
        self.write().unwrap_or(0)
    }

    fn has_rest(&self) -> bool {
        self.taken < self.rest.len()
    }

    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, Error>> {
        loop {
            if !self.has_rest() {
                return Poll::Ready(Ok(0));
            }
            match self.write() {
                Ok(0) => match &mut self.state {
                    State::Open(stream) => ready!(stream.poll_ready(cx)),
                    State::Over(_) => return Poll::Ready(Err(Error::Closed)),
                },
                written => return Poll::Ready(written),
            }
        }
    }

    fn leave(&mut self) {
        if let State::Open(stream) = &mut self.state {
            stream.interest.leave();
        }
    }

    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let outcome = match &mut self.state {
            State::Open(stream) => ready!(stream.poll_end(cx)).map_err(lost),
            State::Over(outcome) => return Poll::Ready(outcome.clone()),
        };
        self.state = State::Over(outcome.clone());
        Poll::Ready(outcome)
    }

    fn take_buffer(&mut self) -> Vec<u8> {
        if self.has_rest() {
            return Vec::new();
        }
        self.forget_rest();
        mem::take(&mut self.rest)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.shut();
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        let State::Open(mut stream) = mem::replace(&mut self.state, State::Over(Ok(()))) else {
            return;
        };
        stream.shut();
        stream.interest = Interest::default();
        if stream.holds_bytes() {
            abandoned::keep(move || !stream.holds_bytes());
        }
    }
}

fn lost(failure: StreamError) -> Error {
    match failure {
        StreamError::Closed => errors::broken_pipe(),
        StreamError::LastOperationFailed(failure) => {
            errors::network(stream_failure(&failure), "write").into()
        }
    }
}
