//! The `words` interface: bytes in blocks, which cross the boundary sixty-four at a time.

use asyncio_streams_engine::errors::saturate;
use asyncio_streams_engine::{Wanted, core, size, types};
use bytemuck::{Pod, Zeroable, cast_slice, cast_slice_mut};

use crate::types::Error;
use crate::words::{Block, Front, NoFront};

use super::answer;
use super::reader::Reader;
use super::writer::Writer;

// SAFETY: Eight words and nothing else, in the order of C.
unsafe impl Zeroable for Block {}
// SAFETY: As above: no padding, and any bits are a value.
unsafe impl Pod for Block {}

pub(super) fn peek(reader: &Reader, skip: u32, n: u32) -> Front {
    reader.0.look(|buffer| front(buffer, skip, n))
}

pub(super) async fn wait_front(
    reader: &Reader,
    position: u64,
    least: u32,
    n: u32,
) -> Result<Front, NoFront> {
    let wanted = Wanted::Exactly(size(least));
    let waiting = reader
        .0
        .wait_from(position, &wanted, |buffer| front(buffer, 0, n));
    answer(waiting).await.map_err(|error| match error {
        Error::Busy => NoFront::Busy,
        Error::Cancelled => NoFront::Cancelled,
        _ => NoFront::OutOfResources,
    })
}

pub(super) fn write(writer: &Writer, blocks: &[Block], tail: &[u8]) -> Result<bool, Error> {
    let blocks: &[u8] = cast_slice(blocks);
    writer.0.write([blocks, tail].concat())?;
    writer.0.try_drain().map_err(Error::from)
}

fn front(input: &core::Reader<types::Error>, skip: u32, n: u32) -> Front {
    let unread = input.peek(usize::MAX).get(size(skip)..).unwrap_or_default();
    let bytes = unread.get(..size(n)).unwrap_or(unread);
    Front {
        blocks: to_blocks(bytes),
        length: saturate(bytes.len()),
        behind: saturate(unread.len().saturating_sub(bytes.len())),
        position: input.taken(),
        limit: saturate(input.limit()),
        max_result: saturate(input.max_result()),
    }
}

fn to_blocks(bytes: &[u8]) -> Vec<Block> {
    let (whole, tail) = bytes.as_chunks::<{ size_of::<Block>() }>();
    let mut blocks = Vec::with_capacity(bytes.len().div_ceil(size_of::<Block>()));
    blocks.extend(
        whole
            .iter()
            .map(|block| bytemuck::pod_read_unaligned::<Block>(block)),
    );
    if !tail.is_empty() {
        let mut last = [Block::zeroed()];
        if let Some(to) = cast_slice_mut(&mut last).get_mut(..tail.len()) {
            to.copy_from_slice(tail);
        }
        blocks.extend(last);
    }
    blocks
}
