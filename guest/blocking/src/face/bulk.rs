//! The `bulk` interface: bytes in blocks of 64.

use asyncio_streams_engine::errors::saturate;
use asyncio_streams_engine::{Request, size};
use asyncio_streams_face::blocks::to_blocks;
use bytemuck::cast_slice;

use crate::Component;
use crate::blocking::{GuestWriter as _, ReaderBorrow, WriterBorrow};
use crate::bulk::{self, Block, Bytes};
use crate::types::Error;

use super::reader::Reader;
use super::writer::Writer;

asyncio_streams_face::blocks!(Block);

impl bulk::Guest for Component {
    fn read(reader: ReaderBorrow<'_>, n: u32, timeout: Option<u64>) -> Result<Bytes, Error> {
        read(reader, &Request::Read(size(n)), timeout)
    }

    fn readline(reader: ReaderBorrow<'_>, timeout: Option<u64>) -> Result<Bytes, Error> {
        read(reader, &Request::Readline, timeout)
    }

    fn readlines(
        reader: ReaderBorrow<'_>,
        max_bytes: u32,
        timeout: Option<u64>,
    ) -> Result<Bytes, Error> {
        read(reader, &Request::Readlines(size(max_bytes)), timeout)
    }

    fn readexactly(reader: ReaderBorrow<'_>, n: u32, timeout: Option<u64>) -> Result<Bytes, Error> {
        read(reader, &Request::Readexactly(size(n)), timeout)
    }

    fn write(writer: WriterBorrow<'_>, data: Bytes) -> Result<(), Error> {
        writer.get::<Writer>().write(bytes(&data)?)
    }

    fn send(writer: WriterBorrow<'_>, data: Bytes, timeout: Option<u64>) -> Result<(), Error> {
        writer.get::<Writer>().send(bytes(&data)?, timeout)
    }
}

fn read(reader: ReaderBorrow<'_>, request: &Request, timeout: Option<u64>) -> Result<Bytes, Error> {
    let reader = reader.get::<Reader>();
    reader.read_as(request, timeout, |bytes| Bytes {
        length: saturate(bytes.len()),
        blocks: to_blocks(bytes),
    })
}

fn bytes(data: &Bytes) -> Result<Vec<u8>, Error> {
    let held: &[u8] = cast_slice(&data.blocks);
    match held.get(..size(data.length)) {
        Some(bytes) => Ok(bytes.to_vec()),
        None => Err(Error::InvalidArgument(
            "data: its length is more than its blocks hold".into(),
        )),
    }
}
