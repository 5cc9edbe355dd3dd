//! Connections.

use crate::{Reader, Result, Writer};

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct Side {
    pub(crate) reader: Reader,
    pub(crate) writer: Writer,
}

impl From<(Reader, Writer)> for Side {
    fn from((reader, writer): (Reader, Writer)) -> Self {
        Side { reader, writer }
    }
}

/// More than the system buffers for a connection whose other end does not read.
const CLOG: usize = 48 << 20;

/// Writes until everything blocks: the other end must not be reading. Returns how many bytes it wrote, all of them 0.
pub(crate) fn clog(writer: &Writer) -> Result<usize> {
    let piece = vec![0; 1 << 20];
    for _ in 0..CLOG / piece.len() {
        writer.write(&piece)?;
    }
    Ok(CLOG)
}
