//! Reads, under the names of the crate for Rust programs.

use crate::Error;
use crate::bindings::asyncio::streams::blocking::{self, Wanted};
use crate::executor::{NOW, until};

type Answer<T> = Result<T, Error>;

/// The reading half of a connection.
#[derive(Debug)]
pub(crate) struct Reader(pub(crate) blocking::Reader);

impl Reader {
    pub(crate) async fn read(&self, n: usize) -> Answer<Vec<u8>> {
        until(|| self.0.read(Some(size(n)), NOW)).await
    }

    pub(crate) async fn read_to_end(&self) -> Answer<Vec<u8>> {
        until(|| self.0.read(None, NOW)).await
    }

    pub(crate) async fn readline(&self) -> Answer<Vec<u8>> {
        until(|| self.0.readline(NOW)).await
    }

    pub(crate) async fn readexactly(&self, n: usize) -> Answer<Vec<u8>> {
        until(|| self.0.readexactly(size(n), NOW)).await
    }

    pub(crate) async fn readuntil(&self, separator: impl AsRef<[u8]>) -> Answer<Vec<u8>> {
        self.readuntil_any(&[separator.as_ref()]).await
    }

    pub(crate) async fn readuntil_any(&self, separators: &[&[u8]]) -> Answer<Vec<u8>> {
        let separators: Vec<_> = separators.iter().map(|it| it.to_vec()).collect();
        until(|| self.0.readuntil(&separators, NOW)).await
    }

    pub(crate) async fn readlines(&self, max_bytes: usize) -> Answer<Vec<u8>> {
        until(|| self.0.readlines(size(max_bytes), NOW)).await
    }

    pub(crate) async fn wait(&self, want: Wanted) -> Answer<()> {
        until(|| match self.0.wait(&want, NOW) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::Cancelled),
            Err(error) => Err(error),
        })
        .await
    }

    pub(crate) fn try_read(&self, n: usize) -> Answer<Option<Vec<u8>>> {
        self.0.try_read(size(n))
    }

    pub(crate) fn try_readline(&self) -> Answer<Option<Vec<u8>>> {
        self.0.try_readline()
    }

    pub(crate) fn try_readexactly(&self, n: usize) -> Answer<Option<Vec<u8>>> {
        self.0.try_readexactly(size(n))
    }

    pub(crate) fn try_readuntil(&self, separators: &[&[u8]]) -> Answer<Option<Vec<u8>>> {
        let separators: Vec<_> = separators.iter().map(|it| it.to_vec()).collect();
        self.0.try_readuntil(&separators)
    }

    pub(crate) fn limit(&self) -> usize {
        self.0.limit() as usize
    }

    pub(crate) fn peek(&self, n: usize) -> Vec<u8> {
        self.0.peek(size(n))
    }

    #[allow(
        clippy::unnecessary_wraps,
        reason = "the crate for Rust programs returns a result"
    )]
    pub(crate) fn discard(&self, n: usize) -> Answer<usize> {
        Ok(self.0.discard(size(n)) as usize)
    }

    pub(crate) fn buffered(&self) -> usize {
        self.0.buffered() as usize
    }

    pub(crate) fn at_eof(&self) -> bool {
        self.0.at_eof()
    }

    pub(crate) fn exception(&self) -> Option<Error> {
        self.0.exception()
    }

    pub(crate) fn lines(&self) -> Lines<'_> {
        Lines {
            reader: self,
            line: Vec::new(),
        }
    }
}

/// The lines of a reader, lent one by one.
pub(crate) struct Lines<'a> {
    reader: &'a Reader,
    line: Vec<u8>,
}

impl Lines<'_> {
    pub(crate) async fn next(&mut self) -> Answer<Option<&[u8]>> {
        self.line = self.reader.readline().await?;
        Ok((!self.line.is_empty()).then_some(&self.line))
    }
}

fn size(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
