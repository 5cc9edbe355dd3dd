//! Writing through futures-io's traits.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_io::AsyncWrite;

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
        self.inner.poll_flush(cx).map_err(io::Error::from)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.write_eof()?;
        self.inner.poll_flush(cx).map_err(io::Error::from)
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
            // A write that fails whatever the room is does not wait for room.
            self.write([])?;
            ready!(self.inner.poll_drain(cx))?;
        }
        let piece = data.get(..PIECE).unwrap_or(data);
        self.write(piece)?;
        self.inner.drop_flush();
        Poll::Ready(Ok(piece.len()))
    }
}
