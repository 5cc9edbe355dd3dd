//! Connections: one end, or both in the same program.

use crate::bindings::asyncio::streams::blocking::{self, start_server};
use crate::{ConnectOptions, Reader, Result, Server, Writer, port};

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct Side {
    pub(crate) reader: Reader,
    pub(crate) writer: Writer,
}

/// Two ends that are connected to each other.
#[derive(Debug)]
pub(crate) struct Pair {
    /// The end that connected.
    pub(crate) left: Side,
    /// The end that was accepted.
    pub(crate) right: Side,
}

impl From<(Reader, Writer)> for Side {
    fn from((reader, writer): (Reader, Writer)) -> Self {
        Side { reader, writer }
    }
}

/// How to serve.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ServerOptions {
    limit: Option<usize>,
}

impl ServerOptions {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn limit(mut self, bytes: usize) -> Self {
        self.limit = Some(bytes);
        self
    }

    fn to_raw(self) -> Result<blocking::ServerOptions> {
        let options = blocking::ServerOptions::new();
        if let Some(n) = self.limit {
            options.set_limit(u32::try_from(n)?)?;
        }
        Ok(options)
    }
}

/// A TCP connection over loopback.
pub(crate) async fn tcp() -> Result<Pair> {
    tcp_with(&ConnectOptions::new(), &ServerOptions::new()).await
}

/// A TCP connection over loopback, with options for either end.
pub(crate) async fn tcp_with(left: &ConnectOptions, right: &ServerOptions) -> Result<Pair> {
    let hosts = ["127.0.0.1".to_owned()];
    let server = start_server(&hosts, 0, Some(&right.to_raw()?), None).map(Server)?;
    let left = left.open_connection("127.0.0.1", port(&server)?).await?;
    Ok(Pair {
        left: left.into(),
        right: server.accept().await?.into(),
    })
}

/// Another TCP connection: WASI 0.2 has no streams in memory.
pub(crate) async fn memory() -> Result<Pair> {
    tcp().await
}

/// More than the system buffers for a connection whose other end does not read.
const CLOG: usize = 48 << 20;

/// Writes until everything blocks: the other end must not be reading. Returns how many bytes it wrote, all of them 0.
pub(crate) fn clog(writer: &Writer) -> Result<usize> {
    let piece = vec![0; 1 << 20];
    for _ in 0..CLOG / piece.len() {
        writer.write(&piece)?;
    }
    Ok(CLOG)
}
