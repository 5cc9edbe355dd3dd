//! Decides how much a read takes, before it takes anything.

use super::{Input, Reader, Request};
use crate::cost::spent;
use crate::error::ReadError;
use crate::matcher::Matcher;
use crate::search::Search;
use crate::separators::Separators;
use alloc::boxed::Box;
use memchr::memrchr;

/// The bytes that a read takes from the front of the buffer.
pub(super) enum Found {
    /// This many bytes.
    Upto(usize),
    /// Everything: the clean end came first. As in asyncio, this does not resume reading.
    End,
    /// No bytes, because it asked for none. This does not resume reading either.
    Nothing,
    /// Nothing yet: it would have to wait.
    Wait,
}

/// Each read finds what it would take, and consumes nothing, except for `Incomplete`.
impl<E: Clone> Reader<E> {
    pub(super) fn requested(&mut self, request: &Request) -> Result<Found, ReadError<E>> {
        match request {
            Request::Read(n) => self.some(*n),
            Request::ReadToEnd => self.all(),
            Request::Readline => self.find(None),
            Request::Readexactly(n) => self.exactly(*n),
            Request::Readuntil(separators) => self.until(separators),
            Request::Readlines(max_bytes) => self.lines(*max_bytes),
        }
    }

    fn some(&self, n: usize) -> Result<Found, ReadError<E>> {
        if n == 0 {
            return Ok(Found::Nothing);
        }
        if self.buffer.len() > 0 {
            return Ok(Found::Upto(n.min(self.max_result).min(self.buffer.len())));
        }
        match &self.input {
            Input::Open => Ok(Found::Wait),
            Input::Failed(error) => Err(ReadError::Failed(error.clone())),
            Input::Ended => Ok(Found::Upto(0)),
        }
    }

    fn all(&self) -> Result<Found, ReadError<E>> {
        match &self.input {
            Input::Failed(error) => Err(ReadError::Failed(error.clone())),
            _ if self.buffer.len() > self.max_result => Err(too_large(self.buffer.len())),
            Input::Open => Ok(Found::Wait),
            Input::Ended => Ok(Found::Upto(self.buffer.len())),
        }
    }

    fn exactly(&mut self, n: usize) -> Result<Found, ReadError<E>> {
        if n > self.max_result {
            return Err(too_large(n));
        }
        if n == 0 {
            return Ok(Found::Nothing);
        }
        if n <= self.buffer.len() {
            return Ok(Found::Upto(n));
        }
        match &self.input {
            Input::Open => Ok(Found::Wait),
            Input::Failed(error) => Err(ReadError::Failed(error.clone())),
            Input::Ended => Err(ReadError::Incomplete {
                partial: self.take_rest(),
                expected: Some(n),
            }),
        }
    }

    pub(super) fn until(&mut self, separators: &Separators) -> Result<Found, ReadError<E>> {
        match self.find(Some(separators))? {
            Found::End => Err(ReadError::Incomplete {
                partial: self.take_rest(),
                expected: None,
            }),
            found => Ok(found),
        }
    }

    fn lines(&mut self, max_bytes: usize) -> Result<Found, ReadError<E>> {
        let first = match self.find(None)? {
            Found::Upto(end) => end,
            found => return Ok(found),
        };
        let ended = matches!(self.input, Input::Ended);
        let most = max_bytes.min(self.max_result);
        let block = lines_within(self.buffer.as_slice(), first, self.limit, most, ended);
        Ok(Found::Upto(block))
    }

    /// Searches for `separators`, or newline if there are none, with asyncio's rules for `limit`.
    pub(super) fn find(&mut self, separators: Option<&Separators>) -> Result<Found, ReadError<E>> {
        let separators = separators.filter(|separators| !separators.is_newline());
        let (search, longest) = match separators {
            None => (&mut self.newline, 1),
            Some(separators) => (
                remembered(&mut self.other, separators),
                separators.longest(),
            ),
        };
        let buffered = self.buffer.len();
        if let Some(found) = search.find(self.buffer.as_slice()) {
            if found.start > self.limit {
                return Err(ReadError::LimitOverrun {
                    found: true,
                    consumed: found.start,
                });
            }
            if found.end > self.max_result {
                return Err(too_large(found.end));
            }
            return Ok(Found::Upto(found.end));
        }
        // The last bytes may be a separator that lacks its last byte.
        let consumed = buffered.saturating_sub(longest.saturating_sub(1));
        if consumed > self.limit {
            return Err(ReadError::LimitOverrun {
                found: false,
                consumed,
            });
        }
        match &self.input {
            Input::Failed(error) => Err(ReadError::Failed(error.clone())),
            _ if buffered > self.max_result => Err(too_large(buffered)),
            Input::Ended => Ok(Found::End),
            Input::Open => Ok(Found::Wait),
        }
    }
}

/// Returns the search for `separators`; it is kept if the last one was for the same separators.
fn remembered<'a>(
    last: &'a mut Option<Box<(Separators, Search)>>,
    separators: &Separators,
) -> &'a mut Search {
    if last.as_ref().is_some_and(|last| last.0 != *separators) {
        *last = None;
    }
    let new = || Box::new((separators.clone(), Search::new(Matcher::new(separators))));
    &mut last.get_or_insert_with(new).1
}

/// Returns how many bytes at the front are whole lines with at most `limit` bytes before their newline.
///
/// The result is at most `most`, or else `first`, the end of the first line. If the stream has `ended`, the rest may
/// count as a line.
///
/// Within `limit + 1` bytes after a newline no line can be over-long. So one backward search covers that many bytes,
/// instead of one search for each line.
fn lines_within(buffered: &[u8], first: usize, limit: usize, most: usize, ended: bool) -> usize {
    let window = buffered.get(..most).unwrap_or(buffered);
    let mut end = first;
    while end < window.len() {
        let reach = end
            .saturating_add(limit)
            .saturating_add(1)
            .min(window.len());
        let hop = window.get(end..reach).unwrap_or_default();
        let newline = memrchr(b'\n', hop);
        spent(hop.len().saturating_sub(newline.unwrap_or(0)));
        let Some(newline) = newline else { break };
        end = end.saturating_add(newline).saturating_add(1);
    }
    let rest = buffered.get(end..).unwrap_or_default();
    // So short a rest was searched completely: it has no newline.
    let rest_is_a_line = ended && window.len() == buffered.len() && rest.len() <= limit;
    if rest_is_a_line { buffered.len() } else { end }
}

fn too_large<E>(size: usize) -> ReadError<E> {
    ReadError::TooLarge(size as u64)
}
