//! Garbage instead of lines: reads of all kinds return every byte once and in order.

use asyncio_streams::{ConnectOptions, Error};
use asyncio_streams_test_programs::{Result, check, follow, peer_with, same};

asyncio_streams::run!(main);

/// The number of bytes that the peer sends.
const SIZE: usize = 1 << 20;

async fn main() -> Result {
    let side = peer_with(&ConnectOptions::new().limit(100)).await?;
    let reader = &side.reader;
    let mut position = 0;
    let mut round = 0_usize;
    let mut overruns = 0_usize;
    while position < SIZE {
        round += 1;
        let result = match round % 6 {
            0 => reader.readline().await,
            1 => reader.readuntil_any(&[b"\0", b"\xff\xfe", b"\r\n"]).await,
            2 => reader.readexactly(37).await,
            3 => reader.readlines(500).await,
            4 => reader.read(3).await,
            _ => reader.readuntil([0x80]).await,
        };
        let bytes = match result {
            Ok(bytes) => {
                check!(!bytes.is_empty(), "an end after {position} bytes");
                bytes
            }
            Err(Error::LimitOverrun(overrun)) => {
                overruns += 1;
                let n = overrun.consumed as usize;
                let skipped = reader.peek(n);
                check!(n > 0);
                same!((skipped.len(), reader.discard(n)?), (n, n));
                skipped
            }
            Err(Error::IncompleteRead(read)) => read.partial,
            Err(error) => return Err(error.into()),
        };
        position = follow(position, &bytes)?;
    }
    check!(overruns > 0);
    same!(position, SIZE);
    same!(reader.read(1).await?, b"");
    check!(reader.at_eof());
    Ok(())
}
