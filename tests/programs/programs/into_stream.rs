//! `into-stream` returns the whole rest of the input, buffered bytes first, and how it ended.

use std::pin::pin;

use asyncio_streams::{ByteReader, Error, Wanted, spawn};
use asyncio_streams_test_programs::{
    Failure, Pair, Result, Side, check, follow, matching, memory, pattern, pending, same, tcp,
};
use wit_bindgen::StreamResult;

asyncio_streams::run!(main);

const MUCH: usize = 4 << 20;

async fn main() -> Result {
    for buffered in [0, 10, 100_000] {
        everything(tcp().await?, buffered).await?;
        everything(memory().await?, buffered).await?;
        end_in_the_buffer(tcp().await?, buffered).await?;
    }
    for buffered in [0, 10] {
        dropped_early(tcp().await?, buffered).await?;
        dropped_early(memory().await?, buffered).await?;
        after_close(tcp().await?, buffered).await?;
        after_close(memory().await?, buffered).await?;
    }
    Ok(())
}

/// Writes `n` bytes of the pattern and ends the output, in a task.
fn write_all(side: Side, n: usize) -> asyncio_streams::Task<Result<Side>> {
    spawn(async move {
        let mut sent = 0;
        while sent < n {
            let piece = pattern(sent, (n - sent).min(64 << 10));
            sent += piece.len();
            side.writer.send(piece).await?;
        }
        side.writer.write_eof()?;
        Ok(side)
    })
}

async fn read_all(data: &mut ByteReader, mut position: usize) -> Result<usize> {
    loop {
        let (result, bytes) = data.read(Vec::with_capacity(50_000)).await;
        position = follow(position, &bytes)?;
        if result == StreamResult::Dropped {
            return Ok(position);
        }
    }
}

async fn everything(pair: Pair, buffered: usize) -> Result {
    let Pair { left, right } = pair;
    let sending = write_all(left, MUCH);
    let reader = &right.reader;
    if buffered > 0 {
        reader.wait(Wanted::Exactly(buffered as u32)).await?;
        follow(0, &reader.readexactly(3).await?)?;
    }
    {
        let mut waiting = pin!(reader.wait(Wanted::Exactly(MUCH as u32 + 1)));
        pending(waiting.as_mut())?;
        matching!(reader.into_stream().await.map(drop), Err(Error::Busy));
    }
    let start = if buffered > 0 { 3 } else { 0 };
    let (mut data, end) = reader.into_stream().await?;
    closed_from_now_on(&right).await?;
    same!(read_all(&mut data, start).await?, MUCH);
    end.await?;
    closed_from_now_on(&right).await?;

    // The writer continues, and so does the other end.
    let left = sending
        .await
        .ok_or_else(|| Failure::new("the sending task has gone"))??;
    right.writer.write("answer")?;
    same!(left.reader.readexactly(6).await?, b"answer");
    right.writer.close();
    right.writer.wait_closed().await?;
    same!(left.reader.read(1).await?, b"");
    Ok(())
}

async fn closed_from_now_on(side: &Side) -> Result {
    let reader = &side.reader;
    for _ in 0..2 {
        matching!(reader.read(1).await, Err(Error::Closed));
        matching!(reader.readline().await, Err(Error::Closed));
        matching!(reader.readexactly(1).await, Err(Error::Closed));
        matching!(reader.read_to_end().await, Err(Error::Closed));
        matching!(reader.try_read(1), Err(Error::Closed));
        matching!(reader.into_stream().await.map(drop), Err(Error::Closed));
        reader.wait(Wanted::Any).await?;
        reader.cancel();
        same!(reader.exception(), Some(Error::Closed));
        same!(
            (reader.buffered(), reader.peek(9), reader.discard(9)?),
            (0, Vec::new(), 0)
        );
        check!(!reader.at_eof());
        check!(!side.writer.is_closing());
    }
    Ok(())
}

/// The end had arrived before; the stream still returns all bytes, and reports a clean end.
async fn end_in_the_buffer(pair: Pair, buffered: usize) -> Result {
    pair.left.writer.write(pattern(0, buffered))?;
    pair.left.writer.write_eof()?;
    pair.right.reader.wait(Wanted::End).await?;
    let (mut data, end) = pair.right.reader.into_stream().await?;
    same!(read_all(&mut data, 0).await?, buffered);
    end.await?;
    closed_from_now_on(&pair.right).await
}

/// Dropping the stream discards the rest: the peer is not held back, and nothing fails.
async fn dropped_early(pair: Pair, buffered: usize) -> Result {
    let Pair { left, right } = pair;
    let sending = write_all(left, 40 << 20);
    right.reader.wait(Wanted::Exactly(buffered as u32)).await?;
    let (mut data, end) = right.reader.into_stream().await?;
    let (_, bytes) = data.read(Vec::with_capacity(1000)).await;
    follow(0, &bytes)?;
    drop(data);
    end.await?;
    let left = sending
        .await
        .ok_or_else(|| Failure::new("the sending task has gone"))??;
    left.writer.flush().await?;
    right.writer.write("still here")?;
    same!(left.reader.readexactly(10).await?, b"still here");
    Ok(())
}

/// Bytes that were buffered when this side closed are still available; then the stream reports that it was no end.
async fn after_close(pair: Pair, buffered: usize) -> Result {
    pair.left.writer.write(pattern(0, buffered))?;
    pair.right
        .reader
        .wait(Wanted::Exactly(buffered as u32))
        .await?;
    pair.right.writer.close();
    if buffered == 0 {
        matching!(
            pair.right.reader.into_stream().await.map(drop),
            Err(Error::Closed)
        );
        return Ok(());
    }
    let (mut data, end) = pair.right.reader.into_stream().await?;
    same!(read_all(&mut data, 0).await?, buffered);
    matching!(end.await, Err(Error::Closed));
    Ok(())
}
