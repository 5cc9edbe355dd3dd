//! A thousand connections at once, each with its own conversation, to a peer that echoes.

use asyncio_streams::open_connection;
use asyncio_streams_test_programs::{Result, check, follow, pattern, peer_port, same};
use futures::future::try_join_all;

asyncio_streams::run!(main);

const CONNECTIONS: usize = 1000;
const SIZE: usize = 10_000;

async fn main() -> Result {
    let port = peer_port(0)?;
    let connections =
        try_join_all((0..CONNECTIONS).map(|_| open_connection("127.0.0.1", port))).await?;
    let conversations =
        connections
            .into_iter()
            .enumerate()
            .map(async |(number, (reader, writer))| -> Result {
                // All must be open before the first one ends: the peer does not answer until then.
                writer.write(pattern(number, SIZE))?;
                writer.write_eof()?;
                let answer = reader.read_to_end().await?;
                same!(follow(number, &answer)?, number + SIZE);
                check!(reader.at_eof());
                writer.close();
                writer.wait_closed().await?;
                Ok(())
            });
    try_join_all(conversations).await?;
    Ok(())
}
