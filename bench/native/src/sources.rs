//! The servers that all clients connect to.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Result, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::network::{Arrival, Listener};
use crate::server;

/// The size of a write of bulk data.
const BLOCK: usize = 256 << 10;

#[derive(Clone)]
enum Kind {
    /// Sends this repeatedly.
    Source(Arc<[u8]>),
    /// Reads everything.
    Sink,
    /// Sends all input back as it arrives.
    Echo,
    /// Reads a request of this many bytes, then sends an answer of the same size.
    Answer(usize),
    /// Sends a byte, and closes when the client does.
    Greet,
}

/// Listens on loopback, prints the address, and serves until the process is ended.
pub(crate) async fn serve(kind: &str, size: usize) -> Result<()> {
    let kind = match kind {
        "lines" => Kind::Source(lines(size, b"\n")),
        "separators" => Kind::Source(lines(size, b"\r\n")),
        "source" => Kind::Source(vec![b'x'; BLOCK].into()),
        "sink" => Kind::Sink,
        "echo" => Kind::Echo,
        "answer" => Kind::Answer(size),
        "greet" => Kind::Greet,
        kind => bail!("{kind:?} is no load"),
    };
    let listener = Listener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    loop {
        let arrival = listener.accept().await?;
        let kind = kind.clone();
        // The failure of one client does not end the server.
        tokio::spawn(talk(arrival, kind));
    }
}

/// About a block of lines of `size` bytes each, separator included.
fn lines(size: usize, separator: &[u8]) -> Arc<[u8]> {
    let mut line = vec![b'x'; size.saturating_sub(separator.len())];
    line.extend_from_slice(separator);
    line.repeat((BLOCK / line.len()).max(1)).into()
}

async fn talk(arrival: Arrival, kind: Kind) -> io::Result<()> {
    let mut stream = arrival.begin().await?;
    match kind {
        Kind::Source(block) => loop {
            stream.write_all(&block).await?;
        },
        Kind::Sink => {
            let mut room = vec![0; BLOCK];
            while stream.read(&mut room).await? > 0 {}
            Ok(())
        }
        Kind::Echo => server::echo(stream).await,
        Kind::Answer(size) => {
            let mut request = vec![0; size];
            loop {
                stream.read_exact(&mut request).await?;
                stream.write_all(&request).await?;
                stream.flush().await?;
            }
        }
        Kind::Greet => {
            stream.write_all(b"!").await?;
            stream.flush().await?;
            stream.read(&mut [0]).await.map(drop)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_size_with_its_separator() {
        let block = lines(64, b"\r\n");
        assert_eq!(block.len() % 64, 0);
        assert!(block.chunks(64).all(|line| line.ends_with(b"x\r\n")));
        assert_eq!(lines(1, b"\n").len(), BLOCK);
    }
}
