//! The requirements on a kind of connection that is checked.

use std::fmt::Debug;

use crate::Result;

/// A kind of connection.
#[allow(async_fn_in_trait, reason = "the checks run in one task")]
pub trait Kind {
    /// The receiving side.
    type Reader: Reads;
    /// The sending side.
    type Writer: Writes;

    /// Makes two ends that are connected to each other, with default options.
    async fn pair(&self) -> Result<Pair<Self::Reader, Self::Writer>>;

    /// The number of bytes that one end can write before everything blocks, if the other does not read. At most 64 MiB.
    fn clog(&self) -> usize;

    /// Lets pending background work finish.
    async fn settle(&self);

    /// Returns whether one call can be pending while others are made. Otherwise nothing can be `busy`.
    fn overlaps(&self) -> bool {
        true
    }

    /// A pair whose left end has written [`clog`](Kind::clog) bytes of zeros that the right end does not read.
    async fn clogged(&self) -> Result<Pair<Self::Reader, Self::Writer>> {
        let pair = self.pair().await?;
        let piece = vec![0; self.clog() / 16];
        for _ in 0..16 {
            pair.left.writer.write(&piece).await?;
            // The bytes that are on their way when the connection is aborted may arrive; most of the bytes are not.
            self.settle().await;
        }
        Ok(pair)
    }
}

/// Two ends of a connection.
#[derive(Debug)]
pub struct Pair<R, W> {
    /// One of them.
    pub left: Side<R, W>,
    /// The other.
    pub right: Side<R, W>,
}

/// One end of a connection.
#[derive(Debug)]
pub struct Side<R, W> {
    /// Its receiving side.
    pub reader: R,
    /// Its sending side.
    pub writer: W,
}

/// An error of a call: the interface's `error`, with the distinctions that the checks need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `invalid-argument`
    InvalidArgument,
    /// `busy`
    Busy,
    /// `write-after-eof`
    WriteAfterEof,
    /// `too-large`
    TooLarge(u64),
    /// `buffer-full`
    BufferFull,
    /// `incomplete-read`
    Incomplete {
        /// The bytes before the end.
        partial: Vec<u8>,
        /// The requested number of bytes.
        expected: Option<u32>,
    },
    /// `limit-overrun`
    Overrun {
        /// Whether the separator was found.
        found: bool,
        /// The number of bytes before it.
        consumed: u32,
    },
    /// `closed`
    Closed,
    /// `network` or `tls`: the connection was lost
    Lost,
    /// An error that no check expects.
    Other(String),
}

impl std::error::Error for Fault {}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self, f)
    }
}

/// The read that a wait waits for.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// Any result of `read`.
    Any,
    /// A line.
    Line,
    /// This number of bytes.
    Exactly(u32),
    /// One of these separators.
    Until(Vec<Vec<u8>>),
    /// The end.
    End,
}

/// The result of a call.
pub type Answer<T> = std::result::Result<T, Fault>;

/// The receiving side: see wit/streams.wit.
#[allow(
    missing_docs,
    async_fn_in_trait,
    reason = "these are the interface's own; the checks run in one task"
)]
pub trait Reads: Debug {
    async fn read(&self, n: u32) -> Answer<Vec<u8>>;
    async fn read_to_end(&self) -> Answer<Vec<u8>>;
    async fn readline(&self) -> Answer<Vec<u8>>;
    async fn readexactly(&self, n: u32) -> Answer<Vec<u8>>;
    async fn readuntil(&self, separators: &[&[u8]]) -> Answer<Vec<u8>>;
    async fn readlines(&self, max_bytes: u32) -> Answer<Vec<u8>>;
    async fn wait(&self, wanted: Wanted) -> Answer<()>;
    async fn peek(&self, n: u32) -> Vec<u8>;
    async fn discard(&self, n: u32) -> Answer<u32>;
    async fn buffered(&self) -> u32;
    async fn at_eof(&self) -> bool;
    async fn exception(&self) -> Option<Fault>;
}

/// The sending side: see wit/streams.wit.
#[allow(
    missing_docs,
    async_fn_in_trait,
    reason = "these are the interface's own; the checks run in one task"
)]
pub trait Writes: Debug {
    async fn write(&self, data: &[u8]) -> Answer<()>;
    async fn writelines(&self, data: &[&[u8]]) -> Answer<()>;
    async fn drain(&self) -> Answer<()>;
    async fn try_drain(&self) -> Answer<bool>;
    async fn send(&self, data: &[u8]) -> Answer<()>;
    async fn flush(&self) -> Answer<()>;
    async fn write_eof(&self) -> Answer<()>;
    async fn close(&self);
    async fn is_closing(&self) -> bool;
    async fn wait_closed(&self) -> Answer<()>;
    async fn abort(&self);
    async fn write_buffer_size(&self) -> u32;
}
