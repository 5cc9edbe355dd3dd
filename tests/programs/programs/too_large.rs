//! A result has at most `max-result` bytes: a larger one is `too-large`, and nothing is consumed.

use asyncio_streams::{ConnectOptions, Error, ServerOptions, spawn};
use asyncio_streams_test_programs::{
    RawError, Result, check, follow, matching, pattern, raw_reader, same, tcp_with,
};

asyncio_streams::run!(main);

const MOST: usize = 100_000;

async fn main() -> Result {
    let options = ServerOptions::new().max_result(MOST).limit(MOST * 2);
    let pair = tcp_with(&ConnectOptions::new(), &options).await?;
    let reader = pair.right.reader;

    // Returned at once, although the peer has sent nothing.
    for n in [MOST + 1, u32::MAX as usize] {
        matching!(reader.readexactly(n).await, Err(Error::TooLarge(least)) if least == n as u64);
        matching!(
            raw_reader(&reader).readexactly(n as u32).await,
            Err(RawError::TooLarge(least)) if least == n as u64
        );
    }

    // A peer without an end. Its data is buffered up to the bound, and the connection continues.
    let writer = pair.left.writer;
    let endless = spawn(async move {
        let mut sent = 0;
        while writer.send(pattern(sent, 10_000)).await.is_ok() {
            sent += 10_000;
        }
    });
    let mut read = 0;
    for _ in 0..3 {
        let least = matching!(reader.read_to_end().await, Err(Error::TooLarge(least)) => least);
        check!(least > MOST as u64);
        same!(reader.buffered() as u64, least);
        // The stream has no line end either.
        let bytes = reader.readexactly(MOST).await?;
        read = follow(read, &bytes)?;
        while reader.buffered() > 0 {
            let bytes = reader.read(usize::MAX).await?;
            check!(bytes.len() <= MOST);
            read = follow(read, &bytes)?;
        }
    }
    // Closing also ends the peer.
    pair.right.writer.close();
    endless.await;
    a_line().await
}

/// A line within the limit, but beyond `max-result`.
async fn a_line() -> Result {
    let options = ServerOptions::new().max_result(100).limit(1000);
    let pair = tcp_with(&ConnectOptions::new(), &options).await?;
    let (writer, reader) = (&pair.left.writer, &pair.right.reader);
    writer.write([&[b'x'; 100][..], b"\n"].concat())?;
    for _ in 0..2 {
        matching!(reader.readline().await, Err(Error::TooLarge(101)));
        matching!(reader.readuntil("\n").await, Err(Error::TooLarge(101)));
        matching!(reader.readlines(50).await, Err(Error::TooLarge(101)));
    }
    same!(reader.buffered(), 101);
    same!(reader.readexactly(100).await?, [b'x'; 100]);
    same!(reader.readline().await?, b"\n");
    Ok(())
}
