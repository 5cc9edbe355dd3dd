//! Reading through futures-io's traits.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_io::{AsyncBufRead, AsyncRead};

use crate::Reader;

impl AsyncRead for &Reader {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.inner.poll_read_into(cx, into).map_err(io::Error::from)
    }
}

impl AsyncRead for Reader {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.inner.poll_read_into(cx, into).map_err(io::Error::from)
    }
}

impl AsyncBufRead for Reader {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let reader = &mut self.get_mut().inner;
        ready!(reader.poll_fetched(cx))?;
        Poll::Ready(Ok(reader.fetched()))
    }

    fn consume(self: Pin<&mut Self>, n: usize) {
        self.get_mut().inner.consume_fetched(n);
    }
}
