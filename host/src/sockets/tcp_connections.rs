//! Accepting TCP connections, from a listener of the program or of the host.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::net::TcpListener;
use wasmtime_wasi::p3::bindings::sockets::types::{ErrorCode, IpAddressFamily};
use wasmtime_wasi::sockets::SocketAddrUse;

use super::accept::Connections;
use super::given::Queue;
use super::socket::{Socket, Transport};
use super::tcp::Tcp;
use crate::network::Policy;

/// The source of a listener's connections.
pub(super) enum Source {
    Own(Arc<TcpListener>, Arc<Policy>),
    Given(Queue),
}

/// The connections of a TCP listener.
pub(super) struct TcpConnections {
    pub(super) source: Source,
    pub(super) family: IpAddressFamily,
}

impl Connections for TcpConnections {
    type Accepted = Result<Socket, ErrorCode>;
    type Resource = Tcp;

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Self::Accepted>> {
        match &mut self.source {
            Source::Own(listener, policy) => poll_accept(listener, policy, cx).map(Some),
            Source::Given(queue) => queue
                .poll_next(cx)
                .map(|next| next.map(|next| next.map_err(ErrorCode::from))),
        }
    }

    fn hand_over(&self, accepted: Self::Accepted) -> Tcp {
        Tcp::accepted(accepted, self.family)
    }

    fn give_back(&self, accepted: Self::Accepted) {
        if let (Source::Given(queue), Ok(socket)) = (&self.source, accepted) {
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
