//! TCP sockets and names over wasi:sockets.

use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll, ready};

use asyncio_streams_engine::errors::{LookupError, SocketError};
use asyncio_streams_engine::platform::{
    self, BoundSocket, BoxFuture, Net, Sink, SocketName, Source, StreamSocket,
};
use asyncio_streams_engine::types::KeepAlive;

use crate::background::Late;
use crate::bindings::wasi::sockets::ip_name_lookup;
use crate::bindings::wasi::sockets::types as wasi;
use crate::bindings::wit_stream;
use crate::source;

use super::address::{family, from_wasi, ip, lookup_error, socket_error, to_wasi};
use super::{Received, Sent, Wasi};

impl Net for Wasi {
    fn resolve(&self, name: String) -> BoxFuture<'static, Result<Vec<IpAddr>, LookupError>> {
        Box::pin(async move {
            let found = ip_name_lookup::resolve_addresses(name).await;
            let found = found.map_err(lookup_error)?;
            Ok(found.into_iter().map(ip).collect())
        })
    }

    fn tcp_socket(
        &self,
        address: &SocketAddr,
    ) -> Result<Box<dyn platform::TcpSocket>, SocketError> {
        let socket = wasi::TcpSocket::create(family(address)).map_err(socket_error)?;
        Ok(Box::new(TcpSocket::from(socket)))
    }
}

/// A `tcp-socket`.
pub struct TcpSocket(wasi::TcpSocket);

impl From<wasi::TcpSocket> for TcpSocket {
    fn from(socket: wasi::TcpSocket) -> Self {
        TcpSocket(socket)
    }
}

impl TcpSocket {
    fn try_set_keep_alive(&self, options: &KeepAlive) -> Result<(), wasi::ErrorCode> {
        self.0.set_keep_alive_enabled(options.on)?;
        if let Some(nanoseconds) = options.idle {
            self.0.set_keep_alive_idle_time(nanoseconds)?;
        }
        if let Some(nanoseconds) = options.interval {
            self.0.set_keep_alive_interval(nanoseconds)?;
        }
        if let Some(count) = options.count {
            self.0.set_keep_alive_count(count)?;
        }
        Ok(())
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
        let (received, result) = self.0.receive();
        Box::new(Received::with_result(received, result))
    }

    fn send(self: Box<Self>) -> Box<dyn Sink> {
        let (to_send, taken) = wit_stream::new::<u8>();
        let result = self.0.send(taken);
        Box::new(Sent::with_result(to_send, result))
    }
}

impl BoundSocket for TcpSocket {
    fn set_keep_alive(&self, options: &KeepAlive) -> Result<(), SocketError> {
        self.try_set_keep_alive(options).map_err(socket_error)
    }

    fn listen(&self, backlog: u32) -> Result<Box<dyn platform::Listener>, SocketError> {
        let size = u64::from(backlog);
        self.0.set_listen_backlog_size(size).map_err(socket_error)?;
        let connections = self.0.listen().map_err(socket_error)?;
        Ok(Box::new(Listener(source::Source::new(connections))))
    }
}

impl platform::TcpSocket for TcpSocket {
    fn bind(&self, local: SocketAddr) -> Result<(), SocketError> {
        self.0.bind(to_wasi(local)).map_err(socket_error)
    }

    fn local_address(&self) -> Result<SocketAddr, SocketError> {
        let address = self.0.get_local_address();
        address.map(from_wasi).map_err(socket_error)
    }

    fn remote_address(&self) -> Result<SocketAddr, SocketError> {
        let address = self.0.get_remote_address();
        address.map(from_wasi).map_err(socket_error)
    }

    fn connect(
        self: Box<Self>,
        remote: SocketAddr,
    ) -> BoxFuture<'static, Result<Box<dyn platform::TcpSocket>, SocketError>> {
        // A dropped connect borrows the socket until the operation has ended.
        let socket = Late::new(self.0);
        Box::pin(async move {
            let connected = socket.connect(to_wasi(remote)).await;
            connected.map_err(socket_error)?;
            let socket = TcpSocket(socket.into_inner());
            Ok(Box::new(socket) as Box<dyn platform::TcpSocket>)
        })
    }
}

/// The connections of a listening `tcp-socket`.
pub struct Listener(source::Source<wasi::TcpSocket>);

impl platform::Listener for Listener {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Box<dyn StreamSocket>> {
        let sockets = ready!(self.0.poll_read(cx, || (Vec::with_capacity(1), ())));
        match sockets.and_then(|mut sockets| sockets.pop()) {
            Some(socket) => Poll::Ready(Box::new(TcpSocket(socket))),
            // The stream does not end while its socket exists.
            None => Poll::Pending,
        }
    }

    fn leave(&mut self) {
        self.0.leave();
    }
}
