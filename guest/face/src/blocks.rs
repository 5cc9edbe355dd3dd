//! Bytes in blocks of 64, which cross the boundary sixty-four at a time.

use asyncio_streams_engine::errors::saturate;
use asyncio_streams_engine::{core, size, types};
use bytemuck::{Pod, cast_slice_mut};

/// Has the type `Block` of an interface read as bytes.
#[macro_export]
macro_rules! blocks {
    ($block:ty) => {
        // SAFETY: Eight words and nothing else, in the order of C.
        unsafe impl $crate::bytemuck::Zeroable for $block {}
        // SAFETY: As above: no padding, and any bits are a value.
        unsafe impl $crate::bytemuck::Pod for $block {}
    };
}

/// A copy of the front of a buffer, for `front` of either interface.
pub struct Copied<B> {
    /// The bytes; the last block is filled up with zeros.
    pub blocks: Vec<B>,
    /// How many bytes they are.
    pub length: u32,
    /// How many more are buffered behind them.
    pub remaining: u32,
    /// The position of the first one in the stream.
    pub position: u64,
    /// The reader's limit.
    pub limit: u32,
    /// The most bytes in one result of the reader.
    pub max_result: u32,
}

/// Copies up to `n` bytes, beginning `skip` bytes after the front.
pub fn copy<B: Pod>(input: &core::Reader<types::Error>, skip: u32, n: u32) -> Copied<B> {
    let unread = input.peek(usize::MAX).get(size(skip)..).unwrap_or_default();
    let bytes = unread.get(..size(n)).unwrap_or(unread);
    Copied {
        blocks: to_blocks(bytes),
        length: saturate(bytes.len()),
        remaining: saturate(unread.len().saturating_sub(bytes.len())),
        position: input.taken(),
        limit: saturate(input.limit()),
        max_result: saturate(input.max_result()),
    }
}

/// Copies bytes into blocks; the last one is filled up with zeros.
pub fn to_blocks<B: Pod>(bytes: &[u8]) -> Vec<B> {
    let whole = bytes.chunks_exact(size_of::<B>());
    let tail = whole.remainder();
    let mut blocks = Vec::with_capacity(bytes.len().div_ceil(size_of::<B>()));
    blocks.extend(whole.map(|block| bytemuck::pod_read_unaligned::<B>(block)));
    if !tail.is_empty() {
        let mut last = [B::zeroed()];
        if let Some(to) = cast_slice_mut(&mut last).get_mut(..tail.len()) {
            to.copy_from_slice(tail);
        }
        blocks.extend(last);
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_block_is_filled_up_with_zeros() {
        let bytes: Vec<u8> = (1..=13).collect();
        let blocks: Vec<[u8; 8]> = to_blocks(&bytes);
        assert_eq!(
            blocks,
            [[1, 2, 3, 4, 5, 6, 7, 8], [9, 10, 11, 12, 13, 0, 0, 0]]
        );
        assert!(to_blocks::<[u8; 8]>(&[]).is_empty());
    }
}
