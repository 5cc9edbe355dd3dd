//! Bytes as they come from the component: in blocks of 64.

use std::ops::Range;
use std::rc::Rc;

use bytemuck::{Pod, Zeroable};

use crate::bindings::numbers;

// SAFETY: Eight words and nothing else, in the order of C.
unsafe impl Zeroable for numbers::Block {}
// SAFETY: As above: no padding, and any bits are a value.
unsafe impl Pod for numbers::Block {}

/// Bytes that lie in blocks. They do not change any more, so that a line can be lent while the
/// reader goes on.
pub(crate) struct Block {
    blocks: Vec<numbers::Block>,
    length: usize,
}

impl Block {
    pub(super) fn new(front: numbers::Front) -> Self {
        Block {
            blocks: front.blocks,
            length: crate::backend::length(front.length),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        let bytes = bytemuck::cast_slice(&self.blocks);
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

impl Default for Line {
    fn default() -> Self {
        Line::Owned(Vec::new())
    }
}
