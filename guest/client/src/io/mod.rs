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
//! - An operation that is given up between two polls has no effect. Its wait stays with the reader until
//!   the next operation goes on with it, or until a plain read ends it.
//! - One task at a time: of several that poll the same side, the last one is woken.
//! - A method of `Reader` or `Writer` itself goes before one of the traits' extensions that has its name:
//!   `AsyncReadExt::read(&mut reader, ...)` says which is meant. Generic code sees only the traits.
//! - Errors are `io::Error`, of the kind that [`Error::io_kind`](crate::Error::io_kind) tells, with
//!   this crate's error inside.

mod duplex;
mod error;
pub(crate) mod parked;
mod reader;
mod writer;

pub use duplex::Duplex;
