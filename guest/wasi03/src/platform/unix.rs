//! Unix sockets over `unix-host`, which some hosts provide beside WASI. A component that does not use [`WasiUnix`] does not
//! import it.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use asyncio_streams_engine::errors::SocketError;
use asyncio_streams_engine::platform::{
    self, BoundSocket, BoxFuture, Sink, SocketName, Source, StreamSocket,
};
use asyncio_streams_engine::types::{Credentials, KeepAlive};
use asyncio_streams_engine::unix::{BindOptions, Connected, Failure, FailureCode, UnixNet, shown};

use crate::bindings::asyncio::streams::unix_host as host;
use crate::bindings::wit_stream;
use crate::source;

use super::{Received, Sent};

/// The Unix sockets of the host.
#[derive(Clone, Copy, Debug, Default)]
pub struct WasiUnix;

impl UnixNet for WasiUnix {
    fn connect(&self, path: Vec<u8>) -> BoxFuture<'static, Result<Connected, Failure>> {
        Box::pin(async move {
            let connected = host::UnixSocket::connect(path).await;
            let socket = connected.map_err(failure)?;
            Ok(Box::new(Socket::new(socket)) as Connected)
        })
    }

    fn bind(&self, path: &[u8], options: BindOptions) -> Result<Rc<dyn BoundSocket>, Failure> {
        let options = host::BindOptions {
            mode: options.mode,
            cleanup: options.cleanup,
        };
        let listener = host::UnixListener::bind(path, options).map_err(failure)?;
        Ok(Rc::new(Bound(RefCell::new(Some(listener)))))
    }
}

/// A connected `unix-socket`, and the addresses of its ends.
struct Socket {
    socket: host::UnixSocket,
    ends: host::Ends,
}

impl Socket {
    fn new(socket: host::UnixSocket) -> Self {
        Socket {
            ends: socket.ends(),
            socket,
        }
    }
}

impl StreamSocket for Socket {
    fn local_name(&self) -> Result<SocketName, SocketError> {
        Ok(SocketName::Unix(shown(&self.ends.local)))
    }

    fn remote_name(&self) -> Result<SocketName, SocketError> {
        Ok(SocketName::Unix(shown(&self.ends.remote)))
    }

    fn peer_credentials(&self) -> Option<Credentials> {
        self.ends.peer.map(|peer| Credentials {
            process: peer.process,
            user: peer.user,
            group: peer.group,
        })
    }

    fn receive(&self) -> Box<dyn Source> {
        let (received, result) = self.socket.receive();
        Box::new(Received::with_result(received, result))
    }

    fn send(self: Box<Self>) -> Box<dyn Sink> {
        let (to_send, taken) = wit_stream::new::<u8>();
        let result = self.socket.send(taken);
        Box::new(Sent::with_result(to_send, result))
    }
}

/// A `unix-listener`; none after the close.
struct Bound(RefCell<Option<host::UnixListener>>);

impl BoundSocket for Bound {
    fn set_keep_alive(&self, _: &KeepAlive) -> Result<(), SocketError> {
        Ok(())
    }

    fn listen(&self, backlog: u32) -> Result<Box<dyn platform::Listener>, SocketError> {
        let listener = self.0.borrow();
        let listener = listener.as_ref().ok_or(SocketError::InvalidState)?;
        let connections = listener
            .listen(backlog)
            .map_err(|failure| match failure.code {
                host::FailureCode::OutOfResources => SocketError::OutOfMemory,
                host::FailureCode::InvalidState => SocketError::InvalidState,
                _ => SocketError::Other(Some(failure.message)),
            })?;
        Ok(Box::new(Listener(source::Source::new(connections))))
    }

    fn close(&self) {
        drop(self.0.take());
    }
}

/// The connections of a `unix-listener`.
struct Listener(source::Source<host::UnixSocket>);

impl platform::Listener for Listener {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Box<dyn StreamSocket>> {
        let sockets = ready!(self.0.poll_read(cx, || (Vec::with_capacity(1), ())));
        match sockets.and_then(|mut sockets| sockets.pop()) {
            Some(socket) => Poll::Ready(Box::new(Socket::new(socket))),
            // The stream ends only with its listener, whose server is closed then.
            None => Poll::Pending,
        }
    }

    fn leave(&mut self) {
        self.0.leave();
    }
}

fn failure(failure: host::Failure) -> Failure {
    let code = match failure.code {
        host::FailureCode::NotSupported => FailureCode::NotSupported,
        host::FailureCode::InvalidPath => FailureCode::InvalidPath,
        host::FailureCode::AccessDenied => FailureCode::AccessDenied,
        host::FailureCode::NoSuchFile => FailureCode::NoSuchFile,
        host::FailureCode::AddressInUse => FailureCode::AddressInUse,
        host::FailureCode::ConnectionRefused => FailureCode::ConnectionRefused,
        host::FailureCode::OutOfResources => FailureCode::OutOfResources,
        host::FailureCode::InvalidState => FailureCode::InvalidState,
        host::FailureCode::Other => FailureCode::Other,
    };
    Failure {
        code,
        message: failure.message,
    }
}
