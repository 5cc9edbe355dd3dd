//! The reading half of a stream: the bytes that have arrived, and every way to read them.

mod found;

use crate::buffer::Buffer;
use crate::error::{InvalidArgument, ReadError};
use crate::matcher::Matcher;
use crate::search::Search;
use crate::separators::Separators;
use alloc::boxed::Box;
use alloc::vec::Vec;
use found::Found;

/// A buffer between a transport that feeds it and a caller who reads it, with the semantics of asyncio's
/// `StreamReader`.
///
/// Every read returns at once: bytes, an error, or `None`, which means that it would have to wait for the transport.
/// Bytes leave the buffer only with a result, so a caller that stops between two tries loses none.
/// (asyncio's `read(-1)` loses the bytes that it had.)
///
/// `limit` is the most bytes before a separator, as in asyncio. It is also half of the bytes that may be buffered
/// before the reader asks for a [pause](Self::is_paused). Reads of a number of bytes are bounded by `max_result`
/// instead.
///
/// # End and failure
/// After [`feed_end`](Self::feed_end), reads return the remaining bytes, then the end: no bytes, or `Incomplete`. After
/// [`fail`](Self::fail), a read that the buffer satisfies still succeeds; every other read returns the error, however
/// often it is repeated. A failure is never reported as the end. (asyncio hides buffered bytes behind the error.)
#[derive(Debug)]
pub struct Reader<E> {
    buffer: Buffer,
    limit: usize,
    max_result: usize,
    input: Input<E>,
    paused: bool,
    /// The number of bytes that have left the buffer in total.
    taken: u64,
    newline: Search,
    /// The last separators other than newline, with their search. Alternating between lines and other separators thus
    /// keeps both searches. Boxed, because most readers never have any.
    other: Option<Box<(Separators, Search)>>,
}

/// The state of the transport. It starts `Open`; the first `feed_end` or `fail` is final.
#[derive(Debug)]
enum Input<E> {
    Open,
    Ended,
    Failed(E),
}

/// The condition that a caller waits for; see [`Reader::is_ready`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// At least one byte, or the end: for `read(n)`.
    Any,
    /// For `readline` and `readlines`.
    Line,
    /// For `readexactly`.
    Exactly(usize),
    /// For `readuntil`.
    Until(Separators),
    /// For `read_to_end`.
    End,
}

/// A read as a value, with its argument; see [`Reader::request`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// [`Reader::read`].
    Read(usize),
    /// [`Reader::read_to_end`].
    ReadToEnd,
    /// [`Reader::readline`].
    Readline,
    /// [`Reader::readexactly`].
    Readexactly(usize),
    /// [`Reader::readuntil`].
    Readuntil(Separators),
    /// [`Reader::readlines`].
    Readlines(usize),
}

/// The result of a read: `None` if it would have to wait.
type Answer<E> = Result<Option<Vec<u8>>, ReadError<E>>;

/// The transport's side.
impl<E: Clone> Reader<E> {
    /// Creates an empty reader. `limit` and `max_result` are in bytes.
    ///
    /// # Errors
    /// `InvalidArgument` if either is 0.
    pub fn new(limit: usize, max_result: usize) -> Result<Self, InvalidArgument> {
        if limit == 0 {
            return Err(InvalidArgument("the limit is at least 1"));
        }
        if max_result == 0 {
            return Err(InvalidArgument("the largest result is at least 1"));
        }
        Ok(Self {
            buffer: Buffer::default(),
            limit,
            max_result,
            input: Input::Open,
            paused: false,
            taken: 0,
            newline: Search::new(Matcher::newline()),
            other: None,
        })
    }

    /// Adds bytes that have arrived. After the end they are ignored. After a failure they are kept: they had arrived
    /// before it. An empty slice has no effect; in particular it does not pause a reader that a caller waits for.
    pub fn feed(&mut self, data: &[u8]) {
        if !matches!(self.input, Input::Ended) && !data.is_empty() {
            self.buffer.extend(data);
            self.pause_if_full();
        }
    }

    /// Like [`feed`](Self::feed), for owned bytes. If nothing is buffered and they fill at least half of their
    /// allocation, the allocation is taken over without a copy.
    pub fn feed_owned(&mut self, data: Vec<u8>) {
        if !matches!(self.input, Input::Ended) && !data.is_empty() {
            self.buffer.extend_owned(data);
            self.pause_if_full();
        }
    }

