//! A connected socket of any kind, shared by the two directions of a connection.

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use wasmtime_wasi::p3::bindings::sockets::types::ErrorCode;

use super::given::{Handed, Permit, Stream};
use super::tls::TlsSocket;

/// The transport of a connection.
pub(crate) enum Transport {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
    Tls(Box<TlsSocket>),
}

/// The addresses of a connection, if they differ from those of its socket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names {
    pub(crate) local: SocketAddr,
    pub(crate) peer: SocketAddr,
}

/// A connection.
pub(crate) struct Socket {
    transport: Transport,
    names: Option<Names>,
    /// The byte that a zero-length read took to learn that there is input.
    kept: Mutex<Option<u8>>,
    lost: OnceLock<ErrorCode>,
    permit: Option<Permit>,
}

impl Socket {
    pub(crate) fn new(transport: Transport, names: Option<Names>, permit: Option<Permit>) -> Self {
        if let Transport::Tcp(stream) = &transport {
            // An optimization. It fails, for example, if the socket is closed already.
            let _ = stream.set_nodelay(true);
        }
        Self {
            transport,
            names,
            kept: Mutex::new(None),
            lost: OnceLock::new(),
            permit,
        }
    }

    /// Stores the reason of a loss for both directions. The system reports a loss only once, to the direction that finds
    /// it first; the other direction finds an end.
    pub(super) fn lose(&self, code: &ErrorCode) {
        // The first loss causes all later ones.
        let _ = self.lost.set(code.clone());
    }

    /// Returns the reason of the loss, if the connection is lost.
    pub(super) fn loss(&self) -> Option<&ErrorCode> {
        self.lost.get()
    }

    /// Records that the program has accepted it.
    pub(super) fn accepted(&mut self) {
        if let Some(permit) = &mut self.permit {
            permit.accepted();
        }
    }

    /// Returns the connection for another thread; `None` if it cannot be moved any more.
    pub(super) fn into_handed(self) -> Option<Handed> {
        let stream = match self.transport {
            Transport::Tcp(stream) => Stream::Tcp(stream.into_std().ok()?),
            #[cfg(unix)]
            Transport::Unix(stream) => Stream::Unix(stream.into_std().ok()?),
            Transport::Tls(_) => return None,
        };
        Some(Handed {
            stream,
            names: self.names,
            listener: 0,
        })
    }

    pub(super) fn transport(&self) -> &Transport {
        &self.transport
    }

    pub(super) fn local_address(&self) -> io::Result<SocketAddr> {
        match self.names {
            Some(names) => Ok(names.local),
            None => self.with_tcp(TcpStream::local_addr).flatten(),
        }
    }

    pub(super) fn peer_address(&self) -> io::Result<SocketAddr> {
        match self.names {
            Some(names) => Ok(names.peer),
            None => self.with_tcp(TcpStream::peer_addr).flatten(),
        }
    }

    /// Calls `act` with the TCP socket.
    ///
    /// # Errors
    /// `Unsupported` if there is no TCP socket below.
    pub(super) fn with_tcp<T>(&self, act: impl FnOnce(&TcpStream) -> T) -> io::Result<T> {
        let done = match &self.transport {
            Transport::Tcp(stream) => Some(act(stream)),
            #[cfg(unix)]
            Transport::Unix(_) => None,
            Transport::Tls(tls) => tls.with_tcp(act),
        };
        done.ok_or_else(|| io::ErrorKind::Unsupported.into())
    }

    /// Waits for data, the end or an error: `Ok(false)` is the end.
    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_some() {
            return Poll::Ready(Ok(true));
        }
        let mut byte = [0];
        let count = ready!(self.poll_transport(cx, &mut byte))?;
        if count > 0 {
            *kept = Some(byte[0]);
        }
        Poll::Ready(Ok(count > 0))
    }

    /// Reads into `buffer`, which is not empty. 0 is the end.
    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let kept = self
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let count = match (kept, buffer.split_first_mut()) {
            (Some(byte), Some((first, rest))) => {
                *first = byte;
                let more = match rest.is_empty() {
                    true => Poll::Pending,
                    false => self.poll_transport(cx, rest),
                };
                // An end or an error is returned again by the next read.
                match more {
                    Poll::Ready(Ok(more)) => more.saturating_add(1),
                    _ => 1,
                }
            }
            _ => ready!(self.poll_transport(cx, buffer))?,
        };
        if let Some(permit) = &self.permit {
            permit.meter().received(count);
        }
        Poll::Ready(Ok(count))
    }

    fn poll_transport(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        match &self.transport {
            Transport::Tcp(stream) => poll_io(
                || stream.try_read(&mut *buffer),
                || stream.poll_read_ready(cx),
            ),
            #[cfg(unix)]
            Transport::Unix(stream) => poll_io(
                || stream.try_read(&mut *buffer),
                || stream.poll_read_ready(cx),
            ),
            Transport::Tls(tls) => tls.poll_read(cx, buffer),
        }
    }

    /// Waits until a write would accept bytes.
    pub(super) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        match &self.transport {
            Transport::Tcp(stream) => stream.poll_write_ready(cx).map(drop),
            #[cfg(unix)]
            Transport::Unix(stream) => stream.poll_write_ready(cx).map(drop),
            Transport::Tls(tls) => tls.poll_writable(cx),
        }
    }

    /// Writes some of `buffer`, which is not empty.
    pub(super) fn poll_write(
        self: &Arc<Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let count = match &self.transport {
            Transport::Tcp(stream) => {
                poll_io(|| stream.try_write(buffer), || stream.poll_write_ready(cx))
            }
            #[cfg(unix)]
            Transport::Unix(stream) => {
                poll_io(|| stream.try_write(buffer), || stream.poll_write_ready(cx))
            }
            Transport::Tls(tls) => tls.poll_write(self, cx, buffer),
        };
        let count = ready!(count)?;
        if let Some(permit) = &self.permit {
            permit.meter().sent(count);
        }
        Poll::Ready(Ok(count))
    }

    /// Accepts no more input from the peer.
    pub(super) fn shutdown_read(&self) {
        // An ended socket has nothing left to shut down.
        let _ = match &self.transport {
            Transport::Tcp(stream) => SockRef::from(stream).shutdown(Shutdown::Read),
            #[cfg(unix)]
            Transport::Unix(stream) => SockRef::from(stream).shutdown(Shutdown::Read),
            // A reset would also destroy output that is on its way, so input is ended by the close.
            Transport::Tls(_) => Ok(()),
        };
    }

    /// Ends the output.
    pub(super) fn shutdown_write(self: &Arc<Self>) {
        let _ = match &self.transport {
            Transport::Tcp(stream) => SockRef::from(stream).shutdown(Shutdown::Write),
            #[cfg(unix)]
            Transport::Unix(stream) => SockRef::from(stream).shutdown(Shutdown::Write),
            Transport::Tls(tls) => {
                tls.shutdown(self);
                Ok(())
            }
        };
    }
}

/// Tries `io`, and waits and tries again while it would block.
fn poll_io(
    mut attempt: impl FnMut() -> io::Result<usize>,
    mut poll_ready: impl FnMut() -> Poll<io::Result<()>>,
) -> Poll<io::Result<usize>> {
    loop {
        match attempt() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(poll_ready())?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return Poll::Ready(result),
        }
    }
}
