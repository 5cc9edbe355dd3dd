//! Lines that are lent from a copy of the buffer's front.
//!
//! A line of the engine's buffer cannot be lent: other code may change the buffer while the program has the line. So whole
//! lines are copied at once, and the engine learns what was taken when something else than a line is wanted.

use std::ops::Range;

use memchr::memchr;

/// Bytes that are copied at once: so few that they stay in the processor's nearest cache.
const BLOCK: usize = 16 * 1024;

/// A copy of more bytes than these is freed before a wait.
const KEPT: usize = 4096;

/// The line that was lent last, and those that follow it.
#[derive(Default)]
pub(crate) struct Line {
    /// The copy.
    block: Vec<u8>,
    /// The position in the stream of the first byte of the copy.
    at: u64,
    line: Range<usize>,
    /// A longer line returns a failure, or waits.
    longest: usize,
}

impl Line {
    pub(crate) fn bytes(&self) -> &[u8] {
        self.block.get(self.line.clone()).unwrap_or_default()
    }

    /// Returns the position in the stream behind the line.
    pub(super) fn end(&self) -> u64 {
        self.at.saturating_add(self.line.end as u64)
    }

    /// Goes to the next line of the copy; returns whether there is one.
    #[inline]
    pub(super) fn next(&mut self) -> bool {
        let start = self.line.end;
        let Some(length) = memchr(b'\n', self.block.get(start..).unwrap_or_default()) else {
            return false;
        };
        if length > self.longest {
            return false;
        }
        self.line = start..start.saturating_add(length).saturating_add(1);
        true
    }

    /// Copies the front of `buffer`, which begins at `position`. A line before whose newline are more than `longest` bytes
    /// is not lent.
    pub(super) fn copy(&mut self, buffer: &[u8], position: u64, longest: usize) {
        self.block.clear();
        self.block
            .extend_from_slice(buffer.get(..BLOCK).unwrap_or(buffer));
        (self.at, self.line, self.longest) = (position, 0..0, longest);
    }

    /// Makes room for a line that is not in the copy.
    pub(super) fn room(&mut self) -> &mut Vec<u8> {
        if self.block.capacity() > KEPT {
            self.block = Vec::new();
        }
        self.block.clear();
        self.line = 0..0;
        &mut self.block
    }

    /// The room has a line now, which ends at `position` of the stream.
    pub(super) fn filled(&mut self, position: u64) {
        self.line = 0..self.block.len();
        self.at = position.saturating_sub(self.block.len() as u64);
    }
}
