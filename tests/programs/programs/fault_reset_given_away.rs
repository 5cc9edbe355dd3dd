//! A reset of a connection whose reader was given away: the stream of `into_stream` ends after the buffered bytes, and its future
//! returns the reason.

use asyncio_streams::Wanted;
use asyncio_streams::wit_bindgen::StreamResult;
use asyncio_streams_test_programs::{Result, check, is_reset, matching, peer, same};

asyncio_streams::run!(main);

async fn main() -> Result {
    let side = peer().await?;
    same!(side.reader.readexactly(6).await?, b"first\n");
    side.reader.wait(Wanted::Exactly(4)).await?;
    side.writer.write("reset\n")?;
    let (mut stream, end) = side.reader.into_stream().await?;
    let mut got = Vec::new();
    loop {
        let (result, bytes) = stream.read(Vec::with_capacity(100)).await;
        got.extend(bytes);
        if result == StreamResult::Dropped {
            break;
        }
    }
    same!(got, b"kept");
    let error = matching!(end.await, Err(error) if is_reset(&error) => error);
    for _ in 0..2 {
        same!(side.writer.write("x"), Err(error.clone()));
        same!(side.writer.drain().await, Err(error.clone()));
        same!(side.writer.wait_closed().await, Err(error.clone()));
        check!(side.writer.is_closing());
    }
    Ok(())
}
