//! `close` sends queued bytes, then the end; a later write is `closed`, and a second close does nothing.

use asyncio_streams::Error;
use asyncio_streams_test_programs::{
    Pair, Result, check, follow, matching, memory, pattern, same, tcp,
};

asyncio_streams::run!(main);

const MUCH: usize = 9 << 20;

async fn main() -> Result {
    for pair in [tcp().await?, memory().await?] {
        everything_arrives(&pair).await?;
    }
    for pair in [tcp().await?, memory().await?] {
        after_the_peers_end(&pair).await?;
    }
    idle(&tcp().await?).await?;
    idle(&memory().await?).await
}

async fn everything_arrives(Pair { left, right }: &Pair) -> Result {
    let writer = &left.writer;
    check!(!writer.is_closing());
    writer.write(pattern(0, MUCH))?;
    writer.close();
    check!(writer.is_closing());
    writer.close();
    for _ in 0..2 {
        matching!(writer.write("x"), Err(Error::Closed));
        matching!(writer.writelines(&["x"]), Err(Error::Closed));
        matching!(writer.send("x").await, Err(Error::Closed));
        writer.write_eof()?;
    }
    check!(writer.write_buffer_size() > 0);
    let (closed, read) = futures::join!(writer.wait_closed(), right.reader.read_to_end());
    closed?;
    let bytes = read?;
    same!(bytes.len(), MUCH);
    follow(0, &bytes)?;
    check!(right.reader.at_eof());
    same!(writer.write_buffer_size(), 0);
    // The same again, after the end.
    writer.close();
    writer.wait_closed().await?;
    writer.drain().await?;
    writer.flush().await?;
    check!(writer.is_closing());
    matching!(writer.write("x"), Err(Error::Closed));

    // The peer notices the missing reader only by writing; its own side closes cleanly or as lost.
    check!(!right.writer.is_closing());
    right.writer.close();
    drop(right.writer.wait_closed().await);
    Ok(())
}

async fn after_the_peers_end(Pair { left, right }: &Pair) -> Result {
    left.writer.write_eof()?;
    same!(right.reader.read(1).await?, b"");
    right.writer.write("last words")?;
    right.writer.close();
    right.writer.wait_closed().await?;
    same!(left.reader.read_to_end().await?, b"last words");
    left.writer.close();
    left.writer.wait_closed().await?;
    Ok(())
}

/// A connection that never sent a byte.
async fn idle(Pair { left, right }: &Pair) -> Result {
    left.writer.close();
    left.writer.wait_closed().await?;
    same!(right.reader.read(1).await?, b"");
    right.writer.close();
    right.writer.wait_closed().await?;
    matching!(right.reader.try_read(1)?, Some(bytes) if bytes.is_empty());
    matching!(left.reader.read(1).await, Err(Error::Closed));
    Ok(())
}
