//! A mirror of the component's buffer: reads that are answered on this side of the boundary.
//!
//! A call of the component that returns bytes costs more than finding a short line. So the reader keeps a copy of the front of
//! the component's buffer and answers from it. The bytes stay in the component's buffer until a `discard` acknowledges how many
//! were taken; that happens before anything else that depends on the position. So a caller that reads past the mirror misses
//! no byte. The component answers whatever the mirror cannot, errors above all.
//!
//! ```text
//!   the component's buffer   [ taken, unacked | unread copy | remaining ]
//!   the mirror               [ taken          | unread copy ]
//! ```
//!
//! The buffer grows while a read or a wait is pending on the component, and at no other time. So what is known about it
//! holds until the next wait, before which the copy is dropped.

mod line;
#[cfg(test)]
mod tests;

use std::fmt;
use std::rc::Rc;

use memchr::{memchr, memmem};

use crate::Error;
use crate::backend::latin1::{Front, Text};
use crate::backend::{length, size};

pub(crate) use line::Line;

/// The number of bytes that are copied at once; in the tests few, so that short inputs take several.
const COPY: usize = if cfg!(test) { 16 } else { 64 * 1024 };

/// The component's side, as far as it never waits.
pub(crate) trait Source {
    /// A copy of up to `n` bytes, beginning `skip` bytes after the front.
    fn peek(&self, skip: u32, n: u32) -> Front;
    /// Drops up to `n` bytes from the front.
    fn discard(&self, n: u32) -> Result<u32, Error>;
}

/// A copy of the front of the component's buffer, and what was taken from it.
///
/// A read returns `None` when only the component can answer, and then has taken nothing.
#[derive(Default)]
pub(crate) struct BufferMirror {
    copy: Option<Rc<Text>>,
    /// The first unread byte of the copy.
    at: usize,
    /// The number of bytes that were taken and that the component still has.
    unacked: usize,
    /// The number of bytes that the component has beyond the copy; none while that is not known.
    remaining: Option<usize>,
    /// There is no newline in the copy from `at` up to here.
    searched: usize,
    limit: usize,
    max_result: usize,
}

/// The reads.
impl BufferMirror {
    /// `read(n)`.
    pub(crate) fn read(&mut self, source: &impl Source, n: usize) -> Option<Vec<u8>> {
        if n == 0 {
            return Some(Vec::new());
        }
        let n = n.min(self.known(source)).min(self.max_result);
        (n > 0).then(|| self.take(source, n))
    }

    /// `read(n)` into what the caller has.
    pub(crate) fn read_into(&mut self, source: &impl Source, into: &mut [u8]) -> Option<usize> {
        if into.is_empty() {
            return Some(0);
        }
        let n = into.len().min(self.known(source)).min(self.max_result);
        let mut rest = into.get_mut(..n)?;
        self.hand_out(source, n, |piece| {
            if let Some((to, after)) = std::mem::take(&mut rest).split_at_mut_checked(piece.len()) {
                to.copy_from_slice(piece);
                rest = after;
            }
        });
        (n > 0).then_some(n)
    }

    /// `readexactly(n)`.
    pub(crate) fn readexactly(&mut self, source: &impl Source, n: usize) -> Option<Vec<u8>> {
        if n == 0 {
            return Some(Vec::new());
        }
        let there = n <= self.known(source) && n <= self.max_result;
        there.then(|| self.take(source, n))
    }

    /// `readline`.
    pub(crate) fn readline(&mut self, source: &impl Source) -> Option<Vec<u8>> {
        let end = self.find_line(source)?;
        Some(self.take(source, end))
    }

    /// `readline`, without a copy of the line.
    #[inline]
    pub(crate) fn line(&mut self, source: &impl Source, line: &mut Line) -> Option<()> {
        let end = self.find_line(source)?;
        let range = self.at..self.at.saturating_add(end);
        let copy = self.copy.as_ref()?;
        match line {
            Line::In(held, at) if Rc::ptr_eq(held, copy) => *at = range,
            _ => *line = Line::In(Rc::clone(copy), range),
        }
        self.advance(end);
        Some(())
    }

