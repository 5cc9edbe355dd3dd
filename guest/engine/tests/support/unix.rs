//! Unix sockets in the network in memory: paths that stand for TCP ports of one host.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::task::{Context, Poll};

use asyncio_streams_engine::errors::SocketError;
use asyncio_streams_engine::platform::{
    BoundSocket, BoxFuture, Listener, Net, Sink, SocketName, Source, StreamSocket, TcpSocket,
};
use asyncio_streams_engine::testing::Host;
use asyncio_streams_engine::types::{Credentials, KeepAlive};
use asyncio_streams_engine::unix::{BindOptions, Connected, Failure, FailureCode, UnixNet, shown};

/// The process at the end that a server sees.
pub(crate) const CLIENT_PROCESS: Credentials = Credentials {
    process: Some(7),
    user: 1000,
    group: 100,
};

/// The paths of a machine.
pub(crate) struct Paths {
    host: Host,
    bound: Rc<RefCell<BTreeMap<Vec<u8>, SocketAddr>>>,
    /// How the last path was bound.
    pub(crate) options: Cell<Option<BindOptions>>,
}

impl Paths {
    pub(crate) fn new(host: &Host) -> Self {
        Paths {
            host: host.clone(),
            bound: Rc::default(),
            options: Cell::default(),
        }
    }

    /// Returns whether a socket has the path.
    pub(crate) fn is_bound(&self, path: &[u8]) -> bool {
        self.bound.borrow().contains_key(path)
    }

    fn socket(&self) -> Box<dyn TcpSocket> {
        let any = (Ipv4Addr::LOCALHOST, 0).into();
        self.host.tcp_socket(&any).expect("a socket")
    }
}

fn failure(code: FailureCode, message: &str) -> Failure {
    Failure {
        code,
        message: message.into(),
    }
}

impl UnixNet for Paths {
    fn connect(&self, path: Vec<u8>) -> BoxFuture<'static, Result<Connected, Failure>> {
        let address = self.bound.borrow().get(&path).copied();
        let connecting = address.map(|address| self.socket().connect(address));
        Box::pin(async move {
            let connecting =
                connecting.ok_or_else(|| failure(FailureCode::NoSuchFile, "no \"such\" file"))?;
            let socket = connecting
                .await
                .map_err(|_| failure(FailureCode::ConnectionRefused, "no server"))?;
            Ok(Box::new(Renamed {
                socket,
                local: Vec::new(),
                remote: path,
                peer: None,
            }) as Connected)
        })
    }

    fn bind(&self, path: &[u8], options: BindOptions) -> Result<Rc<dyn BoundSocket>, Failure> {
        self.options.set(Some(options));
        let socket = self.socket();
        socket
            .bind((Ipv4Addr::LOCALHOST, 0).into())
            .expect("a free port");
        let address = socket.local_address().expect("an address");
        self.bound.borrow_mut().insert(path.to_vec(), address);
        Ok(Rc::new(Bound {
            socket,
            path: path.to_vec(),
            paths: self.bound.clone(),
        }))
    }
}

/// A bound socket, which has its path until it is closed.
struct Bound {
    socket: Box<dyn TcpSocket>,
    path: Vec<u8>,
    paths: Rc<RefCell<BTreeMap<Vec<u8>, SocketAddr>>>,
}

impl BoundSocket for Bound {
    fn set_keep_alive(&self, _: &KeepAlive) -> Result<(), SocketError> {
        Ok(())
    }

    fn listen(&self, backlog: u32) -> Result<Box<dyn Listener>, SocketError> {
        Ok(Box::new(Accepting {
            listener: self.socket.listen(backlog)?,
            path: self.path.clone(),
        }))
    }

    fn close(&self) {
        self.paths.borrow_mut().remove(&self.path);
    }
}

struct Accepting {
    listener: Box<dyn Listener>,
    path: Vec<u8>,
}

impl Listener for Accepting {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Box<dyn StreamSocket>> {
        self.listener.poll_accept(cx).map(|socket| {
            Box::new(Renamed {
                socket,
                local: self.path.clone(),
                remote: Vec::new(),
                peer: Some(CLIENT_PROCESS),
            }) as Box<dyn StreamSocket>
        })
    }

    fn leave(&mut self) {
        self.listener.leave();
    }
}

/// A TCP socket that names itself as a Unix socket does.
struct Renamed<S: ?Sized> {
    local: Vec<u8>,
    remote: Vec<u8>,
    peer: Option<Credentials>,
    socket: Box<S>,
}

impl<S: StreamSocket + ?Sized> StreamSocket for Renamed<S> {
    fn local_name(&self) -> Result<SocketName, SocketError> {
        Ok(SocketName::Unix(shown(&self.local)))
    }

    fn remote_name(&self) -> Result<SocketName, SocketError> {
        Ok(SocketName::Unix(shown(&self.remote)))
    }

    fn peer_credentials(&self) -> Option<Credentials> {
        self.peer
    }

    fn receive(&self) -> Box<dyn Source> {
        self.socket.receive()
    }

    fn send(self: Box<Self>) -> Box<dyn Sink> {
        self.socket.send()
    }
}
