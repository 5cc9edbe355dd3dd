//! Writing through futures-io's traits.

use std::io;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_io::AsyncWrite;

use crate::bindings::streams;
use crate::{Error, Writer};

/// The most bytes that one write queues: what is behind them waits with the caller.
const PIECE: usize = 64 * 1024;

impl AsyncWrite for &Writer {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_queue(cx, data).map_err(io::Error::from)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flushed(cx).map_err(io::Error::from)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.write_eof()?;
        self.poll_flushed(cx).map_err(io::Error::from)
    }
}

impl AsyncWrite for Writer {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_write(cx, data)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_close(cx)
    }
}

impl Writer {
    fn poll_queue(&self, cx: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize, Error>> {
        while !self.try_drain()? {
            // What can never be queued does not wait for room.
            self.write([])?;
            if let Some(drained) = ready!(self.parked_drain.poll(cx)) {
                drained?;
            } else {
                let raw = self.second_owner();
                self.parked_drain
                    .park(async move { Ok(raw.drain().await?) });
            }
        }
        let piece = data.get(..PIECE).unwrap_or(data);
        self.write(piece)?;
        // A flush that is under way knows nothing of these bytes.
        self.parked_flush.drop_call();
        Poll::Ready(Ok(piece.len()))
    }

    fn poll_flushed(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            if let Some(flushed) = ready!(self.parked_flush.poll(cx)) {
                return Poll::Ready(flushed);
            }
            let raw = self.second_owner();
            self.parked_flush
                .park(async move { Ok(raw.flush().await?) });
        }
    }

    /// The writer for a call that is parked.
    fn second_owner(&self) -> ManuallyDrop<streams::Writer> {
        // SAFETY: The handle is valid for as long as a parked call lives: they come before `raw` in the writer and
        // are dropped first, as they are where the writer is taken apart. The second owner never drops
        // the handle.
        ManuallyDrop::new(unsafe { streams::Writer::from_handle(self.raw().handle()) })
    }
}
