//! A component, or a host, without Unix sockets: both calls are `not-supported`, and say what has them.

use asyncio_streams::{Error, open_unix_connection, start_unix_server};
use asyncio_streams_test_programs::{Failure, Pair, Result, check, tcp};

asyncio_streams::run!(main);

async fn main() -> Result {
    let connected = open_unix_connection("/run/app.sock").await.map(drop);
    let served = start_unix_server("/run/app.sock").await.map(drop);
    for answer in [connected, served] {
        match answer {
            Err(Error::NotSupported(text)) => {
                check!(text.contains("streams-unix.wasm"), "{text}");
            }
            other => return Err(Failure::new(format!("not what was expected: {other:?}"))),
        }
    }
    let Pair { left, right } = tcp().await?;
    check!(left.writer.peer_credentials().is_none());
    check!(right.writer.peer_credentials().is_none());
    Ok(())
}
