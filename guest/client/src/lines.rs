//! Line by line.

use std::fmt;

use crate::backend::Line;
use crate::{Error, Reader};

/// The lines of a stream, made by [`Reader::lines`].
///
/// It lends each line: no line is allocated, unless it is longer than the ones before. It holds no bytes beyond the line
/// that it returned last: it can be dropped at any point, and other reads go on behind that line.
pub struct Lines<'a> {
    reader: &'a Reader,
    line: Line,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(reader: &'a Reader) -> Self {
        Lines {
            reader,
            line: Line::default(),
        }
    }

    /// The next line with its `\n`, which only the last may lack; none at the end of the stream.
    ///
    /// Dropping the future takes nothing.
    ///
    /// # Errors
    /// Those of [`Reader::readline`]. After a `LimitOverrun` the line is still there, and `next`
    /// returns the same until something takes or discards it.
    #[inline]
    pub async fn next(&mut self) -> Result<Option<&[u8]>, Error> {
        self.reader.inner.next_line(&mut self.line).await?;
        Ok(Some(self.line.bytes()).filter(|line| !line.is_empty()))
    }
}

impl fmt::Debug for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines")
            .field("reader", self.reader)
            .finish_non_exhaustive()
    }
}
