//! The work of a client.

use std::time::Duration;

use asyncio_streams_bench_plan::{Client, Kind, Meter};

use crate::bindings::asyncio::streams::blocking::{
    Event, Reader, Wanted, Watch, Writer, open_connection,
};
use crate::bindings::asyncio::streams::bulk::{self, Block, Bytes};
use crate::{Failure, Result, now, print};

/// The size of a read if no message size is known.
const CHUNK: u32 = 256 << 10;

/// Bytes of a message.
const X: Block = {
    let word = u64::from_le_bytes([b'x'; 8]);
    Block {
        a: word,
        b: word,
        c: word,
        d: word,
        e: word,
        f: word,
        g: word,
        h: word,
    }
};

type Clock = fn() -> Duration;

pub(crate) fn work(client: &Client) -> Result {
    if client.kind == Kind::Start {
        let (reader, writer) = connect(client)?;
        writer.write(b"!")?;
        reader.read(None, None)?;
        return Ok(());
    }
    let meter = Meter::new(client, now as Clock);
    if client.connections > 1 {
        echo_on_many(client, &meter)?;
    } else {
        on_one(client, &meter)?;
    }
    print(&meter.measured()?.to_string())
}

fn connect(client: &Client) -> Result<(Reader, Writer)> {
    Ok(open_connection(
        &client.host(),
        client.address.port(),
        None,
    )?)
}

fn on_one(client: &Client, meter: &Meter<Clock>) -> Result {
    let (reader, writer) = connect(client)?;
    let message = message(client)?;
    let (from, to) = (bulk::reader_number(&reader), bulk::writer_number(&writer));
    match client.kind {
        Kind::Lines => {
            while meter.go_on(1) {
                ended(bulk::readline(from, None)?.length == 0)?;
            }
        }
        Kind::BulkIn => loop {
            let length = bulk::read(from, CHUNK, None)?.length;
            ended(length == 0)?;
            if !meter.go_on(length.into()) {
                break;
            }
        },
        Kind::BulkOut => {
            while meter.go_on(message.length.into()) {
                bulk::send(to, &message, None)?;
            }
            // No peer needs the queued bytes.
            writer.abort();
        }
        Kind::Echo => {
            while meter.go_on(1) {
                bulk::write(to, &message)?;
                read_back(from, message.length, None)?;
            }
        }
        other => return Err(format!("{other:?} is no work for this peer").into()),
    }
    Ok(())
}

/// One program with one thread waits for whichever answer comes first.
fn echo_on_many(client: &Client, meter: &Meter<Clock>) -> Result {
    if client.kind != Kind::Echo {
        return Err(format!("{:?} is no work on many connections", client.kind).into());
    }
    let message = message(client)?;
    let connections = (0..client.connections).map(|_| connect(client));
    let connections: Vec<_> = connections.collect::<Result<_>>()?;
    let numbers = connections
        .iter()
        .map(|(reader, writer)| (bulk::reader_number(reader), bulk::writer_number(writer)));
    let numbers: Vec<_> = numbers.collect();
    let watch = Watch::new();
    for (key, ((reader, _), (_, to))) in (0..).zip(connections.iter().zip(&numbers)) {
        watch.add(
            &Event::Readable((reader, Wanted::Exactly(message.length))),
            key,
        )?;
        bulk::write(*to, &message)?;
    }
    loop {
        for key in watch.wait(None)? {
            let Some((from, to)) = numbers.get(key as usize) else {
                return Err(format!("nothing has the key {key}").into());
            };
            read_back(*from, message.length, Some(0))?;
            if !meter.go_on(1) {
                return Ok(());
            }
            bulk::write(*to, &message)?;
        }
    }
}

/// Makes the message that is sent.
fn message(client: &Client) -> Result<Bytes> {
    let length = u32::try_from(client.size);
    Ok(Bytes {
        blocks: vec![X; client.size.div_ceil(size_of::<Block>())],
        length: length.map_err(|_| Failure("a message of more than 4 GiB".into()))?,
    })
}

/// Reads a message of `length` bytes, which usually is there as a whole.
fn read_back(reader: u64, mut length: u32, timeout: Option<u64>) -> Result {
    while length > 0 {
        let read = bulk::read(reader, length, timeout)?.length;
        ended(read == 0)?;
        length = length.saturating_sub(read);
    }
    Ok(())
}

fn ended(ended: bool) -> Result {
    if ended {
        return Err(Failure("the other side ended the connection".into()));
    }
    Ok(())
}
