//! The output of programs, one event a line.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

use crate::text::Escaped;

/// The longest line, in bytes; longer ones are split.
const MAX_LINE: usize = 8192;

/// One output of one program.
pub(super) struct Lines {
    worker: usize,
    is_error: bool,
    line: Vec<u8>,
    /// Lines that the host has reported itself, and that are not repeated.
    told: Vec<String>,
    /// Held until all output is written.
    _printing: Arc<()>,
}

impl Lines {
    pub(super) fn stdout(worker: usize, told: Vec<String>, printing: &Arc<()>) -> Self {
        Self {
            worker,
            is_error: false,
            line: Vec::new(),
            told,
            _printing: Arc::clone(printing),
        }
    }

    pub(super) fn stderr(worker: usize, printing: &Arc<()>) -> Self {
        Self {
            worker,
            is_error: true,
            line: Vec::new(),
            told: Vec::new(),
            _printing: Arc::clone(printing),
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        if line.is_empty() || self.told.iter().any(|told| told == line) {
            return;
        }
        let (worker, line) = (self.worker, Escaped(line));
        if self.is_error {
            tracing::warn!(target: "program", worker, "{line}");
        } else {
            tracing::info!(target: "program", worker, "{line}");
        }
    }
}

impl AsyncWrite for Lines {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        for &byte in bytes {
            if byte == b'\n' || self.line.len() >= MAX_LINE {
                self.end_line();
            }
            if byte != b'\n' {
                self.line.push(byte);
            }
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.end_line();
    }
}
