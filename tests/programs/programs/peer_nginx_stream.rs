//! A large file from an HTTP server, as a stream to the end of the connection.

use asyncio_streams_test_programs::{Result, check, follow, peer, same};
use wit_bindgen::StreamResult;

asyncio_streams::run!(main);

/// The size of the test's file, which holds the pattern.
const LARGE: usize = 20 << 20;

async fn main() -> Result {
    let side = peer().await?;
    let request = "GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    side.writer.send(request).await?;
    let head = side.reader.readuntil("\r\n\r\n").await?;
    check!(head.starts_with(b"HTTP/1.1 200 OK\r\n"));
    let (mut stream, end) = side.reader.into_stream().await?;
    let mut position = 0;
    loop {
        let (result, bytes) = stream.read(Vec::with_capacity(65_536)).await;
        position = follow(position, &bytes)?;
        if result == StreamResult::Dropped {
            break;
        }
    }
    end.await?;
    same!(position, LARGE);
    Ok(())
}
