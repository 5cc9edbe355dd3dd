//! `readlines` returns every complete line that is buffered as one block, within its bounds.

use std::pin::pin;

use asyncio_streams::{ConnectOptions, Error, ServerOptions, Wanted};
use asyncio_streams_test_programs::{Result, matching, pending, raw_reader, same, tcp_with};

asyncio_streams::run!(main);

async fn main() -> Result {
    let pair = tcp_with(&ConnectOptions::new(), &ServerOptions::new().limit(10)).await?;
    let (writer, reader) = (&pair.left.writer, &pair.right.reader);

    {
        let mut first = pin!(raw_reader(reader).readlines(100));
        pending(first.as_mut())?;
        writer.write("one\ntwo\nthr")?;
        same!(first.await?, b"one\ntwo\n");
    }
    same!(reader.buffered(), 3);
    same!(reader.try_readlines(100)?, None);
    writer.write("ee\nfour\nfive\n")?;
    reader.wait(Wanted::Exactly(16)).await?;
    // Only whole lines that fit, and always the first.
    same!(reader.readlines(11).await?, b"three\nfour\n");
    writer.write("six\n")?;
    reader.wait(Wanted::Exactly(9)).await?;
    same!(reader.readlines(0).await?, b"five\n");
    same!(reader.readlines(3).await?, b"six\n");

    // A block stops before a line beyond the limit, which is the next call's error.
    writer.write("seven\n0123456789A\neight\nnine")?;
    writer.write_eof()?;
    reader.wait(Wanted::End).await?;
    same!(reader.readlines(100).await?, b"seven\n");
    let overrun = matching!(reader.readlines(100).await, Err(Error::LimitOverrun(it)) => it);
    same!((overrun.found, overrun.consumed), (true, 11));
    same!(reader.discard(12)?, 12);
    same!(reader.readlines(100).await?, b"eight\nnine");
    same!(reader.readlines(100).await?, b"");
    same!(reader.try_readlines(0)?, Some(Vec::new()));
    Ok(())
}
