//! Bytes in blocks of 64, which cross the boundary sixty-four at a time.

use asyncio_streams_engine::errors::saturate;
use asyncio_streams_engine::{core, size, types};
use bytemuck::{Pod, Zeroable, cast_slice_mut};

use crate::numbers::{Block, Front};

// SAFETY: Eight words and nothing else, in the order of C.
unsafe impl Zeroable for Block {}
// SAFETY: As above: no padding, and any bits are a value.
unsafe impl Pod for Block {}

/// Copies up to `n` bytes, beginning `skip` bytes after the front.
pub(super) fn copy(input: &core::Reader<types::Error>, skip: u32, n: u32) -> Front {
    let unread = input.peek(usize::MAX).get(size(skip)..).unwrap_or_default();
    let bytes = unread.get(..size(n)).unwrap_or(unread);
    Front {
        blocks: to_blocks(bytes),
        length: saturate(bytes.len()),
        remaining: saturate(unread.len().saturating_sub(bytes.len())),
        position: input.taken(),
        limit: saturate(input.limit()),
        max_result: saturate(input.max_result()),
    }
}

fn to_blocks(bytes: &[u8]) -> Vec<Block> {
    let whole = bytes.chunks_exact(size_of::<Block>());
    let tail = whole.remainder();
    let mut blocks = Vec::with_capacity(bytes.len().div_ceil(size_of::<Block>()));
    blocks.extend(whole.map(|block| bytemuck::pod_read_unaligned::<Block>(block)));
    if !tail.is_empty() {
        let mut last = [Block::zeroed()];
        if let Some(to) = cast_slice_mut(&mut last).get_mut(..tail.len()) {
            to.copy_from_slice(tail);
        }
        blocks.extend(last);
    }
    blocks
}