    /// Records that the peer has ended its side cleanly. Idempotent; no effect after a failure.
    pub fn feed_end(&mut self) {
        if matches!(self.input, Input::Open) {
            self.input = Input::Ended;
        }
    }

    /// Records that the connection has failed. The first failure is kept. A failure after the clean end is ignored: all
    /// bytes of the peer have arrived, so no reader has lost anything.
    pub fn fail(&mut self, error: E) {
        if matches!(self.input, Input::Open) {
            self.input = Input::Failed(error);
        }
    }

    /// Hands the rest of the stream over to another consumer. Reads return the buffered bytes, then `error`, whatever
    /// the transport has reported or will report.
    pub fn give_up(&mut self, error: E) {
        self.input = Input::Failed(error);
    }

    /// Returns whether the transport should stop reading, by asyncio's marks. It becomes true when bytes are fed and
    /// more than `2 * limit` are buffered. It becomes false when a consuming call leaves `limit` or less, or [when a
    /// caller waits](Self::about_to_wait). It is only advice: bytes that are fed nevertheless are kept.
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// Resumes reading, however much is buffered. Call it before waiting for a read that returned `None`: otherwise a
    /// `readexactly` beyond `2 * limit` would wait forever.
    pub fn about_to_wait(&mut self) {
        self.paused = false;
    }
}

/// The reads. Each returns `Ok(None)`, with nothing changed, if it would have to wait.
///
/// All of them return [`ReadError::Failed`] when the connection has failed and the buffer does not satisfy them, and
/// [`ReadError::TooLarge`] when the result would exceed `max_result`. Both consume nothing.
impl<E: Clone> Reader<E> {
    /// Runs the read that `request` describes.
    ///
    /// # Errors
    /// Those of the read.
    pub fn request(&mut self, request: &Request) -> Answer<E> {
        let found = self.requested(request)?;
        Ok(self.take_found(found))
    }

    /// Runs the read that `request` describes without a copy: calls `lend` with the bytes, and returns its result.
    ///
    /// # Errors
    /// Those of the read.
    pub fn request_with<T>(
        &mut self,
        request: &Request,
        lend: impl FnOnce(&[u8]) -> T,
    ) -> Result<Option<T>, ReadError<E>> {
        let found = self.requested(request)?;
        let end = match found {
            Found::Upto(end) => end,
            Found::End => self.buffer.len(),
            Found::Nothing => 0,
            Found::Wait => return Ok(None),
        };
        let lent = lend(self.peek(end));
        self.drop_front(end);
        if matches!(found, Found::Upto(_)) {
            self.resume_if_low();
        }
        Ok(Some(lent))
    }

    /// Reads between 1 and `n` bytes, as many as are buffered, at most `max_result`. Returns no bytes only at the end,
    /// or for `n` = 0.
    ///
    /// # Errors
    /// `Failed`, once the buffer is empty.
    pub fn read(&mut self, n: usize) -> Answer<E> {
        self.request(&Request::Read(n))
    }

    /// Reads everything up to the end, once the end has arrived. (asyncio: `read(-1)`.)
    ///
    /// # Errors
    /// `TooLarge` as soon as more than `max_result` is buffered; `Failed`.
    pub fn read_to_end(&mut self) -> Answer<E> {
        self.request(&Request::ReadToEnd)
    }

    /// Reads a line with its newline. At the end, returns the remaining bytes without one, then nothing.
    ///
    /// # Errors
    /// `LimitOverrun` if more than `limit` bytes come before the newline; `TooLarge`; `Failed`. An over-long line stays
    /// in the buffer, as for [`readuntil`](Self::readuntil). (asyncio drops the line, or everything that is buffered.)
    pub fn readline(&mut self) -> Answer<E> {
        self.request(&Request::Readline)
    }

    /// Reads all complete lines that are buffered, as one block: at least one line, and at most `max_bytes` unless the
    /// first line alone is longer. At the end, the remaining bytes without a newline count as a line; then nothing.
    ///
    /// # Errors
    /// As [`readline`](Self::readline), for the first line only: the block ends before an over-long line.
    pub fn readlines(&mut self, max_bytes: usize) -> Answer<E> {
        self.request(&Request::Readlines(max_bytes))
    }

    /// Reads exactly `n` bytes, independently of `limit`.
    ///
    /// # Errors
    /// `TooLarge(n)` at once if `n` exceeds `max_result`; `Incomplete` at the end, which empties the buffer; `Failed`.
    pub fn readexactly(&mut self, n: usize) -> Answer<E> {
        self.request(&Request::Readexactly(n))
    }

