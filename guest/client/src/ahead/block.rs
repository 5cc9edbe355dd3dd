//! Bytes as they come from the component: in words.

use std::ops::Range;
use std::rc::Rc;

use crate::bindings::words;

/// Bytes that lie in words. They do not change any more, so that a line can be lent while the
/// reader goes on.
pub(crate) struct Block {
    words: Vec<u64>,
    length: usize,
}

impl Block {
    pub(super) fn new(front: words::Front) -> Self {
        Block {
            words: front.words,
            length: crate::reader::length(front.length),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        let bytes = bytemuck::cast_slice(&self.words);
        bytes.get(..self.length).unwrap_or(bytes)
    }
}

/// A line: where it lies in a block, or a copy of its own.
pub(crate) enum Line {
    In(Rc<Block>, Range<usize>),
    Owned(Vec<u8>),
}

impl Line {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Line::In(block, range) => block.bytes().get(range.clone()).unwrap_or_default(),
            Line::Owned(bytes) => bytes,
        }
    }
}
