//! Accepting, as a stream of the component model.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::net::TcpListener;
use wasmtime::StoreContextMut;
use wasmtime::component::{Destination, Resource, StreamProducer, StreamResult};
use wasmtime_wasi::p3::bindings::sockets::types::{ErrorCode, IpAddressFamily};
use wasmtime_wasi::sockets::SocketAddrUse;

use super::given::Queue;
use super::socket::{Socket, Transport};
use super::tcp::Tcp;
use crate::network::Policy;
use crate::state::State;

/// The source of a listener's connections.
pub(super) enum Source {
    Own(Arc<TcpListener>, Arc<Policy>),
    Given(Queue),
}

pub(super) struct Accept {
    source: Source,
    family: IpAddressFamily,
    /// The result of a zero-length read.
    waiting: Option<Result<Socket, ErrorCode>>,
}

impl Accept {
    pub(super) fn new(source: Source, family: IpAddressFamily) -> Self {
        Self {
            source,
            family,
            waiting: None,
        }
    }

    /// Waits for a connection: `false` when there will be no more.
    fn poll_waiting(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if self.waiting.is_some() {
            return Poll::Ready(true);
        }
        let next = match &mut self.source {
            Source::Own(listener, policy) => ready!(poll_accept(listener, policy, cx)),
            Source::Given(queue) => match ready!(queue.poll_next(cx)) {
                Some(next) => next.map_err(ErrorCode::from),
                None => return Poll::Ready(false),
            },
        };
        self.waiting = Some(next);
        Poll::Ready(true)
    }
}

impl Drop for Accept {
    fn drop(&mut self) {
        if let (Source::Given(queue), Some(Ok(socket))) = (&self.source, self.waiting.take()) {
            queue.give_back(socket);
        }
    }
}

fn poll_accept(
    listener: &TcpListener,
    policy: &Policy,
    cx: &mut Context<'_>,
) -> Poll<Result<Socket, ErrorCode>> {
    loop {
        let (stream, peer): (_, SocketAddr) = match ready!(listener.poll_accept(cx)) {
            Ok(accepted) => accepted,
            Err(error) => return Poll::Ready(Err(accept_code(&error))),
        };
        if policy.check(peer, SocketAddrUse::TcpAccept) {
            return Poll::Ready(Ok(Socket::new(Transport::Tcp(stream), None, None)));
        }
        // Reset, so that an unwanted client learns at once.
        let _ = stream.set_zero_linger();
    }
}

/// Maps an error of accepting. Linux reports failures of the new connection there: the connection was aborted.
fn accept_code(error: &io::Error) -> ErrorCode {
    match error.kind() {
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::Unsupported => ErrorCode::ConnectionAborted,
        _ => ErrorCode::from(error),
    }
}

impl StreamProducer<State> for Accept {
    type Item = Resource<Tcp>;
    type Buffer = Option<Resource<Tcp>>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'a, State>,
        mut destination: Destination<'a, Self::Item, Self::Buffer>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        match self.poll_waiting(cx) {
            Poll::Ready(true) => {}
            Poll::Ready(false) => return Poll::Ready(Ok(StreamResult::Dropped)),
            Poll::Pending if finish => return Poll::Ready(Ok(StreamResult::Cancelled)),
            Poll::Pending => return Poll::Pending,
        }
        if destination.remaining(&mut store) != Some(0)
            && let Some(next) = self.waiting.take()
        {
            let socket = Tcp::accepted(next, self.family);
            destination.set_buffer(Some(store.data_mut().table_mut().push(socket)?));
        }
        Poll::Ready(Ok(StreamResult::Completed))
    }
}
