//! A line in what was copied.

use std::ops::Range;
use std::rc::Rc;

use super::Text;

/// A line: where it lies in a copy, or bytes of its own.
pub(crate) enum Line {
    In(Rc<Text>, Range<usize>),
    Owned(Vec<u8>),
}

impl Line {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Line::In(text, range) => {
                let bytes = text.bytes().unwrap_or_default();
                bytes.get(range.clone()).unwrap_or_default()
            }
            Line::Owned(bytes) => bytes,
        }
    }
}

impl Default for Line {
    fn default() -> Self {
        Line::Owned(Vec::new())
    }
}
