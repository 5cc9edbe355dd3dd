//! The peer as a server.

use std::io::Result;
use std::net::SocketAddr;

use asyncio_streams_bench_plan::Server;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What one read has room for.
const CHUNK: usize = 64 << 10;

/// Serves until it is ended.
pub(crate) async fn serve(kind: Server, address: SocketAddr) -> anyhow::Result<()> {
    let listener = crate::listen(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // Each client's end is its own matter.
        tokio::spawn(async move {
            match kind {
                Server::Echo => echo(stream).await,
                Server::Greet => greet(stream).await,
            }
        });
    }
}

/// Sends back what comes, as it comes.
pub(crate) async fn echo(mut stream: TcpStream) -> Result<()> {
    let mut room = vec![0; CHUNK];
    loop {
        let length = stream.read(&mut room).await?;
        if length == 0 {
            return Ok(());
        }
        stream.write_all(&room[..length]).await?;
    }
}

/// Sends a byte, and closes.
pub(crate) async fn greet(mut stream: TcpStream) -> Result<()> {
    stream.write_all(b"!").await
}
