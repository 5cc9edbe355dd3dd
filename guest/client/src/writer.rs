//! The sending side of a connection.

use crate::backend;
use crate::{Address, ByteReader, Error, Waits};

/// The sending side of a connection: a queue that goes out by itself. asyncio's `StreamWriter`.
///
/// [`write`](Writer::write) never waits; the queued bytes go out while the program awaits. The bytes
/// that several writes queue in one turn leave together. [`drain`](Writer::drain) holds a program back
/// that writes faster than the network takes it: above the high mark (64 KiB) it waits until the queue
/// is at the low one (16 KiB).
///
/// A call that blocks the program, such as `wait-for` of `wasi:clocks/monotonic-clock` lowered as a sync
/// call, does not send the queued bytes. With the feature `imported`, a program that blocks writes by
/// `writer.raw().write`: the component sends those bytes during such a call too.
///
/// # Errors
/// Every sending call can return these:
/// - [`Error::Network`], [`Error::Tls`]: the connection was lost; every later call returns the same.
/// - [`Error::Closed`]: this side closed or aborted it.
/// - [`Error::DeadlineExceeded`]: the close deadline passed while the call waited.
///
/// # Cancelling
/// Every call can be dropped at any point. Queued bytes still go out.
///
/// # Drop
/// Dropping a writer closes it as [`close`](Writer::close) does, and no call waits: queued bytes
/// still go out, within the close deadline (30 s by default). `wasmtime run` ends the program when its main
/// function returns and finishes nothing: there, close and [`wait_closed`](Writer::wait_closed).
#[derive(Debug)]
pub struct Writer {
    pub(crate) inner: backend::Writer,
}

impl Writer {
    /// Queues `data` to be sent; never waits. Ok means queued, not sent: a loss shows in a later
    /// call.
    ///
    /// # Errors
    /// - [`Error::Closed`]: after `close` or `abort`.
    /// - [`Error::WriteAfterEof`]: after `write_eof`.
    /// - [`Error::Network`], [`Error::Tls`]: the connection was lost; nothing is taken.
    /// - [`Error::BufferFull`]: more than `max_queued` bytes (64 MiB by default) would be queued;
    ///   nothing is taken.
    /// - [`Error::Busy`]: a `write_stream` is running.
    pub fn write(&self, data: impl AsRef<[u8]>) -> Result<(), Error> {
        self.inner.write(data.as_ref())
    }

    /// Queues all of `data`, in order, as one `write` of their sum would.
    ///
    /// # Errors
    /// Those of `write`; of a list that does not fit, nothing is taken.
    pub fn writelines(&self, data: &[impl AsRef<[u8]>]) -> Result<(), Error> {
        let data: Vec<&[u8]> = data.iter().map(AsRef::as_ref).collect();
        self.inner.writelines(&data)
    }

    /// Waits while the queue is above the high mark, until it is at the low one.
    ///
    /// Below the mark it returns at once, with bytes still queued; [`flush`](Writer::flush) waits
    /// for those.
    ///
    /// # Errors
    /// - [`Error::Network`], [`Error::Tls`]: the connection was lost, also if the queue is below
    ///   the mark.
    /// - [`Error::Closed`]: after `abort`.
    /// - [`Error::DeadlineExceeded`]: the close deadline passed.
    /// - [`Error::Cancelled`]: `cancel` with [`Waits::DRAIN`].
    pub async fn drain(&self) -> Result<(), Error> {
        self.inner.drain().await
    }

    /// Returns whether `drain` would return at once.
    ///
    /// # Errors
    /// Those of `drain`, except `Cancelled`.
    pub fn try_drain(&self) -> Result<bool, Error> {
        self.inner.try_drain()
    }

    /// [`write`](Writer::write) and [`drain`](Writer::drain). The bytes are queued before the first
    /// wait.
    ///
    /// # Errors
    /// Those of `write`: nothing was taken. Those of `drain`: the bytes were queued.
    pub async fn send(&self, data: impl AsRef<[u8]>) -> Result<(), Error> {
        self.write(data)?;
        self.drain().await
    }

    /// Waits until the operating system has taken every byte written before this call; for a
    /// wrapped stream, its reader. It does not mean that the peer has them.
    ///
    /// # Errors
    /// Those of `drain`; `Cancelled` by [`Waits::FLUSH`].
    pub async fn flush(&self) -> Result<(), Error> {
        self.inner.flush().await
    }

