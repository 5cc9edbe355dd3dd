//! Asks a served program to finish: by the end of its standard input, which is empty, and by a signal.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::watch;
use wasmtime_wasi::cli::{IsTerminal, StdinStream};

use crate::signals::{Signal, Signals};

/// Asks a program to finish, by SIGTERM and by the end of its input.
#[derive(Clone)]
pub(super) struct Quit {
    closed: watch::Sender<bool>,
    heard: Arc<AtomicBool>,
    signals: Signals,
}

impl Quit {
    pub(super) fn new() -> Self {
        Self {
            closed: watch::Sender::new(false),
            heard: Arc::default(),
            signals: Signals::new(),
        }
    }

    pub(super) fn ask(&self) {
        if self.signals.send(Signal::Terminate) {
            self.heard.store(true, Relaxed);
        }
        self.closed.send_replace(true);
    }

    /// Returns whether the program reads its input, and so can notice its end, or handles the signal.
    pub(super) fn is_heard(&self) -> bool {
        self.heard.load(Relaxed)
    }

    /// Sends the signal to the program.
    pub(super) fn signals(&self) -> Signals {
        self.signals.clone()
    }
}

impl IsTerminal for Quit {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for Quit {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        self.heard.store(true, Relaxed);
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
