//! The `bulk` interface: bytes in blocks of 64, by number.

use asyncio_streams_engine::errors::saturate;
use asyncio_streams_engine::{Request, size};
use asyncio_streams_face::blocks::to_blocks;
use asyncio_streams_wasi02::answered_at_once;
use bytemuck::cast_slice;

use crate::Component;
use crate::blocking::{ReaderBorrow, WriterBorrow};
use crate::bulk::{self, Block, Bytes};
use crate::types::Error;

use super::reader::Reader;
use super::writer::{Writer, drain};
use super::{numbers, wait};

asyncio_streams_face::blocks!(Block);

impl bulk::Guest for Component {
    fn reader_number(reader: ReaderBorrow<'_>) -> u64 {
        reader.get::<Reader>().number()
    }

    fn writer_number(writer: WriterBorrow<'_>) -> u64 {
        writer.get::<Writer>().number()
    }

    fn read(reader: u64, n: u32, timeout: Option<u64>) -> Result<Bytes, Error> {
        read(reader, &Request::Read(size(n)), timeout)
    }

    fn readline(reader: u64, timeout: Option<u64>) -> Result<Bytes, Error> {
        read(reader, &Request::Readline, timeout)
    }

    fn readlines(reader: u64, max_bytes: u32, timeout: Option<u64>) -> Result<Bytes, Error> {
        read(reader, &Request::Readlines(size(max_bytes)), timeout)
    }

    fn readexactly(reader: u64, n: u32, timeout: Option<u64>) -> Result<Bytes, Error> {
        read(reader, &Request::Readexactly(size(n)), timeout)
    }

    fn write(writer: u64, data: Bytes) -> Result<(), Error> {
        let writer = numbers::writer(writer)?;
        Ok(writer.write(bytes(&data)?)?)
    }

    fn send(writer: u64, data: Bytes, timeout: Option<u64>) -> Result<(), Error> {
        let writer = numbers::writer(writer)?;
        writer.write(bytes(&data)?)?;
        drain(&writer, timeout)
    }
}

fn read(reader: u64, request: &Request, timeout: Option<u64>) -> Result<Bytes, Error> {
    let reader = numbers::reader(reader)?;
    if let Some(bytes) = reader.try_read_with(request, to_bytes)? {
        answered_at_once();
        return Ok(bytes);
    }
    wait(reader.read(request), timeout).map(|bytes| to_bytes(&bytes))
}

fn to_bytes(bytes: &[u8]) -> Bytes {
    Bytes {
        length: saturate(bytes.len()),
        blocks: to_blocks(bytes),
    }
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
