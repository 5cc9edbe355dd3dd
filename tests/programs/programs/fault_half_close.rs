//! The two directions end separately: after the peer's end we can still write, after our end we can still read.

use asyncio_streams::Error;
use asyncio_streams_test_programs::{Result, check, follow, pattern, peer, same};

asyncio_streams::run!(main);

const SIZE: usize = 1 << 20;

async fn main() -> Result {
    the_peer_ends_first().await?;
    we_end_first().await
}

async fn the_peer_ends_first() -> Result {
    let side = peer().await?;
    same!(follow(0, &side.reader.read_to_end().await?)?, SIZE);
    for _ in 0..2 {
        same!(side.reader.read(1).await?, b"");
        same!(side.reader.readline().await?, b"");
        check!(side.reader.at_eof());
    }
    same!(side.reader.exception(), None);
    check!(!side.writer.is_closing());

    for start in (0..SIZE).step_by(SIZE / 16) {
        side.writer.send(pattern(start, SIZE / 16)).await?;
    }
    side.writer.close();
    side.writer.wait_closed().await?;
    Ok(())
}

async fn we_end_first() -> Result {
    let side = peer().await?;
    side.writer.write(pattern(0, SIZE))?;
    check!(side.writer.can_write_eof());
    side.writer.write_eof()?;
    side.writer.write_eof()?;
    same!(side.writer.write("more"), Err(Error::WriteAfterEof));
    same!(side.writer.send("more").await, Err(Error::WriteAfterEof));
    check!(!side.writer.is_closing());

    // The peer sends only after it has seen our end.
    same!(follow(0, &side.reader.read_to_end().await?)?, SIZE);
    check!(side.reader.at_eof());
    side.writer.drain().await?;
    side.writer.close();
    side.writer.wait_closed().await?;
    Ok(())
}
