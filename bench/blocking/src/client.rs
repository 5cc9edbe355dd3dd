//! The work of a client.

use std::time::Duration;

use asyncio_streams::blocking::{Event, Reader, Wanted, Watch, Writer, cli, open_connection};
use asyncio_streams_bench_plan::{Client, Kind, Meter};

use crate::{Result, now};

/// The size of a read if no message size is known.
const CHUNK: u32 = 256 << 10;

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
    cli::println(meter.measured()?);
    Ok(())
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
    let message = vec![b'x'; client.size];
    match client.kind {
        Kind::Lines => {
            while meter.go_on(1) {
                ended(reader.readline(None)?.is_empty())?;
            }
        }
        Kind::BulkIn => loop {
            let bytes = reader.read(Some(CHUNK), None)?;
            ended(bytes.is_empty())?;
            if !meter.go_on(bytes.len() as u64) {
                break;
            }
        },
        Kind::BulkOut => {
            while meter.go_on(message.len() as u64) {
                writer.send(&message, None)?;
            }
            // No peer needs the queued bytes.
            writer.abort();
        }
        Kind::Echo => {
            while meter.go_on(1) {
                writer.write(&message)?;
                read_back(&reader, message.len(), None)?;
            }
        }
        _ => return Err(
            "KIND: expected start, lines, bulk-in, bulk-out or echo, the work that this peer has"
                .into(),
        ),
    }
    Ok(())
}

/// One program with one thread waits for whichever answer comes first.
fn echo_on_many(client: &Client, meter: &Meter<Clock>) -> Result {
    if client.kind != Kind::Echo {
        return Err(
            "KIND: expected echo, the work that this peer has for several connections".into(),
        );
    }
    let message = vec![b'x'; client.size];
    let size = u32::try_from(client.size)?;
    let connections = (0..client.connections).map(|_| connect(client));
    let connections: Vec<_> = connections.collect::<Result<_>>()?;
    let watch = Watch::new();
    for (key, (reader, writer)) in (0..).zip(&connections) {
        watch.add(&Event::Readable((reader, Wanted::Exactly(size))), key)?;
        writer.write(&message)?;
    }
    loop {
        for key in watch.wait(None)? {
            let Some((reader, writer)) = connections.get(key as usize) else {
                return Err(format!("nothing has the key {key}").into());
            };
            read_back(reader, message.len(), Some(0))?;
            if !meter.go_on(1) {
                return Ok(());
            }
            writer.write(&message)?;
        }
    }
}

/// Reads a message of `length` bytes, which usually is there as a whole.
fn read_back(reader: &Reader, mut length: usize, timeout: Option<u64>) -> Result {
    while length > 0 {
        let bytes = reader.read(Some(u32::try_from(length)?), timeout)?;
        ended(bytes.is_empty())?;
        length = length.saturating_sub(bytes.len());
    }
    Ok(())
}

fn ended(ended: bool) -> Result {
    if ended {
        return Err("the other side ended the connection".into());
    }
    Ok(())
}
