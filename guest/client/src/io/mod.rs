//! futures-io's traits, so that crates which read and write through them run over connections.
//!
//! [`Reader`](crate::Reader) is an `AsyncRead` and an `AsyncBufRead`, [`Writer`](crate::Writer) an
//! `AsyncWrite`; so are references to them, without `AsyncBufRead`. [`Duplex`] is both sides as one,
//! for crates that want a whole connection.
//!
//! - A read lends or copies from what the reader has fetched, and takes nothing while it waits; plain
//!   calls can go on where it stopped, and the other way round.
//! - A write queues up to 64 KiB and waits while the queue is above the high mark. A flush waits until
//!   the operating system has everything; what is written goes out without it.
//! - `close` ends the output, as the shutdown of a socket does, and flushes: the peer sees the end,
//!   and reading goes on. The connection closes when the writer is dropped, or by
//!   [`Writer::close`](crate::Writer::close).
//! - One poll has its whole effect or none: a call of `poll_read`, `poll_fill_buf`, `poll_write` or
//!   `poll_flush` that is pending has taken nothing. Its wait stays with the reader until the next
//!   operation goes on with it, or until a plain read ends it.
//! - An operation of an extension trait that polls several times keeps what its earlier polls took.
//!   Dropped half-way, `read_line`, `read_until`, `read_exact` and `read_to_end` have consumed
//!   bytes, which `read_line` loses, and `write_all` has queued some. Under `select!` or `timeout` use
//!   the reader's own methods, which take nothing until they return.
//! - One task at a time: of several that poll the same side, the last one is woken.
//! - With an extension trait in scope, a method of `Reader` or `Writer` itself goes before one of the
//!   trait's with the same name, as `read` does: `AsyncReadExt::read(&mut reader, ...)` calls the
//!   trait's. `lines` is the exception: the trait's takes the reader by value, and Rust tries that
//!   first. Write `Reader::lines(&reader)`, or call it on a `&Reader`, which has no other. See below.
//! - Errors are `io::Error`, of the kind that [`Error::io_kind`](crate::Error::io_kind) tells, with
//!   this crate's error inside.
//!
//! # Names that both have
//! ```no_run
//! use asyncio_streams::{Error, Reader};
//! use futures::io::{AsyncBufReadExt as _, AsyncReadExt as _};
//!
//! async fn owned(mut reader: Reader) -> Result<(), Error> {
//!     // Its own `read`, and the trait's.
//!     let _bytes: Vec<u8> = reader.read(100).await?;
//!     let _n = futures::AsyncReadExt::read(&mut reader, &mut [0; 100]).await;
//!     let mut lines = Reader::lines(&reader);
//!     while let Some(_line) = lines.next().await? {}
//!     Ok(())
//! }
//!
//! async fn borrowed(reader: &Reader) -> Result<(), Error> {
//!     let mut lines = reader.lines();
//!     while let Some(_line) = lines.next().await? {}
//!     Ok(())
//! }
//! ```
//!
//! This one is the trait's `lines`, a stream of strings without a method `next` of its own:
//!
//! ```compile_fail,E0599
//! use asyncio_streams::{Error, Reader};
//! use futures::io::AsyncBufReadExt as _;
//!
//! async fn owned(reader: Reader) -> Result<(), Error> {
//!     let mut lines = reader.lines();
//!     while let Some(_line) = lines.next().await? {}
//!     Ok(())
//! }
//! ```

mod duplex;
mod error;
mod reader;
mod writer;

pub use duplex::Duplex;
