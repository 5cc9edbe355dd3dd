use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, ready};

use asyncio_streams_host::{Signal, Signals};
use bytes::Bytes;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::watch;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdinStream};
use wasmtime_wasi::p2::pipe::AsyncReadStream;
use wasmtime_wasi::p2::{InputStream, Pollable, StreamResult};

/// The standard input of this process. A signal that the program does not handle ends it, which asks a server to finish.
#[derive(Clone)]
pub(crate) struct Input(Arc<Shared>);

struct Shared {
    closed: watch::Sender<bool>,
    /// The program has begun to read its input, so it can notice the end. Having a stream is not enough: the adapter for programs
    /// in C and Go fetches one at the start.
    used: AtomicBool,
    signals: Signals,
}

impl Input {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Shared {
            closed: watch::Sender::new(false),
            used: AtomicBool::new(false),
            signals: Signals::new(),
        }))
    }

    /// Sends signals to the program.
    pub(crate) fn signals(&self) -> Signals {
        self.0.signals.clone()
    }

    /// Watches signals on a separate thread, which reacts even while the program computes.
    ///
    /// The program is told of SIGINT and SIGTERM if it handles them. Otherwise the first one closes the input, and the
    /// second one ends the process; so does the first, if the program reads no input.
    pub(crate) fn close_on_signals(self) -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        // Catch signals from here on, even before the thread first runs.
        let signals = {
            let _runtime = runtime.enter();
            SystemSignals::new()
        };
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || runtime.block_on(self.react(signals)))?;
        Ok(())
    }

    async fn react(self, mut signals: SystemSignals) {
        let mut asked = false;
        loop {
            let (signal, exit_code) = signals.next().await;
            if self.0.signals.send(signal) {
                continue;
            }
            if asked || !self.0.used.load(SeqCst) {
                std::process::exit(exit_code);
            }
            asked = true;
            self.0.closed.send_replace(true);
            eprintln!(
                "streams: the program was asked to finish; the same signal again ends it at once"
            );
        }
    }
}

impl IsTerminal for Input {
    fn is_terminal(&self) -> bool {
        std::io::stdin().is_terminal()
    }
}

impl StdinStream for Input {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        Box::new(self.until_closed())
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(OnDemand {
            input: self.clone(),
            stream: None,
        })
    }
}

impl Input {
    fn until_closed(&self) -> UntilClosed {
        let mut closed = self.0.closed.subscribe();
        UntilClosed {
            shared: self.0.clone(),
            input: Box::into_pin(tokio::io::stdin().async_stream()),
            closed: Some(Box::pin(async move {
                // Without a sender there are no more signals.
                let _ = closed.wait_for(|closed| *closed).await;
            })),
        }
    }
}

/// The input of a program of WASI 0.2. [`AsyncReadStream`] reads as soon as it exists, so it is made when the program reads.
struct OnDemand {
    input: Input,
    stream: Option<AsyncReadStream>,
}

impl OnDemand {
    fn stream(&mut self) -> &mut AsyncReadStream {
        self.stream
            .get_or_insert_with(|| AsyncReadStream::new(self.input.until_closed()))
    }
}

#[async_trait]
impl InputStream for OnDemand {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.stream().read(size)
    }

    async fn cancel(&mut self) {
        if let Some(stream) = &mut self.stream {
            stream.cancel().await;
        }
    }
}

#[async_trait]
impl Pollable for OnDemand {
    async fn ready(&mut self) {
        self.stream().ready().await;
    }
}

struct UntilClosed {
    shared: Arc<Shared>,
    input: Pin<Box<dyn AsyncRead + Send + Sync>>,
    /// `None` once it is closed.
    closed: Option<Pin<Box<dyn Future<Output = ()> + Send + Sync>>>,
}

impl AsyncRead for UntilClosed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        self.shared.used.store(true, SeqCst);
        let Some(closed) = &mut self.closed else {
            return Poll::Ready(Ok(()));
        };
        if closed.as_mut().poll(cx).is_ready() {
            self.closed = None;
            return Poll::Ready(Ok(()));
        }
        ready!(self.input.as_mut().poll_read(cx, buf))?;
        Poll::Ready(Ok(()))
    }
}

/// SIGINT and SIGTERM, with the exit codes that a shell reports for a process that such a signal ended.
struct SystemSignals {
    #[cfg(unix)]
    streams: Option<(tokio::signal::unix::Signal, tokio::signal::unix::Signal)>,
}

impl SystemSignals {
    #[cfg(unix)]
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let streams = signal(SignalKind::interrupt())
            .and_then(|int| Ok((int, signal(SignalKind::terminate())?)));
        Self {
            streams: streams.ok(),
        }
    }

    #[cfg(not(unix))]
    fn new() -> Self {
        Self {}
    }

    #[cfg(unix)]
    async fn next(&mut self) -> (Signal, i32) {
        let Some((interrupt, terminate)) = &mut self.streams else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => (Signal::Interrupt, 130),
            _ = terminate.recv() => (Signal::Terminate, 143),
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) -> (Signal, i32) {
        match tokio::signal::ctrl_c().await {
            Ok(()) => (Signal::Interrupt, 130),
            Err(_) => std::future::pending().await,
        }
    }
}
