//! Line by line.

use crate::{Error, Reader};

/// The lines of a stream, made by [`Reader::lines`].
///
/// It holds no bytes beyond the line that it gave last: it can be dropped at any point, and other
/// reads go on behind that line.
#[derive(Debug)]
pub struct Lines<'a> {
    reader: &'a Reader,
    line: Vec<u8>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(reader: &'a Reader) -> Self {
        Lines {
            reader,
            line: Vec::new(),
        }
    }

    /// The next line with its `\n`, which only the last may lack; none at the end of the stream.
    ///
    /// Dropping the future takes nothing.
    ///
    /// # Errors
    /// Those of [`Reader::readline`]. After a `LimitOverrun` the line is still there, and `next`
    /// says the same until something takes or discards it.
    pub async fn next(&mut self) -> Result<Option<&[u8]>, Error> {
        self.line = self.reader.readline().await?;
        Ok(Some(self.line.as_slice()).filter(|line| !line.is_empty()))
    }
}
