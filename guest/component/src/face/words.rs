//! The `words` interface: bytes in blocks, which cross the boundary sixty-four at a time.

use asyncio_streams_engine::{Wanted, core, size, types};
use asyncio_streams_face::blocks;
use bytemuck::cast_slice;

use crate::types::Error;
use crate::words::{Block, Front, NoFront};

use super::answer;
use super::reader::Reader;
use super::writer::Writer;

asyncio_streams_face::blocks!(Block);

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
    let copied = blocks::copy(input, skip, n);
    Front {
        blocks: copied.blocks,
        length: copied.length,
        behind: copied.remaining,
        position: copied.position,
        limit: copied.limit,
        max_result: copied.max_result,
    }
}
