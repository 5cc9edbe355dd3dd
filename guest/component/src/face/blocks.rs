//! Bytes in blocks of 64, which cross the boundary sixty-four at a time.

use asyncio_streams_engine::errors::saturate;
use asyncio_streams_engine::{core, size, types};
use bytemuck::{Pod, cast_slice_mut};

/// A copy of the front of a buffer, for `front` of either interface.
pub(super) struct Copied<B> {
    pub(super) blocks: Vec<B>,
    pub(super) length: u32,
    pub(super) remaining: u32,
    pub(super) position: u64,
    pub(super) limit: u32,
    pub(super) max_result: u32,
}

/// Copies up to `n` bytes, beginning `skip` bytes after the front.
pub(super) fn copy<B: Pod>(input: &core::Reader<types::Error>, skip: u32, n: u32) -> Copied<B> {
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

fn to_blocks<B: Pod>(bytes: &[u8]) -> Vec<B> {
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
