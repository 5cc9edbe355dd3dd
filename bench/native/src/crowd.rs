//! Many connections to a server, of which at most one is active at a time.

use anyhow::{Context as _, Result};
use asyncio_streams_bench_plan::Client;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;

use crate::meter;
use crate::network::{Stream, connect};

/// The number of connections that are opened at once: fewer than any server's backlog.
const OPENING: usize = 50;

/// Opens the connections, prints `open` and keeps them until the process is ended.
pub(crate) async fn idle(order: &Client) -> Result<()> {
    let _connections = open(order).await?;
    println!("open");
    std::future::pending().await
}

/// Opens the connections and measures a byte there and back, each time on another connection.
pub(crate) async fn wake_up(order: &Client) -> Result<()> {
    let mut connections = open(order).await?;
    let meter = meter(order);
    // Far from the one before: this step has no common divisor with any round number of connections.
    let mut next = 0;
    while meter.go_on(1) {
        next = (next + 7919) % connections.len();
        byte_and_back(&mut connections[next]).await?;
    }
    println!("{}", meter.measured().map_err(anyhow::Error::msg)?);
    Ok(())
}

/// Opens connections that have all been served: each has received a byte.
async fn open(order: &Client) -> Result<Vec<Stream>> {
    let address = order.address;
    let mut opening = JoinSet::new();
    let mut open = Vec::with_capacity(order.connections);
    let mut begun = 0;
    while open.len() < order.connections {
        while begun < order.connections && opening.len() < OPENING {
            begun += 1;
            opening.spawn(async move {
                let mut stream = connect(address).await?;
                byte_and_back(&mut stream).await?;
                anyhow::Ok(stream)
            });
        }
        let stream = opening.join_next().await.context("nothing to open")???;
        open.push(stream);
    }
    Ok(open)
}

async fn byte_and_back(stream: &mut Stream) -> Result<()> {
    stream.write_all(b"!").await?;
    stream.flush().await?;
    stream.read_exact(&mut [0]).await?;
    Ok(())
}
