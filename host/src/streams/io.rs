//! Byte streams of the host as streams of the component, and the reverse.

use std::future::Future as _;
use std::io::{self, Read as _};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::sync::oneshot;
use wasmtime::component::{
    Access, Destination, FutureConsumer, FutureReader, Source, StreamConsumer, StreamProducer,
    StreamReader, StreamResult, VecBuffer,
};
use wasmtime::{AsContextMut, StoreContextMut};

use super::client::Client;
use crate::error::{Error, NetworkError};
use crate::state::State;
use crate::wit::{self, NetworkCode};

/// The size of the buffer before a sink of the host, and after a source of the host, in bytes.
const BUFFER: usize = 64 << 10;

/// How a source of the host ended.
#[derive(Clone, Default)]
pub(super) struct Outcome(Arc<OnceLock<NetworkError>>);

impl Outcome {
    /// The error that ended it, if one did.
    pub(super) fn error(&self) -> Option<NetworkError> {
        self.0.get().cloned()
    }
}

/// Makes a stream for the component from `source`.
pub(super) fn producer(
    source: impl AsyncRead + Send + 'static,
) -> (impl StreamProducer<State, Item = u8>, Outcome) {
    let outcome = Outcome::default();
    let producer = ReadProducer {
        source: Box::pin(source),
        ahead: Vec::new(),
        outcome: outcome.clone(),
    };
    (producer, outcome)
}

/// Reads ahead: a component waits for bytes by a read of length zero, and an [`AsyncRead`] cannot report available
/// bytes without returning them.
struct ReadProducer {
    source: Pin<Box<dyn AsyncRead + Send>>,
    ahead: Vec<u8>,
    outcome: Outcome,
}

impl StreamProducer<State> for ReadProducer {
    type Item = u8;
    type Buffer = VecBuffer<u8>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'a, State>,
        destination: Destination<'a, u8, VecBuffer<u8>>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        if self.ahead.is_empty() {
            match self.poll_read(cx) {
                Poll::Ready(true) => {}
                Poll::Ready(false) => return Poll::Ready(Ok(StreamResult::Dropped)),
                Poll::Pending if finish => return Poll::Ready(Ok(StreamResult::Cancelled)),
                Poll::Pending => return Poll::Pending,
            }
        }
        if destination.remaining(store.as_context_mut()) != Some(0) {
            let mut destination = destination.as_direct(store, BUFFER);
            let mut ahead = self.ahead.as_slice();
            let count = ahead.read(destination.remaining())?;
            destination.mark_written(count);
            self.ahead.drain(..count);
        }
        Poll::Ready(Ok(StreamResult::Completed))
    }
}

impl ReadProducer {
    /// Reads ahead; `false` at the end.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let mut ahead = std::mem::take(&mut self.ahead);
        ahead.resize(BUFFER, 0);
        let mut buffer = ReadBuf::new(&mut ahead);
        let result = ready!(self.source.as_mut().poll_read(cx, &mut buffer));
        let count = buffer.filled().len();
        if let Err(error) = result {
            let error = NetworkError {
                code: NetworkCode::Other,
                message: error.to_string(),
            };
            self.outcome.0.get_or_init(|| error);
            return Poll::Ready(false);
        }
        ahead.truncate(count);
        self.ahead = ahead;
        Poll::Ready(count > 0)
    }
}

/// Writes the component's stream to `sink`, and shuts it down after the last byte.
pub(super) fn consumer(
    sink: impl AsyncWrite + Send + 'static,
) -> impl StreamConsumer<State, Item = u8> {
    let (pipe, mut end) = tokio::io::duplex(BUFFER);
    // A separate task, because the component only drops the stream at its end.
    tokio::spawn(async move {
        let mut sink = std::pin::pin!(sink);
        if tokio::io::copy(&mut end, &mut sink).await.is_ok() {
            // The writer is gone, so there is no caller to report a failure to.
            let _ = sink.shutdown().await;
        }
    });
    WriteConsumer { sink: pipe }
}

struct WriteConsumer {
    sink: DuplexStream,
}

impl StreamConsumer<State> for WriteConsumer {
    type Item = u8;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'_, State>,
        source: Source<'_, u8>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let mut source = source.as_direct(store);
        if source.remaining().is_empty() {
            // A duplex stream cannot report whether it has room; the write itself waits for it.
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        match Pin::new(&mut self.sink).poll_write(cx, source.remaining()) {
            Poll::Ready(Ok(count @ 1..)) => {
                source.mark_read(count);
                Poll::Ready(Ok(StreamResult::Completed))
            }
            Poll::Ready(_) => Poll::Ready(Ok(StreamResult::Dropped)),
            Poll::Pending if finish => Poll::Ready(Ok(StreamResult::Cancelled)),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// The rest of the stream of a [`Reader`](super::Reader), as a tokio reader.
///
/// Dropping it discards the rest, as dropping the reader does.
pub struct Incoming {
    data: DuplexStream,
    /// Keeps the instance alive, since the stream comes from it.
    _client: Arc<Client>,
    end: Option<oneshot::Receiver<Result<(), wit::Error>>>,
}

impl AsyncRead for Incoming {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.data).poll_read(cx, buf))?;
        if buf.filled().len() > before || buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        // The last byte was read; was it the end, or a failure?
        let Some(end) = &mut self.end else {
            return Poll::Ready(Ok(()));
        };
        let end = ready!(Pin::new(end).poll(cx));
        self.end = None;
        match end {
            Ok(Err(error)) => Poll::Ready(Err(Error::from(error).into())),
            Ok(Ok(())) => Poll::Ready(Ok(())),
            Err(_) => Poll::Ready(Err(
                Error::Stopped("it returned no end of a stream".into()).into()
            )),
        }
    }
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming").finish_non_exhaustive()
    }
}

/// Receives the component's stream and its end.
pub(super) struct IncomingSink {
    data: DuplexStream,
    end: oneshot::Sender<Result<(), wit::Error>>,
}

pub(super) fn incoming(client: &Arc<Client>) -> (Incoming, IncomingSink) {
    let (data, sink) = tokio::io::duplex(BUFFER);
    let (tx, rx) = oneshot::channel();
    (
        Incoming {
            data,
            _client: Arc::clone(client),
            end: Some(rx),
        },
        IncomingSink {
            data: sink,
            end: tx,
        },
    )
}

impl IncomingSink {
    pub(super) fn connect(
        self,
        data: StreamReader<u8>,
        end: FutureReader<Result<(), wit::Error>>,
        mut store: Access<'_, State>,
    ) -> wasmtime::Result<()> {
        data.pipe(&mut store, WriteConsumer { sink: self.data })?;
        end.pipe(
            &mut store,
            EndConsumer {
                end: Some(self.end),
            },
        )
    }
}

struct EndConsumer {
    end: Option<oneshot::Sender<Result<(), wit::Error>>>,
}

impl FutureConsumer<State> for EndConsumer {
    type Item = Result<(), wit::Error>;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        store: StoreContextMut<'_, State>,
        mut source: Source<'_, Self::Item>,
        _: bool,
    ) -> Poll<wasmtime::Result<()>> {
        let mut end = None;
        source.read(store, &mut end)?;
        if let (Some(end), Some(tx)) = (end, self.end.take()) {
            // The reader of the stream may be gone.
            let _ = tx.send(end);
        }
        Poll::Ready(Ok(()))
    }
}
