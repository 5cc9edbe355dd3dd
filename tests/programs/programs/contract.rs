//! The contract of readers and writers, over every kind of connection that a program can have.

use asyncio_streams::{Reader, Writer, open_connection, spawn, start_server, wrap};
use asyncio_streams_contract::{self as contract, Kind, check_kind};
use asyncio_streams_test_programs::{Failure, Pair, Result, memory, port, tcp, turns};

asyncio_streams::run!(main);

async fn main() -> Result {
    for kind in [
        Of::Tcp("127.0.0.1"),
        Of::Tcp("::1"),
        Of::Memory,
        Of::Wrapped,
    ] {
        let result = check_kind(&kind).await;
        result.map_err(|error| Failure::new(format_args!("{kind:?}: {error}")))?;
    }
    Ok(())
}

#[derive(Debug)]
enum Of {
    /// To a server on this host.
    Tcp(&'static str),
    /// Both ends wrapped, in this component.
    Memory,
    /// A TCP connection split into its byte streams, and wrapped again.
    Wrapped,
}

impl Kind for Of {
    type Reader = Reader;
    type Writer = Writer;

    async fn pair(&self) -> Result<contract::Pair<Reader, Writer>> {
        let Pair { left, right } = match self {
            Of::Tcp(host) => {
                let server = start_server([*host], 0).await?;
                let (left, right) =
                    futures::join!(open_connection(host, port(&server)?), server.accept());
                Pair {
                    left: left?.into(),
                    right: right?.into(),
                }
            }
            Of::Memory => memory().await?,
            Of::Wrapped => wrapped().await?,
        };
        let [left, right] = [left, right].map(|side| contract::Side {
            reader: side.reader,
            writer: side.writer,
        });
        Ok(contract::Pair { left, right })
    }

    fn clog(&self) -> usize {
        match self {
            Of::Tcp(_) | Of::Wrapped => 48 << 20,
            Of::Memory => 1 << 20,
        }
    }

    async fn settle(&self) {
        turns(10).await;
    }
}

async fn wrapped() -> Result<Pair> {
    let Pair { left, right } = tcp().await?;
    let (incoming, _) = left.reader.into_stream().await?;
    let (reader, writer, outgoing) = wrap(incoming).await?;
    drop(spawn(async move {
        let (_, sent) = left.writer.write_stream(outgoing).await;
        // The TCP connection ends when both of its directions have ended.
        if sent.is_ok() && left.writer.write_eof().is_ok() {
            let _ = left.writer.wait_closed().await;
        }
    }));
    Ok(Pair {
        left: (reader, writer).into(),
        right,
    })
}
