//! Both sides of a connection as one.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_io::{AsyncBufRead, AsyncRead, AsyncWrite};

use crate::{Reader, Writer};

/// Both sides of a connection as one, for crates that want a type which reads and writes.
///
/// ```no_run
/// # async fn f() -> Result<(), asyncio_streams::Error> {
/// use asyncio_streams::io::Duplex;
///
/// let (reader, writer) = asyncio_streams::open_connection("127.0.0.1", 8888).await?;
/// let connection = Duplex { reader, writer };
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Duplex {
    /// The receiving side.
    pub reader: Reader,
    /// The sending side.
    pub writer: Writer,
}

impl From<(Reader, Writer)> for Duplex {
    fn from((reader, writer): (Reader, Writer)) -> Self {
        Duplex { reader, writer }
    }
}

impl AsyncRead for Duplex {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.reader).poll_read(cx, into)
    }
}

impl AsyncBufRead for Duplex {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        Pin::new(&mut self.get_mut().reader).poll_fill_buf(cx)
    }

    fn consume(mut self: Pin<&mut Self>, n: usize) {
        Pin::new(&mut self.reader).consume(n);
    }
}

impl AsyncWrite for Duplex {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.writer).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_close(cx)
    }
}
