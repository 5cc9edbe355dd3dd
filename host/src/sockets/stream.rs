//! The two directions of a connection, as streams of the component model.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::oneshot;
use wasmtime::StoreContextMut;
use wasmtime::component::{
    Destination, FutureReader, Source, StreamConsumer, StreamProducer, StreamReader, StreamResult,
    VecBuffer,
};
use wasmtime_wasi::p3::bindings::sockets::types::ErrorCode;

use super::socket::Socket;
use crate::state::State;

/// The capacity of a read that cannot go directly into the program's memory, in bytes.
const READ_CAPACITY: usize = 8192;

/// The result of a direction, sent once.
type Outcome = Result<(), ErrorCode>;

/// `tcp-socket.receive`.
pub(super) fn receive(
    mut store: StoreContextMut<'_, State>,
    socket: Result<Arc<Socket>, ErrorCode>,
) -> wasmtime::Result<(StreamReader<u8>, FutureReader<Outcome>)> {
    match socket {
        Ok(socket) => {
            let (outcome, told) = oneshot::channel();
            let producer = Receive(Some(Open { socket, outcome }));
            Ok((
                StreamReader::new(&mut store, producer)?,
                FutureReader::new(&mut store, told)?,
            ))
        }
        Err(code) => Ok((
            StreamReader::new(&mut store, std::iter::empty())?,
            failed(store, code)?,
        )),
    }
}

/// `tcp-socket.send`.
pub(super) fn send(
    mut store: StoreContextMut<'_, State>,
    mut data: StreamReader<u8>,
    socket: Result<Arc<Socket>, ErrorCode>,
) -> wasmtime::Result<FutureReader<Outcome>> {
    match socket {
        Ok(socket) => {
            let (outcome, told) = oneshot::channel();
            data.pipe(&mut store, Send(Some(Open { socket, outcome })))?;
            FutureReader::new(&mut store, told)
        }
        Err(code) => {
            data.close(&mut store)?;
            failed(store, code)
        }
    }
}

fn failed(
    mut store: StoreContextMut<'_, State>,
    code: ErrorCode,
) -> wasmtime::Result<FutureReader<Outcome>> {
    FutureReader::new(&mut store, async move { wasmtime::error::Ok(Err(code)) })
}

/// An open direction.
struct Open {
    socket: Arc<Socket>,
    outcome: oneshot::Sender<Outcome>,
}

impl Open {
    fn end(self, outcome: Outcome) {
        if let Err(code) = &outcome {
            self.socket.lose(code);
        }
        // The program may have dropped the future.
        let _ = self.outcome.send(outcome);
    }
}

struct Receive(Option<Open>);

impl Receive {
    fn end(&mut self, outcome: Outcome) {
        if let Some(open) = self.0.take() {
            open.socket.shutdown_read();
            open.end(outcome);
        }
    }
}

impl Drop for Receive {
    fn drop(&mut self) {
        self.end(Ok(()));
    }
}

impl StreamProducer<State> for Receive {
    type Item = u8;
    type Buffer = VecBuffer<u8>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'a, State>,
        destination: Destination<'a, u8, Self::Buffer>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let Some(open) = &self.0 else {
            return Poll::Ready(Ok(StreamResult::Dropped));
        };
        let mut destination = destination.as_direct(store, READ_CAPACITY);
        let read = match destination.remaining() {
            [] => open.socket.poll_readable(cx),
            room => open.socket.poll_read(cx, room).map_ok(|count| {
                destination.mark_written(count);
                count > 0
            }),
        };
        match read {
            Poll::Ready(Ok(true)) => Poll::Ready(Ok(StreamResult::Completed)),
            Poll::Ready(Ok(false)) => {
                let outcome = open.socket.loss().cloned().map_or(Ok(()), Err);
                self.end(outcome);
                Poll::Ready(Ok(StreamResult::Dropped))
            }
            Poll::Ready(Err(error)) => {
                self.end(Err(code(&error)));
                Poll::Ready(Ok(StreamResult::Dropped))
            }
            Poll::Pending if finish => Poll::Ready(Ok(StreamResult::Cancelled)),
            Poll::Pending => Poll::Pending,
        }
    }
}

struct Send(Option<Open>);

impl Send {
    fn end(&mut self, outcome: Outcome) {
        if let Some(open) = self.0.take() {
            open.socket.shutdown_write();
            open.end(outcome);
        }
    }
}

impl Drop for Send {
    fn drop(&mut self) {
        self.end(Ok(()));
    }
}

impl StreamConsumer<State> for Send {
    type Item = u8;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'_, State>,
        source: Source<'_, u8>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let Some(open) = &self.0 else {
            return Poll::Ready(Ok(StreamResult::Dropped));
        };
        let mut source = source.as_direct(store);
        let written = match source.remaining() {
            [] => open.socket.poll_writable(cx).map(Ok),
            bytes => open
                .socket
                .poll_write(cx, bytes)
                .map_ok(|count| source.mark_read(count)),
        };
        match written {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(StreamResult::Completed)),
            Poll::Ready(Err(error)) => {
                self.end(Err(code(&error)));
                Poll::Ready(Ok(StreamResult::Dropped))
            }
            Poll::Pending if finish => Poll::Ready(Ok(StreamResult::Cancelled)),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// Converts an error to WASI's code. A TLS end without `close_notify` may be an attack, so it is an error.
pub(super) fn code(error: &io::Error) -> ErrorCode {
    match error.kind() {
        // wasmtime's conversion for WASI 0.3 does not know it.
        io::ErrorKind::BrokenPipe => ErrorCode::ConnectionBroken,
        io::ErrorKind::UnexpectedEof => ErrorCode::ConnectionReset,
        io::ErrorKind::InvalidData => ErrorCode::ConnectionAborted,
        _ => ErrorCode::from(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_loss_of_a_connection_has_its_code() {
        for (kind, expected) in [
            (io::ErrorKind::BrokenPipe, "connection-broken"),
            (io::ErrorKind::ConnectionReset, "connection-reset"),
            (io::ErrorKind::ConnectionAborted, "connection-aborted"),
            (io::ErrorKind::TimedOut, "timeout"),
            (io::ErrorKind::UnexpectedEof, "connection-reset"),
        ] {
            let code = match code(&kind.into()) {
                ErrorCode::ConnectionBroken => "connection-broken",
                ErrorCode::ConnectionReset => "connection-reset",
                ErrorCode::ConnectionAborted => "connection-aborted",
                ErrorCode::Timeout => "timeout",
                _ => "another",
            };
            assert_eq!(code, expected, "{kind:?}");
        }
    }
}
