//! Listening on a Unix socket.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use asyncio_streams_core::{self as core, Backoff};
use socket2::{Domain, Socket, Type};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::Sleep;

use super::connect::{address, other_than_socket};
use super::failure::{Failure, FailureCode};
use super::file::SocketFile;
use super::link::UnixSocket;
use crate::network::Named;
use crate::sockets::accept::{Accept, Connections};

/// `unix-listener`. Dropping it closes the socket, even if a read of its connections is pending, and removes its file.
pub(super) struct Listener {
    /// The socket until it listens.
    bound: Option<Socket>,
    listening: Arc<Listening>,
    _file: Option<SocketFile>,
}

/// The listening socket, shared with the stream of its connections.
#[derive(Default)]
struct Listening(Mutex<Shared>);

#[derive(Default)]
struct Shared {
    socket: Option<UnixListener>,
    /// The task that waits for a connection: nothing else wakes it when the socket is closed.
    waker: Option<Waker>,
    closed: bool,
}

impl Listening {
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let (socket, waker) = {
            let mut shared = self.listening.lock();
            shared.closed = true;
            (shared.socket.take(), shared.waker.take())
        };
        drop(socket);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Listener {
    /// Binds a resolved path. A socket that is there already is removed.
    pub(super) fn bind(named: &Named, mode: Option<u32>, cleanup: bool) -> Result<Self, Failure> {
        let address = address(named)?;
        // Before the old socket is removed: without descriptors, that one stays.
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        if let Named::File(path) = named {
            make_room(path)?;
        }
        socket.bind(&address)?;
        let mut file = None;
        if let Named::File(path) = named {
            let own = SocketFile::of(path)?;
            if let Some(mode) = mode {
                // No client can connect before the socket listens. If this fails, the file is removed again.
                own.set_mode(mode)?;
            }
            match cleanup {
                true => file = Some(own),
                false => own.keep(),
            }
        }
        Ok(Self {
            bound: Some(socket),
            listening: Arc::default(),
            _file: file,
        })
    }

    /// Listens, once. After a failure the socket stays bound, and listening may succeed later.
    pub(super) fn listen(&mut self, backlog: u32) -> Result<Accept<UnixConnections>, Failure> {
        let Some(socket) = &self.bound else {
            return Err(Failure::new(
                FailureCode::InvalidState,
                "it listens already",
            ));
        };
        socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
        let listening = std::os::unix::net::UnixListener::from(OwnedFd::from(socket.try_clone()?));
        self.listening.lock().socket = Some(UnixListener::from_std(listening)?);
        self.bound = None;
        Ok(Accept::new(UnixConnections {
            listening: Arc::clone(&self.listening),
            backoff: Backoff::new(core::ACCEPT_BACKOFF_FIRST, core::ACCEPT_BACKOFF_LONGEST),
            pause: None,
        }))
    }
}

/// Removes a socket, as asyncio does, whether a server listens on it or not.
fn make_room(path: &Path) -> Result<(), Failure> {
    if let Some(what) = other_than_socket(path) {
        let message = format!("{what} is there, no socket; choose another path or remove it");
        return Err(Failure::new(FailureCode::AddressInUse, message));
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// The connections of a Unix listener. The stream ends when the listener is dropped.
pub(super) struct UnixConnections {
    listening: Arc<Listening>,
    backoff: Backoff,
    /// The pause after a failed accept.
    pause: Option<Pin<Box<Sleep>>>,
}

impl Connections for UnixConnections {
    type Accepted = UnixStream;
    type Resource = UnixSocket;

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<UnixStream>> {
        loop {
            let accepted = {
                let mut shared = self.listening.lock();
                if shared.closed {
                    return Poll::Ready(None);
                }
                shared.waker = Some(cx.waker().clone());
                if let Some(pause) = &mut self.pause {
                    ready!(pause.as_mut().poll(cx));
                    self.pause = None;
                }
                match &shared.socket {
                    Some(socket) => ready!(socket.poll_accept(cx)),
                    None => return Poll::Ready(None),
                }
            };
            match accepted {
                Ok((stream, _)) => {
                    self.backoff.reset();
                    return Poll::Ready(Some(stream));
                }
                // The client is gone already.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                // Mostly for lack of descriptors.
                Err(_) => {
                    let pause = std::time::Duration::from_nanos(self.backoff.pause());
                    self.pause = Some(Box::pin(tokio::time::sleep(pause)));
                }
            }
        }
    }

    fn hand_over(&self, accepted: UnixStream) -> UnixSocket {
        UnixSocket::new(accepted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failed_listen_leaves_the_socket_bound() {
        // A socket for datagrams can be bound, and the system refuses to let it listen.
        let socket = Socket::new(Domain::UNIX, Type::DGRAM, None).expect("a socket");
        let mut listener = Listener {
            bound: Some(socket),
            listening: Arc::default(),
            _file: None,
        };
        for _ in 0..2 {
            let failure = listener.listen(1).err();
            assert_eq!(failure.map(|it| it.code), Some(FailureCode::Other));
        }
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).expect("a socket");
        let folder = tempfile::tempdir().expect("a folder");
        let address = socket2::SockAddr::unix(folder.path().join("s")).expect("an address");
        socket.bind(&address).expect("bound");
        socket.set_nonblocking(true).expect("an option");
        listener.bound = Some(socket);
        assert!(listener.listen(1).is_ok());
        let failure = listener.listen(1).err();
        assert_eq!(failure.map(|it| it.code), Some(FailureCode::InvalidState));
    }
}