    /// Reads everything up to the first complete separator, and the separator itself. If two separators end with the
    /// same byte, the shorter one counts, so that more bytes come before it.
    ///
    /// # Errors
    /// - `LimitOverrun` if more than `limit` bytes come before the separator: it is found beyond the limit, or so many
    ///   bytes are buffered without one. Nothing is consumed, so the same call returns the same error. `consumed` bytes
    ///   can be read or [discarded](Self::discard) without losing a separator. This error takes precedence over the
    ///   end.
    /// - `Incomplete` at the end, which empties the buffer.
    /// - `TooLarge`, `Failed`.
    pub fn readuntil(&mut self, separators: &Separators) -> Answer<E> {
        let found = self.until(separators)?;
        Ok(self.take_found(found))
    }

    /// Returns whether the read that matches `wanted` would return a result now, either bytes or an error. Consumes
    /// nothing; the read that follows does not search again.
    pub fn is_ready(&mut self, wanted: &Wanted) -> bool {
        let buffered = self.buffer.len();
        let open = matches!(self.input, Input::Open);
        match wanted {
            Wanted::Any => buffered > 0 || !open,
            Wanted::Line => !matches!(self.find(None), Ok(Found::Wait)),
            Wanted::Exactly(n) => *n <= buffered || *n > self.max_result || !open,
            Wanted::Until(separators) => !matches!(self.find(Some(separators)), Ok(Found::Wait)),
            Wanted::End => buffered > self.max_result || !open,
        }
    }
}

/// Access to the buffer and the state.
impl<E: Clone> Reader<E> {
    /// Returns up to `n` buffered bytes without removing them.
    pub fn peek(&self, n: usize) -> &[u8] {
        let buffered = self.buffer.as_slice();
        buffered.get(..n).unwrap_or(buffered)
    }

    /// Drops up to `n` buffered bytes. Returns how many.
    pub fn discard(&mut self, n: usize) -> usize {
        let n = n.min(self.buffer.len());
        self.drop_front(n);
        self.resume_if_low();
        n
    }

    /// Removes and returns everything that is buffered, whatever its size: for handing the stream over.
    pub fn take_buffer(&mut self) -> Vec<u8> {
        self.take(usize::MAX)
    }

    /// Returns how many bytes were taken or dropped in total: the position of the first buffered byte.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Returns how many bytes are buffered.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// Returns whether the peer has ended cleanly and everything was read. Never true after a failure.
    pub fn at_eof(&self) -> bool {
        self.buffer.len() == 0 && matches!(self.input, Input::Ended)
    }

    /// Returns the failure, if the connection has failed.
    pub fn failure(&self) -> Option<&E> {
        match &self.input {
            Input::Failed(error) => Some(error),
            Input::Open | Input::Ended => None,
        }
    }

    /// Returns the most bytes allowed before a separator.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Returns the most bytes in one result.
    pub fn max_result(&self) -> usize {
        self.max_result
    }
}

impl<E: Clone> Reader<E> {
    fn take_found(&mut self, found: Found) -> Option<Vec<u8>> {
        match found {
            Found::Upto(end) => Some(self.take(end)),
            Found::End => Some(self.take_rest()),
            Found::Nothing => Some(Vec::new()),
            Found::Wait => None,
        }
    }

    /// Consumes up to `n` bytes.
    fn take(&mut self, n: usize) -> Vec<u8> {
        let taken = self.buffer.take(n);
        self.front_moved(taken.len());
        self.resume_if_low();
        taken
    }

    /// Consumes everything before the end. As in asyncio, this does not resume reading: nothing more will arrive.
    fn take_rest(&mut self) -> Vec<u8> {
        let rest = self.buffer.take_all();
        self.front_moved(rest.len());
        rest
    }

    fn drop_front(&mut self, n: usize) {
        self.buffer.drop_front(n);
        self.front_moved(n);
    }

    fn front_moved(&mut self, n: usize) {
        self.taken = self.taken.saturating_add(n as u64);
        self.newline.front_moved(n);
        if let Some(other) = &mut self.other {
            other.1.front_moved(n);
        }
    }

    fn pause_if_full(&mut self) {
        if self.buffer.len() > self.limit.saturating_mul(2) {
            self.paused = true;
        }
    }

    fn resume_if_low(&mut self) {
        if self.buffer.len() <= self.limit {
            self.paused = false;
        }
    }
}
