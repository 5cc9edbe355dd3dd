//! A TCP socket: not in use yet, or connected with its streams still inside.

use std::cell::Cell;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::Poll;

use asyncio_streams_engine::errors::SocketError;
use asyncio_streams_engine::platform::{
    self, BoundSocket, BoxFuture, Sink, SocketName, Source, StreamSocket,
};
use asyncio_streams_engine::types::KeepAlive;

use crate::bindings::wasi::io::streams::{InputStream, OutputStream};
use crate::bindings::wasi::sockets::network::ErrorCode;
use crate::bindings::wasi::sockets::tcp;
use crate::interest::Interest;
use crate::reactor;

use super::errors::{from_wasi, socket_error, to_wasi};
use super::listener::Listener;
use super::net::network;
use super::received::Received;
use super::sent::Sent;

/// A `tcp-socket`. The streams are its children, so that it must be dropped after them.
pub(super) struct TcpSocket {
    input: Cell<Option<InputStream>>,
    output: Cell<Option<OutputStream>>,
    socket: Rc<tcp::TcpSocket>,
}

impl TcpSocket {
    pub(super) fn new(socket: tcp::TcpSocket) -> Self {
        TcpSocket {
            input: Cell::default(),
            output: Cell::default(),
            socket: Rc::new(socket),
        }
    }

    pub(super) fn connected(
        socket: Rc<tcp::TcpSocket>,
        input: InputStream,
        output: OutputStream,
    ) -> Self {
        TcpSocket {
            input: Cell::new(Some(input)),
            output: Cell::new(Some(output)),
            socket,
        }
    }

    fn try_set_keep_alive(&self, options: &KeepAlive) -> Result<(), ErrorCode> {
        self.socket.set_keep_alive_enabled(options.on)?;
        if let Some(nanoseconds) = options.idle {
            self.socket.set_keep_alive_idle_time(nanoseconds)?;
        }
        if let Some(nanoseconds) = options.interval {
            self.socket.set_keep_alive_interval(nanoseconds)?;
        }
        if let Some(count) = options.count {
            self.socket.set_keep_alive_count(count)?;
        }
        Ok(())
    }

    /// Waits for the end of an operation that every system does at once, but that WASI has in two steps.
    fn finish(
        &self,
        mut finish: impl FnMut(&tcp::TcpSocket) -> Result<(), ErrorCode>,
    ) -> Result<(), ErrorCode> {
        loop {
            match finish(&self.socket) {
                Err(ErrorCode::WouldBlock) => self.socket.subscribe().block(),
                finished => return finished,
            }
        }
    }

    fn try_bind(&self, local: SocketAddr) -> Result<(), ErrorCode> {
        network(|network| self.socket.start_bind(network, to_wasi(local)))?;
        self.finish(tcp::TcpSocket::finish_bind)
    }

    fn try_listen(&self, backlog: u32) -> Result<(), ErrorCode> {
        self.socket.set_listen_backlog_size(u64::from(backlog))?;
        self.socket.start_listen()?;
        self.finish(tcp::TcpSocket::finish_listen)
    }
}

impl StreamSocket for TcpSocket {
    fn local_name(&self) -> Result<SocketName, SocketError> {
        platform::TcpSocket::local_address(self).map(SocketName::Inet)
    }

    fn remote_name(&self) -> Result<SocketName, SocketError> {
        platform::TcpSocket::remote_address(self).map(SocketName::Inet)
    }

    fn receive(&self) -> Box<dyn Source> {
        Box::new(Received::new(self.input.take(), Some(self.socket.clone())))
    }

    fn send(self: Box<Self>) -> Box<dyn Sink> {
        Box::new(Sent::new(self.output.take(), Some(self.socket.clone())))
    }
}

impl BoundSocket for TcpSocket {
    fn set_keep_alive(&self, options: &KeepAlive) -> Result<(), SocketError> {
        self.try_set_keep_alive(options).map_err(socket_error)
    }

    fn listen(&self, backlog: u32) -> Result<Box<dyn platform::Listener>, SocketError> {
        self.try_listen(backlog).map_err(socket_error)?;
        Ok(Box::new(Listener::new(self.socket.clone())))
    }
}

impl platform::TcpSocket for TcpSocket {
    fn bind(&self, local: SocketAddr) -> Result<(), SocketError> {
        self.try_bind(local).map_err(socket_error)
    }

    fn local_address(&self) -> Result<SocketAddr, SocketError> {
        let address = self.socket.local_address();
        address.map(from_wasi).map_err(socket_error)
    }

    fn remote_address(&self) -> Result<SocketAddr, SocketError> {
        let address = self.socket.remote_address();
        address.map(from_wasi).map_err(socket_error)
    }

    fn connect(
        self: Box<Self>,
        remote: SocketAddr,
    ) -> BoxFuture<'static, Result<Box<dyn platform::TcpSocket>, SocketError>> {
        let socket = self.socket.clone();
        Box::pin(async move {
            let started = network(|network| socket.start_connect(network, to_wasi(remote)));
            started.map_err(socket_error)?;
            let mut interest = Interest::default();
            let finished = poll_fn(|cx| {
                loop {
                    match socket.finish_connect() {
                        Err(ErrorCode::WouldBlock) => {
                            if interest.poll(cx, || socket.subscribe()).is_pending() {
                                return Poll::Pending;
                            }
                        }
                        finished => {
                            reactor::progress();
                            return Poll::Ready(finished);
                        }
                    }
                }
            });
            let (input, output) = finished.await.map_err(socket_error)?;
            let connected = TcpSocket::connected(socket.clone(), input, output);
            Ok(Box::new(connected) as Box<dyn platform::TcpSocket>)
        })
    }
}

/// The result of a failed accept of the system.
pub(super) struct FailedSocket;

impl StreamSocket for FailedSocket {
    fn local_name(&self) -> Result<SocketName, SocketError> {
        Err(SocketError::InvalidState)
    }

    fn remote_name(&self) -> Result<SocketName, SocketError> {
        Err(SocketError::InvalidState)
    }

    fn receive(&self) -> Box<dyn Source> {
        Box::new(Received::failed(SocketError::InvalidState))
    }

    fn send(self: Box<Self>) -> Box<dyn Sink> {
        Box::new(Sent::failed(SocketError::InvalidState))
    }
}
