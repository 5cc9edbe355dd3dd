//! A TLS connection that the host terminates.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio_rustls::server::TlsStream;

use super::socket::{Socket, Transport};

/// How long the queued output may take to leave after the program has ended its output.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(30);

/// A TLS connection. Both directions lock it; they run on one thread.
pub(crate) struct TlsSocket {
    stream: Mutex<Inner>,
    output: Mutex<Output>,
}

enum Inner {
    Tcp(TlsStream<TcpStream>),
    #[cfg(unix)]
    Unix(TlsStream<UnixStream>),
}

/// The encrypted output. A task flushes bytes that the socket had no room for, whatever the program does next. Until
/// that task has ended nothing else writes: a socket wakes only one waiting writer.
#[derive(Default)]
struct Output {
    flushing: bool,
    shut: bool,
    waiting: Option<Waker>,
    failed: Option<io::ErrorKind>,
}

macro_rules! each {
    ($inner:expr, $stream:ident => $body:expr) => {
        match $inner {
            Inner::Tcp($stream) => $body,
            #[cfg(unix)]
            Inner::Unix($stream) => $body,
        }
    };
}

impl TlsSocket {
    pub(crate) fn tcp_stream(stream: TlsStream<TcpStream>) -> Self {
        Self::new(Inner::Tcp(stream))
    }

    #[cfg(unix)]
    pub(crate) fn unix_stream(stream: TlsStream<UnixStream>) -> Self {
        Self::new(Inner::Unix(stream))
    }

    fn new(inner: Inner) -> Self {
        Self {
            stream: Mutex::new(inner),
            output: Mutex::default(),
        }
    }

    /// Calls `act` with the TCP socket below; returns `None` if there is none.
    pub(super) fn with_tcp<T>(&self, act: impl FnOnce(&TcpStream) -> T) -> Option<T> {
        match &*lock(&self.stream) {
            Inner::Tcp(stream) => Some(act(stream.get_ref().0)),
            #[cfg(unix)]
            Inner::Unix(_) => None,
        }
    }

    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        let mut stream = lock(&self.stream);
        ready!(each!(&mut *stream, stream => Pin::new(stream).poll_read(cx, &mut buffer)))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    pub(super) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut output = lock(&self.output);
        if !output.flushing {
            return Poll::Ready(());
        }
        output.waiting = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Encrypts some of `buffer`. The bytes are sent without a further call.
    pub(super) fn poll_write(
        &self,
        socket: &Arc<Socket>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_writable(cx));
        if let Some(kind) = lock(&self.output).failed {
            return Poll::Ready(Err(kind.into()));
        }
        let mut stream = lock(&self.stream);
        let count = each!(&mut *stream, stream => Pin::new(stream).poll_write(cx, buffer));
        let count = ready!(count)?;
        let flushed = each!(&mut *stream, stream => Pin::new(stream).poll_flush(cx));
        drop(stream);
        match flushed {
            Poll::Ready(Ok(())) => {}
            // The bytes were accepted, so the failure is returned by the next write.
            Poll::Ready(Err(error)) => lock(&self.output).failed = Some(error.kind()),
            Poll::Pending => self.flush_in_background(socket),
        }
        Poll::Ready(Ok(count))
    }

    /// Sends queued output and `close_notify`, and ends the output, in the background.
    pub(super) fn shutdown(&self, socket: &Arc<Socket>) {
        let mut output = lock(&self.output);
        if std::mem::replace(&mut output.shut, true) || output.flushing {
            // The flushing task shuts down when it is done.
            return;
        }
        drop(output);
        self.flush_in_background(socket);
    }

    fn flush_in_background(&self, socket: &Arc<Socket>) {
        // While the runtime shuts down, nothing more is sent.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        lock(&self.output).flushing = true;
        let socket = Arc::clone(socket);
        runtime.spawn(async move {
            let Transport::Tls(tls) = socket.transport() else {
                return;
            };
            let flush = async {
                std::future::poll_fn(|cx| {
                    let mut stream = lock(&tls.stream);
                    each!(&mut *stream, stream => Pin::new(stream).poll_flush(cx))
                })
                .await
            };
            // After the output was shut, a peer that reads nothing may hold the connection for a limited time only.
            let flushed = tls.unless_shut_for_too_long(flush).await;
            let shut = {
                let mut output = lock(&tls.output);
                output.flushing = false;
                output.failed = flushed.err().map(|error| error.kind());
                if let Some(waker) = output.waiting.take() {
                    waker.wake();
                }
                output.shut && output.failed.is_none()
            };
            if shut {
                let end = std::future::poll_fn(|cx| {
                    let mut stream = lock(&tls.stream);
                    each!(&mut *stream, stream => Pin::new(stream).poll_shutdown(cx))
                });
                // A peer that is gone needs no end.
                let _ = tokio::time::timeout(CLOSE_TIMEOUT, end).await;
            }
        });
    }

    /// Awaits `flush`, but no longer than [`CLOSE_TIMEOUT`] after the output was shut.
    async fn unless_shut_for_too_long(
        &self,
        flush: impl Future<Output = io::Result<()>>,
    ) -> io::Result<()> {
        let mut flush = std::pin::pin!(flush);
        loop {
            let was_shut = lock(&self.output).shut;
            match tokio::time::timeout(CLOSE_TIMEOUT, flush.as_mut()).await {
                Ok(flushed) => return flushed,
                Err(_) if was_shut => return Err(io::ErrorKind::TimedOut.into()),
                Err(_) => {}
            }
        }
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