    /// Sends everything from `data` after what is queued, until `data` ends: the fastest way to
    /// send bytes.
    ///
    /// Returns how many bytes it took, on failure too. It takes no more than the marks allow. It does
    /// not end the output: [`write_eof`](Writer::write_eof) does.
    ///
    /// # Errors
    /// - those of `write`, also in mid-stream.
    /// - [`Error::Busy`]: another `write_stream` is running.
    /// - [`Error::Cancelled`]: `cancel` with [`Waits::WRITE_STREAM`]. It tells the number, a
    ///   dropped call does not.
    pub async fn write_stream(&self, data: ByteReader) -> (u64, Result<(), Error>) {
        self.inner.write_stream(data).await
    }

    /// Returns whether [`write_eof`](Writer::write_eof) can end the output while input goes on.
    pub fn can_write_eof(&self) -> bool {
        self.inner.can_write_eof()
    }

    /// Ends the output after what is queued: the peer sees the end of the stream. Reading goes on.
    ///
    /// Never waits. A second call, and one after `close`, does nothing.
    ///
    /// # Errors
    /// - [`Error::Busy`]: a `write_stream` is running.
    /// - [`Error::Network`], [`Error::Tls`]: the connection was lost.
    /// - [`Error::Closed`]: after `abort`, or when the close deadline has passed.
    /// - [`Error::NotSupported`]: `can_write_eof` is false, and the connection is open.
    pub fn write_eof(&self) -> Result<(), Error> {
        self.inner.write_eof()
    }

    /// Closes the connection: what is queued still goes out, then the end of the stream. Never
    /// waits.
    ///
    /// If it takes longer than the close deadline, the connection is aborted. A second call does
    /// nothing.
    pub fn close(&self) {
        self.inner.close();
    }

    /// Returns whether the connection is closing, closed or lost. Still false after the peer's end of
    /// stream.
    pub fn is_closing(&self) -> bool {
        self.inner.is_closing()
    }

    /// Waits until the connection has ended, and returns the reason; ok when everything had gone out: the
    /// system has it and delivers it. It does not mean that the peer has it.
    ///
    /// A program that ends after this calls [`linger`](crate::linger()) first; [`run!`](crate::run) does
    /// that by itself.
    ///
    /// It does not close: without `close` it waits for a loss. Any number of calls, all with the
    /// same answer.
    ///
    /// # Errors
    /// - [`Error::Network`], [`Error::Tls`]: the connection was lost.
    /// - [`Error::Closed`]: it was aborted.
    /// - [`Error::DeadlineExceeded`]: the close deadline passed, and what was still queued is lost.
    /// - [`Error::Cancelled`]: `cancel` with [`Waits::WAIT_CLOSED`].
    pub async fn wait_closed(&self) -> Result<(), Error> {
        self.inner.wait_closed().await
    }

    /// Ends the connection at once and drops what is queued. asyncio's `transport.abort`.
    ///
    /// All waits on the connection end with `Closed`.
    pub fn abort(&self) {
        self.inner.abort();
    }

    /// Ends all pending calls of the kinds in `what` with `Cancelled`.
    ///
    /// It serves code that does not hold the pending call; code that holds the call can drop it
    /// instead. The next call waits as usual.
    pub fn cancel(&self, what: Waits) {
        self.inner.cancel(what);
    }

    /// The address of the other end, also after the connection ended; none for wrapped streams.
    pub fn peername(&self) -> Option<Address> {
        self.inner.peername()
    }

    /// The address of this end, also after the connection ended; none for wrapped streams.
    pub fn sockname(&self) -> Option<Address> {
        self.inner.sockname()
    }

    /// Returns the number of queued bytes that the network has not taken.
    pub fn write_buffer_size(&self) -> usize {
        self.inner.write_buffer_size()
    }

    /// The marks (low, high), in bytes; 16,384 and 65,536 unless set.
    pub fn write_buffer_limits(&self) -> (usize, usize) {
        self.inner.write_buffer_limits()
    }

    /// Sets the marks, in bytes.
    ///
    /// `high` none is 4 × `low`, or 65,536 if both are none; `low` none is a quarter of `high`.
    /// `high` 0 makes every `drain` wait for an empty queue.
    ///
    /// # Errors
    /// - [`Error::InvalidArgument`]: `high` is less than `low`; the marks stay.
    pub fn set_write_buffer_limits(
        &self,
        high: Option<usize>,
        low: Option<usize>,
    ) -> Result<(), Error> {
        self.inner.set_write_buffer_limits(high, low)
    }
}
