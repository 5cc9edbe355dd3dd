//! Connections that the host accepted and hands to a program.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinSet;

use super::socket::{Names, Socket, Transport};

/// The number of connections that may be in their TLS handshake at once, for each listener of each worker.
const MAX_PREPARING: usize = 256;

/// A listener of the host that a program gets when it binds `address`.
pub(crate) struct Given {
    pub(crate) address: SocketAddr,
    pub(crate) queue: Queue,
    /// Called when the program listens.
    pub(crate) on_listen: Box<dyn FnOnce() + Send>,
}

/// A connection that the host accepted and that is not yet handed to the program.
pub(crate) struct Handed {
    pub(crate) stream: Stream,
    /// The addresses that the program sees, if they differ from the socket's.
    pub(crate) names: Option<Names>,
    /// The index of the program's listener that yields it.
    pub(crate) listener: usize,
}

impl Handed {
    /// Returns the address of this side and that of the peer, as far as they are known.
    pub(crate) fn addresses(&self) -> (Option<SocketAddr>, Option<SocketAddr>) {
        match (&self.names, &self.stream) {
            (Some(names), _) => (Some(names.local), Some(names.peer)),
            (None, Stream::Tcp(stream)) => (stream.local_addr().ok(), stream.peer_addr().ok()),
            #[cfg(unix)]
            (None, Stream::Unix(_)) => (None, None),
        }
    }
}

/// A socket of the system, not registered with a runtime.
pub(crate) enum Stream {
    Tcp(std::net::TcpStream),
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixStream),
}

/// The result of preparing a connection.
pub(crate) type Prepared = io::Result<(Transport, Option<Names>)>;

/// Reads the bytes before the program's own: a PROXY header, a TLS handshake. It must end by itself.
pub(crate) type Prepare =
    dyn Fn(Handed) -> Pin<Box<dyn Future<Output = Prepared> + Send>> + Send + Sync;

impl Stream {
    /// Registers the socket with the runtime of this thread.
    pub(crate) fn register(self) -> io::Result<Transport> {
        match self {
            Self::Tcp(stream) => {
                stream.set_nonblocking(true)?;
                Ok(Transport::Tcp(tokio::net::TcpStream::from_std(stream)?))
            }
            #[cfg(unix)]
            Self::Unix(stream) => {
                stream.set_nonblocking(true)?;
                Ok(Transport::Unix(tokio::net::UnixStream::from_std(stream)?))
            }
        }
    }
}

/// The counts of one worker's connections. Those are all on one thread, so threads rarely contend for it.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// Connections that were handed over and have not ended.
    pub(crate) live: AtomicUsize,
    /// The open connections that the program has not accepted yet.
    pub(crate) queued: AtomicUsize,
    pub(crate) handed: AtomicU64,
    pub(crate) received: AtomicU64,
    pub(crate) sent: AtomicU64,
    /// Connections that ended in their PROXY header or TLS handshake.
    pub(crate) rejected: AtomicU64,
}

impl Meter {
    pub(super) fn received(&self, count: usize) {
        self.received.fetch_add(count as u64, Relaxed);
    }

    pub(super) fn sent(&self, count: usize) {
        self.sent.fetch_add(count as u64, Relaxed);
    }
}

/// Counts a connection for as long as it lives.
pub(crate) struct Permit {
    meter: Arc<Meter>,
    freed: Arc<Notify>,
    max: usize,
    queued: bool,
    /// Dropped when the connection ends.
    ended: Option<oneshot::Sender<()>>,
}

impl Permit {
    /// Makes a permit. When the connection ends, `freed` is notified if there were `max` connections or more; only
    /// then does the acceptor wait for it.
    pub(crate) fn new(meter: &Arc<Meter>, freed: &Arc<Notify>, max: usize) -> Self {
        meter.live.fetch_add(1, Relaxed);
        meter.queued.fetch_add(1, Relaxed);
        meter.handed.fetch_add(1, Relaxed);
        Self {
            meter: Arc::clone(meter),
            freed: Arc::clone(freed),
            max,
            queued: true,
            ended: None,
        }
    }

    /// Drops `ended` when the connection ends.
    pub(crate) fn on_end(&mut self, ended: oneshot::Sender<()>) {
        self.ended = Some(ended);
    }

    pub(crate) fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Records that the program has accepted it.
    pub(super) fn accepted(&mut self) {
        if std::mem::take(&mut self.queued) {
            self.meter.queued.fetch_sub(1, Relaxed);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.accepted();
        if self.meter.live.fetch_sub(1, Relaxed) >= self.max {
            self.freed.notify_one();
        }
    }
}

/// Connections for one listener of one program.
///
/// Connections that the program has not accepted return to the host when the program ends or closes its listener.
/// Connections past their preparation do not: TLS cannot be moved to another thread.
pub(crate) struct Queue {
    receiver: mpsc::UnboundedReceiver<(Handed, Permit)>,
    back: mpsc::UnboundedSender<Handed>,
    prepare: Option<Arc<Prepare>>,
    preparing: JoinSet<Option<Socket>>,
}

/// Makes a queue. The sender bounds its connections by their permits.
pub(crate) fn queue(
    receiver: mpsc::UnboundedReceiver<(Handed, Permit)>,
    back: mpsc::UnboundedSender<Handed>,
    prepare: Option<Arc<Prepare>>,
) -> Queue {
    Queue {
        receiver,
        back,
        prepare,
        preparing: JoinSet::new(),
    }
}

impl Queue {
    /// Returns the next connection; `None` when the host has no more.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Socket>>> {
        loop {
            if let Poll::Ready(Some(done)) = self.preparing.poll_join_next(cx) {
                match done {
                    Ok(Some(socket)) => return Poll::Ready(Some(Ok(socket))),
                    Ok(None) | Err(_) => continue,
                }
            }
            if self.preparing.len() >= MAX_PREPARING {
                return Poll::Pending;
            }
            let Some((handed, permit)) = ready!(self.receiver.poll_recv(cx)) else {
                return match self.preparing.is_empty() {
                    true => Poll::Ready(None),
                    false => Poll::Pending,
                };
            };
            let Some(prepare) = &self.prepare else {
                let names = handed.names;
                let socket = handed
                    .stream
                    .register()
                    .map(|transport| Socket::new(transport, names, Some(permit)));
                return Poll::Ready(Some(socket));
            };
            let prepared = prepare(handed);
            self.preparing.spawn(async move {
                match prepared.await {
                    Ok((transport, names)) => Some(Socket::new(transport, names, Some(permit))),
                    Err(_) => {
                        permit.meter().rejected.fetch_add(1, Relaxed);
                        None
                    }
                }
            });
        }
    }

    /// Returns a connection to the host that was taken and not accepted.
    pub(super) fn give_back(&self, socket: Socket) {
        // Without a host there is no receiver; the connection is dropped.
        if let Some(handed) = socket.into_handed() {
            let _ = self.back.send(handed);
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.receiver.close();
        while let Ok((handed, permit)) = self.receiver.try_recv() {
            drop(permit);
            let _ = self.back.send(handed);
        }
    }
}
