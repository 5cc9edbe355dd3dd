//! The `numbers` interface: resources by number, and the watch.

mod events;
mod table;
mod watch;

use asyncio_streams_engine::errors::saturate;
use asyncio_streams_engine::{Request, core, size, types};
use asyncio_streams_face::blocks::to_blocks;
use bytemuck::cast_slice;

use crate::numbers::{self, Block, Event, Front};
use crate::streams;
use crate::types::Error;
use crate::{Component, engine};

use super::answer;
use super::reader::Reader;
use super::requests::separators;
use super::server::Server;
use super::writer::Writer;

pub(super) use table::Numbered;

asyncio_streams_face::blocks!(Block);

type MaybeBytes = Result<Option<Vec<u8>>, Error>;

impl numbers::Guest for Component {
    type Watch = watch::Watch;

    fn reader_number(reader: streams::ReaderBorrow<'_>) -> u64 {
        reader.get::<Reader>().0.number()
    }

    fn writer_number(writer: streams::WriterBorrow<'_>) -> u64 {
        writer.get::<Writer>().0.number()
    }

    fn server_number(server: streams::ServerBorrow<'_>) -> u64 {
        server.get::<Server>().0.number()
    }

    fn try_read(reader: u64, n: u32) -> MaybeBytes {
        try_read(reader, &Request::Read(size(n)))
    }

    fn try_readline(reader: u64) -> MaybeBytes {
        try_read(reader, &Request::Readline)
    }

    fn try_readexactly(reader: u64, n: u32) -> MaybeBytes {
        try_read(reader, &Request::Readexactly(size(n)))
    }

    fn try_readuntil(reader: u64, wanted: Vec<Vec<u8>>) -> MaybeBytes {
        try_read(reader, &Request::Readuntil(separators(wanted)?))
    }

    fn try_readlines(reader: u64, max_bytes: u32) -> MaybeBytes {
        try_read(reader, &Request::Readlines(size(max_bytes)))
    }

    fn peek(reader: u64, skip: u32, n: u32) -> Result<Front, Error> {
        let reader = table::reader(reader)?;
        Ok(reader.look(|buffer| front(buffer, skip, n)))
    }

    fn discard(reader: u64, n: u32) -> Result<u32, Error> {
        Ok(saturate(table::reader(reader)?.discard(size(n))?))
    }

    fn write(writer: u64, blocks: Vec<Block>, tail: Vec<u8>) -> Result<bool, Error> {
        let writer = table::writer(writer)?;
        let data = if blocks.is_empty() {
            tail
        } else {
            [cast_slice(&blocks), &tail].concat()
        };
        engine().unsettled(|| writer.write(data))?;
        writer.try_drain().map_err(Error::from)
    }

    fn try_drain(writer: u64) -> Result<bool, Error> {
        table::writer(writer)?.try_drain().map_err(Error::from)
    }

    fn kick() {
        engine().settle_later();
    }

    async fn wait_for(of: u64, event: Event) -> Result<(), Error> {
        let event = events::of(of, event)?;
        answer(event.wait()).await
    }

    fn add(watch: u64, of: u64, event: Event, key: u32) -> Result<(), Error> {
        watch::add(watch, of, event, key)
    }

    fn remove(watch: u64, key: u32) -> Result<bool, Error> {
        watch::remove(watch, key)
    }
}

fn try_read(reader: u64, request: &Request) -> MaybeBytes {
    table::reader(reader)?
        .try_read(request)
        .map_err(Error::from)
}

/// Copies up to `n` bytes, beginning `skip` bytes after the front of a buffer.
fn front(input: &core::Reader<types::Error>, skip: u32, n: u32) -> Front {
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
