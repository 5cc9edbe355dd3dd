//! `readexactly` waits for all of its bytes, whatever the limit; at the end the error has the remaining ones.

use std::pin::pin;

use asyncio_streams::{ConnectOptions, Error, ServerOptions};
use asyncio_streams_test_programs::{Result, follow, matching, pattern, pending, same, tcp_with};

asyncio_streams::run!(main);

async fn main() -> Result {
    // A limit far below the size: it does not apply to this read, and input does not stop at twice the limit.
    let pair = tcp_with(&ConnectOptions::new(), &ServerOptions::new().limit(100)).await?;
    let (writer, reader) = (&pair.left.writer, &pair.right.reader);
    same!(reader.readexactly(0).await?, b"");

    writer.write(pattern(0, 300_000))?;
    follow(0, &reader.readexactly(1).await?)?;
    let bytes = reader.readexactly(250_000).await?;
    same!(bytes.len(), 250_000);
    follow(1, &bytes)?;
    let bytes = reader.readexactly(49_999).await?;
    follow(250_001, &bytes)?;
    same!(reader.buffered(), 0);
    {
        let mut waiting = pin!(reader.readexactly(4));
        for piece in ["a", "b", "c"] {
            pending(waiting.as_mut())?;
            writer.write(piece)?;
            writer.flush().await?;
        }
        pending(waiting.as_mut())?;
        writer.write("defg")?;
        writer.write_eof()?;
        same!(waiting.await?, b"abcd");
    }
    let incomplete = matching!(reader.readexactly(4).await, Err(Error::IncompleteRead(it)) => it);
    same!(
        (incomplete.partial.as_slice(), incomplete.expected),
        (&b"efg"[..], Some(4))
    );
    same!(reader.readexactly(0).await?, b"");
    let incomplete = matching!(reader.readexactly(1).await, Err(Error::IncompleteRead(it)) => it);
    same!(
        (incomplete.partial.as_slice(), incomplete.expected),
        (&b""[..], Some(1))
    );
    same!(reader.read(1).await?, b"");
    Ok(())
}
