//! After `close` or `abort` on this side, reads return buffered bytes, then `closed`: never a false end.

use std::pin::pin;

use asyncio_streams::{Error, Wanted};
use asyncio_streams_test_programs::{
    Pair, Result, check, crate_error, matching, memory, pending, raw_reader, same, tcp,
};

asyncio_streams::run!(main);

async fn main() -> Result {
    for abort in [false, true] {
        buffered_first(tcp().await?, abort).await?;
        buffered_first(memory().await?, abort).await?;
        ends_a_pending_read(tcp().await?, abort).await?;
        ends_a_pending_read(memory().await?, abort).await?;
    }
    Ok(())
}

fn end(pair: &Pair, abort: bool) {
    if abort {
        pair.right.writer.abort();
    } else {
        pair.right.writer.close();
    }
}

async fn buffered_first(pair: Pair, abort: bool) -> Result {
    let reader = &pair.right.reader;
    pair.left.writer.write("line\nrest")?;
    reader.wait(Wanted::Exactly(9)).await?;
    end(&pair, abort);
    same!(reader.exception(), Some(Error::Closed));
    check!(!reader.at_eof());
    same!(reader.readline().await?, b"line\n");
    // A read that the buffer does not satisfy leaves it unchanged.
    for _ in 0..2 {
        matching!(reader.readline().await, Err(Error::Closed));
        matching!(reader.readexactly(5).await, Err(Error::Closed));
        matching!(reader.readuntil(";").await, Err(Error::Closed));
        matching!(reader.readlines(10).await, Err(Error::Closed));
        matching!(reader.read_to_end().await, Err(Error::Closed));
        reader.wait(Wanted::Line).await?;
        same!(reader.peek(10), b"rest");
    }
    same!(reader.readexactly(3).await?, b"res");
    same!(reader.read(10).await?, b"t");
    for _ in 0..2 {
        matching!(reader.read(10).await, Err(Error::Closed));
        matching!(reader.try_read(10), Err(Error::Closed));
        matching!(reader.into_stream().await.map(drop), Err(Error::Closed));
        reader.wait(Wanted::Any).await?;
    }
    same!(reader.read(0).await?, b"");
    check!(!reader.at_eof());
    Ok(())
}

async fn ends_a_pending_read(pair: Pair, abort: bool) -> Result {
    let reader = &pair.right.reader;
    pair.left.writer.write("part")?;
    reader.wait(Wanted::Any).await?;
    {
        let mut line = pin!(raw_reader(reader).readline());
        pending(line.as_mut())?;
        end(&pair, abort);
        matching!(line.await.map_err(crate_error), Err(Error::Closed));
    }
    same!(reader.read(10).await?, b"part");
    let mut waiting = pin!(reader.wait(Wanted::Any));
    waiting.as_mut().await?;
    Ok(())
}
