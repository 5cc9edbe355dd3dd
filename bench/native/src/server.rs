//! The peer as a server.

use std::io::Result;
use std::net::SocketAddr;

use asyncio_streams_bench_plan::Server;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::network::{self, Arrival, Listener, Stream};

/// The size of a read.
const CHUNK: usize = 64 << 10;

/// Serves until the process is ended.
pub(crate) async fn serve(kind: Server, address: SocketAddr) -> anyhow::Result<()> {
    let listener = Listener::bind(address).await?;
    loop {
        let arrival = listener.accept().await?;
        // The failure of one client does not end the server.
        tokio::spawn(talk(arrival, kind));
    }
}

async fn talk(arrival: Arrival, kind: Server) -> Result<()> {
    let stream = arrival.begin().await?;
    match kind {
        Server::Echo => echo(stream).await,
        Server::Greet => greet(stream).await,
    }
}

/// Sends all input back as it arrives.
pub(crate) async fn echo(mut stream: Stream) -> Result<()> {
    // Pages that were never read into take no memory.
    let mut room = Vec::with_capacity(CHUNK);
    while stream.read_buf(&mut room).await? > 0 {
        stream.write_all(&room).await?;
        stream.flush().await?;
        room.clear();
    }
    Ok(())
}

/// Sends a byte, and closes.
pub(crate) async fn greet(mut stream: Stream) -> Result<()> {
    stream.write_all(b"!").await?;
    network::close(stream).await
}
