//! The `numbers` interface: resources by number, and the watch.

mod events;
pub(super) mod table;
mod watch;

use std::borrow::Cow;
use std::net::SocketAddr;

use asyncio_streams_engine::errors::saturate;
use asyncio_streams_engine::{self as engine, Request, core, size, types};

use crate::Component;
use crate::numbers::{self, Client, Event, Front, Peer};
use crate::streams;
use crate::types::Error;

use super::reader::Reader;
use super::requests::separators;
use super::server::Server;
use super::writer::Writer;

pub(super) use table::Numbered;

type MaybeBytes = Result<Option<Vec<u8>>, Error>;

type Accepted = (streams::Reader, streams::Writer, Client);

type MaybeAccepted = Result<Option<Accepted>, Error>;

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
        Ok(reader.look(|buffer| {
            let Part { bytes, remaining } = front(buffer, skip, n);
            Front {
                bytes: bytes.to_vec(),
                remaining: saturate(remaining),
                position: buffer.taken(),
                limit: saturate(buffer.limit()),
                max_result: saturate(buffer.max_result()),
            }
        }))
    }

    fn discard(reader: u64, n: u32) -> Result<u32, Error> {
        Ok(saturate(table::reader(reader)?.discard(size(n))?))
    }

    fn write(writer: u64, data: Vec<u8>) -> Result<bool, Error> {
        write(writer, Cow::Owned(data))
    }

    fn try_drain(writer: u64) -> Result<bool, Error> {
        table::writer(writer)?.try_drain().map_err(Error::from)
    }

    fn try_accept(server: u64) -> MaybeAccepted {
        Ok(table::server(server)?.try_accept()?.map(accepted))
    }

    fn kick() {
        crate::engine().kick();
    }

    fn add(watch: u64, of: u64, event: Event, key: u32) -> Result<(), Error> {
        watch::add(watch, of, event, key)
    }

    fn again(watch: u64, key: u32) -> Result<(), Error> {
        watch::again(watch, key)
    }

    fn ready(watch: u64) -> Result<Vec<u32>, Error> {
        watch::ready(watch)
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

/// Exports an accepted connection, with its numbers.
fn accepted((reader, writer): (engine::Reader, engine::Writer)) -> Accepted {
    let peer = writer.peer_address().map(peer);
    let (reader, writer) = (Numbered::new(reader), Numbered::new(writer));
    let client = Client {
        reader: reader.number(),
        writer: writer.number(),
        peer,
    };
    let reader = streams::Reader::new(Reader(reader));
    (reader, streams::Writer::new(Writer(writer)), client)
}

fn peer(address: SocketAddr) -> Peer {
    let (ip, scope_id, flow_info) = match address {
        SocketAddr::V4(address) => (address.ip().to_ipv6_mapped(), 0, 0),
        SocketAddr::V6(address) => (*address.ip(), address.scope_id(), address.flowinfo()),
    };
    let bits = ip.to_bits();
    Peer {
        high: (bits >> 64) as u64,
        low: bits as u64,
        port: address.port(),
        scope_id,
        flow_info,
    }
}

/// A part of a reader's buffer.
pub(super) struct Part<'a> {
    pub(super) bytes: &'a [u8],
    /// The number of bytes that are buffered after them.
    pub(super) remaining: usize,
}

/// Returns up to `n` bytes, beginning `skip` bytes after the front of a buffer.
pub(super) fn front(input: &core::Reader<types::Error>, skip: u32, n: u32) -> Part<'_> {
    let unread = input.peek(usize::MAX).get(size(skip)..).unwrap_or_default();
    let bytes = unread.get(..size(n)).unwrap_or(unread);
    Part {
        bytes,
        remaining: unread.len().saturating_sub(bytes.len()),
    }
}

/// Queues bytes, or a copy of lent ones; returns whether a drain would return at once.
pub(super) fn write(writer: u64, data: Cow<'_, [u8]>) -> Result<bool, Error> {
    let writer = table::writer(writer)?;
    crate::engine().unsettled(|| match data {
        Cow::Owned(data) => writer.write(data),
        Cow::Borrowed(data) => writer.write_copy(data),
    })?;
    writer.try_drain().map_err(Error::from)
}
