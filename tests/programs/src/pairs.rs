//! Connected pairs: both ends in the same program.

use asyncio_streams::{
    Address, ByteReader, ByteWriter, ConnectOptions, Reader, Server, ServerOptions, Writer,
    byte_stream, spawn,
};
use wit_bindgen::StreamResult;

use crate::{Failure, Result};

/// One end of a connection.
#[derive(Debug)]
pub struct Side {
    /// Its reading half.
    pub reader: Reader,
    /// Its writing half.
    pub writer: Writer,
}

/// Two ends that are connected to each other.
#[derive(Debug)]
pub struct Pair {
    /// One end; of a TCP connection, the one that connected.
    pub left: Side,
    /// The other; of a TCP connection, the one that was accepted.
    pub right: Side,
}

impl From<(Reader, Writer)> for Side {
    fn from((reader, writer): (Reader, Writer)) -> Self {
        Side { reader, writer }
    }
}

/// A TCP connection over loopback.
pub async fn tcp() -> Result<Pair> {
    tcp_with(&ConnectOptions::new(), &ServerOptions::new()).await
}

/// A TCP connection over loopback, with options for either end.
pub async fn tcp_with(left: &ConnectOptions, right: &ServerOptions) -> Result<Pair> {
    between(left, &right.start_server(["127.0.0.1"], 0).await?).await
}

/// A TCP connection to a server of this program.
pub async fn tcp_of(server: &Server) -> Result<Pair> {
    between(&ConnectOptions::new(), server).await
}

async fn between(left: &ConnectOptions, server: &Server) -> Result<Pair> {
    let (left, right) = futures::join!(
        left.open_connection("127.0.0.1", port(server)?),
        server.accept()
    );
    Ok(Pair {
        left: left?.into(),
        right: right?.into(),
    })
}

/// The port of a server that listens on one.
pub fn port(server: &Server) -> Result<u16> {
    match server.sockets().first() {
        Some(Address::Inet(address)) => Ok(address.port),
        other => Err(Failure::new(format_args!(
            "not the address of a TCP server: {other:?}"
        ))),
    }
}

/// A connection in memory: two wrapped ends, joined by a task that copies one direction.
pub async fn memory() -> Result<Pair> {
    memory_with(&ConnectOptions::new(), &ConnectOptions::new()).await
}

/// A connection in memory, with options for either end.
pub async fn memory_with(left: &ConnectOptions, right: &ConnectOptions) -> Result<Pair> {
    let (to_left, for_left) = byte_stream();
    let (reader, writer, from_left) = left.wrap(for_left).await?;
    let left = Side { reader, writer };
    let (reader, writer, from_right) = right.wrap(from_left).await?;
    let right = Side { reader, writer };
    drop(spawn(copy(from_right, to_left)));
    Ok(Pair { left, right })
}

/// Copies until either end is gone.
async fn copy(mut from: ByteReader, mut to: ByteWriter) {
    loop {
        let (result, bytes) = from.read(Vec::with_capacity(4096)).await;
        if !to.write_all(bytes).await.is_empty() || result == StreamResult::Dropped {
            return;
        }
    }
}

/// More than the system buffers for a connection whose other end does not read.
const CLOG: usize = 48 << 20;

/// Writes until everything blocks: the other end must not be reading. Returns how many bytes it wrote, all of them 0.
pub fn clog(writer: &Writer) -> Result<usize> {
    let piece = vec![0; 1 << 20];
    for _ in 0..CLOG / piece.len() {
        writer.write(&piece)?;
    }
    Ok(CLOG)
}
