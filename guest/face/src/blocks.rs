//! Bytes in blocks of 64. A list crosses the boundary between components element by element, so a block is cheaper than 64
//! bytes.

use bytemuck::{Pod, cast_slice_mut};

/// Lets programs read the type `Block` of an interface as bytes.
#[macro_export]
macro_rules! blocks {
    ($block:ty) => {
        // SAFETY: A block is eight words, in the order of C; all of them may be zero.
        unsafe impl $crate::bytemuck::Zeroable for $block {}
        // SAFETY: A block is eight words, in the order of C: it has no padding, and any bits are a value.
        unsafe impl $crate::bytemuck::Pod for $block {}
    };
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
