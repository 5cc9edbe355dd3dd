//! A peer that sends without end: the buffer stays bounded, a result beyond the bound is `too-large` and consumes
//! nothing, and reading in pieces continues.

use asyncio_streams::{ConnectOptions, Error, Overrun};
use asyncio_streams_test_programs::{Result, check, follow, matching, peer, peer_with, same};

asyncio_streams::run!(main);

const LIMIT: usize = 65_536;
const MAX_RESULT: usize = 1 << 20;
/// One read of the transport can exceed any bound by this many bytes.
const PIECE: usize = 64 * 1024;

async fn main() -> Result {
    let side = peer_with(&ConnectOptions::new().limit(LIMIT).max_result(MAX_RESULT)).await?;
    let reader = &side.reader;
    reader.read(0).await?;
    // Without reads the network holds the peer back; the peer reports its progress on another connection.
    let control = peer().await?;
    let sent = control.reader.readline().await?;
    same!(reader.buffered(), 0);
    check!(sent.ends_with(b"\n"));

    for _ in 0..3 {
        matching!(
            reader.readuntil("no such separator").await,
            Err(Error::LimitOverrun(Overrun { found: false, .. }))
        );
        check!(reader.buffered() <= LIMIT + PIECE, "{}", reader.buffered());
    }
    for _ in 0..3 {
        matching!(reader.read_to_end().await, Err(Error::TooLarge(n)) if n > MAX_RESULT as u64);
        check!(
            reader.buffered() > MAX_RESULT && reader.buffered() <= MAX_RESULT + PIECE,
            "{}",
            reader.buffered()
        );
    }
    same!(
        reader.readexactly(MAX_RESULT + 1).await,
        Err(Error::TooLarge(MAX_RESULT as u64 + 1))
    );

    // Nothing was consumed.
    let mut position = follow(0, &reader.readexactly(MAX_RESULT).await?)?;
    while position < 20 * MAX_RESULT {
        let bytes = reader.read(MAX_RESULT).await?;
        check!(!bytes.is_empty());
        position = follow(position, &bytes)?;
    }
    Ok(())
}