    /// `readuntil` with one separator.
    pub(crate) fn readuntil(&mut self, source: &impl Source, separator: &[u8]) -> Option<Vec<u8>> {
        if separator == b"\n" {
            return self.readline(source);
        }
        if separator.is_empty() || separator.len() > COPY {
            return None;
        }
        let start = match find(self.unread(), separator) {
            Some(start) => start,
            None if self.remaining == Some(0) => return None,
            None => {
                self.refill(source);
                find(self.unread(), separator)?
            }
        };
        let end = start.saturating_add(separator.len());
        self.allows(start, end).then(|| self.take(source, end))
    }

    /// `discard(n)`: whether those bytes were all there.
    pub(crate) fn discard(&mut self, n: usize) -> bool {
        let there = n <= self.unread().len();
        if there {
            self.advance(n);
        }
        there
    }

    /// `read` to the end, which must have come.
    pub(crate) fn take_all(&mut self, source: &impl Source) -> Option<Vec<u8>> {
        let n = self.known(source);
        (n <= self.max_result).then(|| self.take(source, n))
    }
}

/// The bytes that the copy holds.
impl BufferMirror {
    /// The bytes that were copied and not yet taken.
    #[inline]
    pub(crate) fn unread(&self) -> &[u8] {
        match &self.copy {
            Some(copy) => {
                let bytes = copy.bytes().unwrap_or_default();
                bytes.get(self.at..).unwrap_or_default()
            }
            None => &[],
        }
    }

    /// As `unread`, fetched if there are none.
    pub(crate) fn fetch(&mut self, source: &impl Source) -> &[u8] {
        if self.unread().is_empty() && self.remaining != Some(0) {
            self.refill(source);
        }
        self.unread()
    }

    /// `peek(n)`, if all that can be answered from a copy.
    pub(crate) fn peek(&mut self, source: &impl Source, n: usize) -> Option<Vec<u8>> {
        if n > self.unread().len() && self.remaining != Some(0) {
            self.refill(source);
        }
        let unread = self.unread();
        let there = unread.get(..n);
        let all = (self.remaining == Some(0)).then_some(unread);
        Some(there.or(all)?.to_vec())
    }

    /// Returns whether a newline is among them.
    pub(crate) fn has_line(&self) -> bool {
        memchr(b'\n', self.unread()).is_some()
    }

    /// Returns whether the separator is among them.
    pub(crate) fn has(&self, separator: &[u8]) -> bool {
        !separator.is_empty() && find(self.unread(), separator).is_some()
    }

    /// Returns the number of bytes that are buffered and not yet taken, if that is known.
    pub(crate) fn buffered(&self) -> Option<usize> {
        Some(self.unread().len().saturating_add(self.remaining?))
    }

    /// Returns the number of bytes that are buffered and not yet taken, as the component knows it.
    pub(crate) fn unread_there(&self, source: &impl Source) -> usize {
        length(source.peek(0, 0).remaining).saturating_sub(self.unacked)
    }
}

/// Between this side and the component.
impl BufferMirror {
    /// Acknowledges what was taken.
    ///
    /// # Errors
    /// The component's: a read is pending that this side knows nothing of.
    pub(crate) fn settle(&mut self, source: &impl Source) -> Result<(), Error> {
        if self.unacked > 0 {
            source.discard(size(self.unacked))?;
            self.unacked = 0;
        }
        Ok(())
    }

    /// Has the component answer, and keeps the copy if what it took is known.
    ///
    /// # Errors
    /// The component's.
    pub(crate) fn ask(
        &mut self,
        source: &impl Source,
        ask: impl FnOnce() -> Result<Option<Vec<u8>>, Error>,
    ) -> Result<Option<Vec<u8>>, Error> {
        self.settle(source)?;
        let answer = ask();
        match &answer {
            Ok(None) => {}
            Ok(Some(taken)) if taken.len() <= self.unread().len() => {
                self.at = self.at.saturating_add(taken.len());
            }
            Ok(Some(_)) | Err(Error::IncompleteRead(_)) => self.forget(),
            // Nothing else takes anything.
            Err(_) => {}
        }
        answer
    }

