//! The standard input of a served program: empty, and closed when the program should finish.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::watch;
use wasmtime_wasi::cli::{IsTerminal, StdinStream};

/// Asks a program to finish, by the end of its input.
#[derive(Clone)]
pub(super) struct Quit {
    closed: watch::Sender<bool>,
    used: Arc<AtomicBool>,
}

impl Quit {
    pub(super) fn new() -> Self {
        Self {
            closed: watch::Sender::new(false),
            used: Arc::default(),
        }
    }

    pub(super) fn ask(&self) {
        self.closed.send_replace(true);
    }

    /// Returns whether the program reads its input, and so can notice its end.
    pub(super) fn is_heard(&self) -> bool {
        self.used.load(Relaxed)
    }
}

impl IsTerminal for Quit {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for Quit {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        self.used.store(true, Relaxed);
        let mut closed = self.closed.subscribe();
        Box::new(Input(Box::pin(async move {
            // Without a sender the worker is ending.
            let _ = closed.wait_for(|closed| *closed).await;
        })))
    }
}

struct Input(Pin<Box<dyn Future<Output = ()> + Send + Sync>>);

impl AsyncRead for Input {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        self.0.as_mut().poll(cx).map(Ok)
    }
}
