//! `from-stream` makes a reader from any byte stream; dropping the reader stops the producer.

use asyncio_streams::{DEFAULT_LIMIT, Error, byte_stream, from_stream, spawn};
use asyncio_streams_test_programs::{Failure, Result, check, matching, same, turns};

asyncio_streams::run!(main);

async fn main() -> Result {
    lines_and_the_end().await?;
    dropped_reader().await?;
    over_a_given_stream().await
}

async fn lines_and_the_end() -> Result {
    let (mut to, data) = byte_stream();
    let reader = from_stream(data, 10).await?;
    same!(reader.limit(), 10);
    let feeding = spawn(async move {
        for piece in ["one\ntw", "o\n", "", "01234567890\nthr", "ee"] {
            to.write_all(piece.into()).await;
        }
    });
    same!(reader.readline().await?, b"one\n");
    same!(reader.readline().await?, b"two\n");
    matching!(reader.readline().await, Err(Error::LimitOverrun(it)) if it.consumed == 11);
    same!(reader.readexactly(12).await?, b"01234567890\n");
    same!(reader.readline().await?, b"three");
    check!(reader.at_eof());
    same!(reader.readline().await?, b"");
    feeding
        .await
        .ok_or_else(|| Failure::new("the feeding task has gone"))?;
    Ok(())
}

/// With and without buffered bytes, the producer gets back the bytes that were not taken.
async fn dropped_reader() -> Result {
    let gone = || Failure::new("the feeding task has gone");
    for read in [0, 2] {
        let (mut to, data) = byte_stream();
        let reader = from_stream(data, DEFAULT_LIMIT).await?;
        if read > 0 {
            let feeding = spawn(async move { (to.write_all(b"first".to_vec()).await, to) });
            same!(reader.readexactly(read).await?, b"fi");
            let left;
            (left, to) = feeding.await.ok_or_else(gone)?;
            same!(left, b"");
        }
        let feeding = spawn(async move { to.write_all(b" second".to_vec()).await });
        turns(3).await;
        drop(reader);
        same!(feeding.await.ok_or_else(gone)?, b" second");
    }
    Ok(())
}

/// A second reader continues the stream that the first one gave away.
async fn over_a_given_stream() -> Result {
    let (mut to, data) = byte_stream();
    let first = from_stream(data, DEFAULT_LIMIT).await?;
    let feeding = spawn(async move {
        to.write_all(b"one\ntwo\nthree\n".to_vec()).await;
        to.write_all(b"four\n".to_vec()).await;
    });
    same!(first.readline().await?, b"one\n");
    let (rest, end) = first.into_stream().await?;
    let second = from_stream(rest, DEFAULT_LIMIT).await?;
    for line in ["two\n", "three\n", "four\n", ""] {
        same!(second.readline().await?, line.as_bytes());
    }
    end.await?;
    feeding
        .await
        .ok_or_else(|| Failure::new("the feeding task has gone"))?;
    Ok(())
}