    /// Drops the copy, because the buffer may change. The bytes taken should have been acknowledged.
    pub(crate) fn forget(&mut self) {
        self.copy = None;
        self.at = 0;
        self.remaining = None;
        self.searched = 0;
    }

    /// Returns the number of bytes that are buffered and not yet taken.
    fn known(&mut self, source: &impl Source) -> usize {
        if self.remaining.is_none() {
            self.refill(source);
        }
        self.buffered().unwrap_or(0)
    }

    /// Copies anew, from the first unread byte on.
    fn refill(&mut self, source: &impl Source) {
        let front = source.peek(size(self.unacked), size(COPY));
        self.searched = self.searched.saturating_sub(self.at);
        self.keep(front);
    }

    fn keep(&mut self, front: Front) {
        self.remaining = Some(length(front.remaining));
        self.limit = length(front.limit);
        self.max_result = length(front.max_result);
        self.at = 0;
        let bytes = front.bytes;
        let is_empty = bytes.bytes().is_none_or(<[u8]>::is_empty);
        self.copy = (!is_empty).then(|| Rc::new(bytes));
    }

    /// Returns the end of the first line, counted from the first unread byte.
    #[inline]
    fn find_line(&mut self, source: &impl Source) -> Option<usize> {
        let start = match self.find_newline() {
            Some(start) => start,
            None if self.remaining == Some(0) => return None,
            None => {
                self.refill(source);
                self.find_newline()?
            }
        };
        let end = start.saturating_add(1);
        self.allows(start, end).then_some(end)
    }

    #[inline]
    fn find_newline(&mut self) -> Option<usize> {
        let copy = self.copy.as_ref()?.bytes()?;
        let from = self.searched.max(self.at);
        let Some(found) = memchr(b'\n', copy.get(from..)?) else {
            self.searched = copy.len();
            return None;
        };
        self.searched = from.saturating_add(found);
        Some(self.searched.saturating_sub(self.at))
    }

    /// Returns whether a piece may be given whose separator lies there.
    fn allows(&self, start: usize, end: usize) -> bool {
        start <= self.limit && end <= self.max_result
    }

    /// Takes `n` bytes, which must be known to be there.
    fn take(&mut self, source: &impl Source, n: usize) -> Vec<u8> {
        let mut taken = Vec::with_capacity(n);
        self.hand_out(source, n, |piece| taken.extend_from_slice(piece));
        taken
    }

    /// Takes `n` bytes, which must be known to be there, piece by piece.
    fn hand_out(&mut self, source: &impl Source, n: usize, mut piece: impl FnMut(&[u8])) {
        let mut rest = n;
        while rest > 0 {
            let unread = self.fetch(source);
            let bytes = unread.get(..rest).unwrap_or(unread);
            if bytes.is_empty() {
                return;
            }
            piece(bytes);
            let n = bytes.len();
            self.advance(n);
            rest = rest.saturating_sub(n);
        }
    }

    #[inline]
    fn advance(&mut self, n: usize) {
        self.at = self.at.saturating_add(n);
        self.unacked = self.unacked.saturating_add(n);
    }
}

impl fmt::Debug for BufferMirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BufferMirror")
            .field("unread", &self.unread().len())
            .field("unacked", &self.unacked)
            .field("remaining", &self.remaining)
            .finish_non_exhaustive()
    }
}

/// Returns the place where the first `separator` begins. The separator is not empty.
fn find(bytes: &[u8], separator: &[u8]) -> Option<usize> {
    // A search for more than a few bytes has to be prepared, which is more work than a short search.
    const SHORT: usize = 4;
    let (last, before) = separator.split_last()?;
    if separator.len() > SHORT {
        return memmem::find(bytes, separator);
    }
    let mut from = 0_usize;
    loop {
        let end = from.saturating_add(memchr(*last, bytes.get(from..)?)?);
        from = end.saturating_add(1);
        if bytes.get(..end)?.ends_with(before) {
            return end.checked_sub(before.len());
        }
    }
}
