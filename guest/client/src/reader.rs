//! The receiving side of a connection.

use crate::backend;
use crate::read::Read;
use crate::{ByteReader, Error, Lines, Wanted};

/// The receiving side of a connection: a buffer, and reads that take from it. asyncio's
/// `StreamReader`.
///
/// Bytes leave the buffer only with a result, in the order in which they came, and buffered bytes
/// come before a failure. Input is taken from the network while a read waits, so a peer that sends
/// faster than this side reads is held back by the network, not by memory.
///
/// # Cost
/// In a linked program reads take from the buffer directly. In a composed one, what is buffered is fetched in blocks of up to
/// 64 KiB, and reads are answered from the last of them without a call of the component. The bytes stay in the component's
/// buffer until it is told what was taken, so a caller that reads after this reader,
/// [`into_stream`](Reader::into_stream) or another component, misses nothing. A reader that waits holds no copy.
///
/// # Cancelling
/// Every read can be dropped at any point: it has taken nothing until it returns. So `timeout`, `select!` and the like are
/// safe around any of them.
///
/// # Errors
/// Every read can return these, beside its own:
/// - [`Error::Busy`]: another read or wait is pending on this reader.
/// - [`Error::Cancelled`]: [`cancel`](Reader::cancel) ended the wait.
/// - [`Error::Closed`]: this side closed, aborted or gave away the connection, and what is buffered
///   does not satisfy the read.
/// - [`Error::Network`], [`Error::Tls`]: the connection failed, and what is buffered does not
///   satisfy the read; `read(n)` still gets the buffered rest. Every later read returns the same.
///
/// # Drop
/// Dropping a reader discards what is buffered and what still comes; the connection lives until the
/// writer ends. The borrow checker sees to it that no call on it is pending then; only a future
/// that was leaked (`mem::forget`) escapes it, and the drop may trap.
#[derive(Debug)]
pub struct Reader {
    pub(crate) inner: backend::Reader,
}

impl Reader {
    /// Reads 1 to `n` bytes; waits for the first. Empty at the end of the stream, or when `n` is 0.
    ///
    /// # Errors
    /// Those of every read.
    pub async fn read(&self, n: usize) -> Result<Vec<u8>, Error> {
        self.inner.read(Read::Some(n)).await
    }

    /// Reads everything to the end of the stream. asyncio's `read()` without a number.
    ///
    /// # Errors
    /// - those of every read.
    /// - [`Error::TooLarge`]: more than `max_result` bytes came (64 MiB by default); nothing is
    ///   consumed. [`into_stream`](Reader::into_stream) has no such bound.
    pub async fn read_to_end(&self) -> Result<Vec<u8>, Error> {
        self.inner.read(Read::ToEnd).await
    }

    /// Reads one line, up to and including `\n`. The last line may lack it; after the last, it is
    /// empty.
    ///
    /// # Errors
    /// - those of every read.
    /// - [`Error::LimitOverrun`]: the line is longer than [`limit`](Reader::limit). Nothing is
    ///   dropped: `readexactly(consumed)` takes what was searched, `discard(consumed)` skips it.
    /// - [`Error::TooLarge`]: the line is longer than `max_result`; nothing is consumed.
    pub async fn readline(&self) -> Result<Vec<u8>, Error> {
        self.inner.read(Read::Line).await
    }

