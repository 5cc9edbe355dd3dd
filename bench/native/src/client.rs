//! The peer as a client.

use std::net::SocketAddr;
use std::rc::Rc;

use anyhow::{Result, bail};
use asyncio_streams_bench_plan::{Client, Kind};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::task::JoinSet;

use crate::network::{self, Stream, connect};
use crate::{Meter, meter};

/// The buffer behind lines.
const BUFFER: usize = 64 << 10;

/// The size of a read of bulk data.
const BULK: usize = 256 << 10;

/// Does the job and prints the measurement.
pub(crate) async fn work(order: &Client) -> Result<()> {
    if order.kind == Kind::Start {
        let mut stream = connect(order.address).await?;
        stream.write_all(b"!").await?;
        stream.flush().await?;
        stream.read_to_end(&mut Vec::new()).await?;
        return Ok(());
    }
    spread(order, &[order.address]).await
}

/// Does the job with connections that are spread evenly over `addresses`, and prints the measurement.
pub(crate) async fn spread(order: &Client, addresses: &[SocketAddr]) -> Result<()> {
    let meter = Rc::new(meter(order));
    let mut connections = JoinSet::new();
    for address in addresses.iter().cycle().take(order.connections) {
        let order = Client {
            address: *address,
            ..order.clone()
        };
        connections.spawn_local(connection(order, meter.clone()));
    }
    while let Some(ended) = connections.join_next().await {
        ended??;
    }
    println!("{}", meter.measured().map_err(anyhow::Error::msg)?);
    Ok(())
}

async fn connection(order: Client, meter: Rc<Meter>) -> Result<()> {
    if order.kind == Kind::Connect {
        while meter.go_on(1) {
            let mut stream = connect(order.address).await?;
            stream.read_exact(&mut [0]).await?;
            network::close(stream).await?;
        }
        return Ok(());
    }
    let mut stream = connect(order.address).await?;
    let message = vec![b'x'; order.size];
    let (first, second) = message.split_at(order.size / 2);
    let mut answer = vec![0; order.size];
    match order.kind {
        Kind::Lines => lines(stream, &meter).await?,
        Kind::Until => until(stream, &meter).await?,
        Kind::BulkIn => {
            let mut room = vec![0; BULK];
            while meter.go_on(some(stream.read(&mut room).await?)? as u64) {}
        }
        Kind::BulkOut => {
            while meter.go_on(message.len() as u64) {
                stream.write_all(&message).await?;
            }
        }
        Kind::Echo | Kind::WriteRead => {
            while meter.go_on(1) {
                stream.write_all(&message).await?;
                stream.flush().await?;
                stream.read_exact(&mut answer).await?;
            }
        }
        Kind::WriteWriteRead => {
            while meter.go_on(1) {
                stream.write_all(first).await?;
                stream.write_all(second).await?;
                stream.flush().await?;
                stream.read_exact(&mut answer).await?;
            }
        }
        Kind::WriteDrain => {
            while meter.go_on(1) {
                stream.write_all(first).await?;
                stream.flush().await?;
                stream.write_all(second).await?;
                stream.flush().await?;
                stream.read_exact(&mut answer).await?;
            }
        }
        Kind::Connect | Kind::Start => {}
    }
    Ok(())
}

async fn lines(stream: Stream, meter: &Meter) -> Result<()> {
    let mut reader = BufReader::with_capacity(BUFFER, stream);
    let mut line = Vec::new();
    while meter.go_on(1) {
        line.clear();
        some(reader.read_until(b'\n', &mut line).await?)?;
    }
    Ok(())
}

/// tokio reads only until a single byte: until the line feed, again if no carriage return precedes it.
async fn until(stream: Stream, meter: &Meter) -> Result<()> {
    let mut reader = BufReader::with_capacity(BUFFER, stream);
    let mut line = Vec::new();
    while meter.go_on(1) {
        line.clear();
        while !line.ends_with(b"\r\n") {
            some(reader.read_until(b'\n', &mut line).await?)?;
        }
    }
    Ok(())
}

fn some(bytes: usize) -> Result<usize> {
    if bytes == 0 {
        bail!("the other side ended the connection");
    }
    Ok(bytes)
}