    /// The lines of the stream one after the other, until its end. asyncio's `async for line in
    /// reader`.
    ///
    /// ```no_run
    /// # async fn f(reader: asyncio_streams::Reader) -> Result<(), asyncio_streams::Error> {
    /// let mut lines = reader.lines();
    /// while let Some(line) = lines.next().await? {
    ///     assert!(!line.is_empty());
    /// }
    /// # Ok(()) }
    /// ```
    pub fn lines(&self) -> Lines<'_> {
        Lines::new(self)
    }

    /// Reads exactly `n` bytes, whatever the limit; 0 returns an empty list at once.
    ///
    /// # Errors
    /// - those of every read.
    /// - [`Error::IncompleteRead`]: the stream ended before `n` bytes; carries and consumes what
    ///   there was.
    /// - [`Error::TooLarge`]: `n` is larger than `max_result`; said at once, nothing is consumed.
    pub async fn readexactly(&self, n: usize) -> Result<Vec<u8>, Error> {
        self.inner.read(Read::Exactly(n)).await
    }

    /// Reads up to and including the next `separator`.
    ///
    /// # Errors
    /// Those of [`readuntil_any`](Reader::readuntil_any).
    pub async fn readuntil(&self, separator: impl AsRef<[u8]>) -> Result<Vec<u8>, Error> {
        self.readuntil_any(&[separator.as_ref()]).await
    }

    /// Reads up to and including the first separator that ends: the shortest run of bytes that ends
    /// with any of them. asyncio's `readuntil` with a tuple.
    ///
    /// # Errors
    /// - those of every read.
    /// - [`Error::InvalidArgument`]: no separators, or an empty one.
    /// - [`Error::LimitOverrun`]: more than [`limit`](Reader::limit) bytes before the separator, or
    ///   without one; nothing is dropped. It wins over `IncompleteRead` at the end of the stream.
    /// - [`Error::IncompleteRead`]: the stream ended before a separator; carries and consumes the
    ///   rest.
    /// - [`Error::TooLarge`]: the result would be larger than `max_result`; nothing is consumed.
    pub async fn readuntil_any(&self, separators: &[&[u8]]) -> Result<Vec<u8>, Error> {
        self.inner.read(Read::Until(separators)).await
    }

    /// Reads every complete line that is buffered as one block, for callers that split lines themselves: waits
    /// for the first, and adds those behind it that fit into `max_bytes`. Empty at the end of the
    /// stream.
    ///
    /// The first line comes whole even if it alone is longer than `max_bytes`. An unterminated rest
    /// at the end of the stream counts as a line.
    ///
    /// # Errors
    /// Those of [`readline`](Reader::readline), about the first line.
    pub async fn readlines(&self, max_bytes: usize) -> Result<Vec<u8>, Error> {
        self.inner.read(Read::Lines(max_bytes)).await
    }

    /// Waits until the matching read would be answered at once, by bytes, by the end or by an
    /// error, and takes nothing.
    ///
    /// The wait does not report the failure of the read: the read does.
    ///
    /// # Errors
    /// - [`Error::Busy`]: another read or wait is pending.
    /// - [`Error::Cancelled`]: [`cancel`](Reader::cancel) ended it.
    /// - [`Error::InvalidArgument`]: [`Wanted::Until`] without separators, or with an empty one.
    /// - [`Error::Network`] with `OutOfResources`: it would have to buffer more than the component
    ///   may hold.
    pub async fn wait(&self, want: Wanted) -> Result<(), Error> {
        self.inner.wait(want).await
    }

    /// [`read`](Reader::read) without waiting; none when it would have to wait.
    ///
    /// # Errors
    /// Those of every read, except `Cancelled`.
    pub fn try_read(&self, n: usize) -> Result<Option<Vec<u8>>, Error> {
        self.inner.try_read(Read::Some(n))
    }

    /// [`readline`](Reader::readline) without waiting; none when it would have to wait.
    ///
    /// # Errors
    /// Those of `readline`, except `Cancelled`.
    pub fn try_readline(&self) -> Result<Option<Vec<u8>>, Error> {
        self.inner.try_read(Read::Line)
    }

    /// [`readexactly`](Reader::readexactly) without waiting; none when it would have to wait.
    ///
    /// # Errors
    /// Those of `readexactly`, except `Cancelled`.
    pub fn try_readexactly(&self, n: usize) -> Result<Option<Vec<u8>>, Error> {
        self.inner.try_read(Read::Exactly(n))
    }

    /// [`readuntil_any`](Reader::readuntil_any) without waiting; none when it would have to wait.
    ///
    /// # Errors
    /// Those of `readuntil_any`, except `Cancelled`.
    pub fn try_readuntil(&self, separators: &[&[u8]]) -> Result<Option<Vec<u8>>, Error> {
        self.inner.try_read(Read::Until(separators))
    }

    /// [`readlines`](Reader::readlines) without waiting; none when it would have to wait.
    ///
    /// # Errors
    /// Those of `readlines`, except `Cancelled`.
    pub fn try_readlines(&self, max_bytes: usize) -> Result<Option<Vec<u8>>, Error> {
        self.inner.try_read(Read::Lines(max_bytes))
    }

    /// Copies up to `n` bytes from the front of the buffer and leaves them there. Always answers.
    pub fn peek(&self, n: usize) -> Vec<u8> {
        self.inner.peek(n)
    }

    /// Drops up to `n` bytes from the front of the buffer, and returns how many it dropped. Never
    /// waits for more.
    ///
    /// # Errors
    /// - [`Error::Busy`]: a read or wait is pending.
    pub fn discard(&self, n: usize) -> Result<usize, Error> {
        self.inner.discard(n)
    }

    /// Returns the number of bytes that can be read without waiting. Never fails.
    pub fn buffered(&self) -> usize {
        self.inner.buffered()
    }

    /// Returns whether the peer ended the stream cleanly and nothing is buffered. Always answers.
    ///
    /// A failure is no end, nor is closing on this side. Since input is taken on demand, it becomes
    /// true during a read, not by itself.
    pub fn at_eof(&self) -> bool {
        self.inner.at_eof()
    }

    /// The failure that ended the input, even while bytes are still buffered. Always answers.
    ///
    /// None while there is none, and after a clean end; `Closed` after closing on this side.
    pub fn exception(&self) -> Option<Error> {
        self.inner.exception()
    }

    /// The most bytes that a line may have before its separator. Always answers.
    pub fn limit(&self) -> usize {
        self.inner.limit()
    }

    /// Ends the pending read or wait, if there is one, with `Cancelled`; nothing is taken.
    ///
    /// It serves code that does not hold the pending call; code that holds the call can drop it
    /// instead. The next call waits as usual.
    pub fn cancel(&self) {
        self.inner.cancel();
    }

    /// Returns the whole rest of the input as a stream: the fastest way to move bytes, without a
    /// bound on their number.
    ///
    /// The buffered bytes come first. The future returns ok after a clean end, else the error that
    /// ended the input; an end of the stream alone does not tell which. Dropping the stream before
    /// its end discards the rest. From here on every read of this reader is `Closed`; the writer
    /// goes on.
    ///
    /// # Errors
    /// - [`Error::Busy`]: a read or wait is pending.
    /// - [`Error::Closed`]: it was called before, or this side closed the connection and nothing is
    ///   buffered.
    /// - [`Error::Network`], [`Error::Tls`]: the connection failed and nothing is buffered.
    pub async fn into_stream(
        &self,
    ) -> Result<(ByteReader, impl Future<Output = Result<(), Error>> + use<>), Error> {
        self.inner.give_away().await
    }
}

/// A number of bytes for the interface, which has 32 bits for it, as WebAssembly's memory has.
pub(crate) fn size(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// The way back.
pub(crate) fn length(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}
