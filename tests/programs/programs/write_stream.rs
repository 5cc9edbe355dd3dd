//! `write-stream` sends a stream after the queued bytes, and returns how many bytes it took, however it ends.

use std::pin::pin;

use asyncio_streams::{ByteReader, Error, Task, Waits, Writer, byte_stream, spawn};
use asyncio_streams_test_programs::{
    Failure, Pair, RawError, Result, check, follow, matching, memory, pattern, pending, raw_writer,
    same, tcp,
};

asyncio_streams::run!(main);

const MUCH: usize = 5 << 20;

async fn main() -> Result {
    for pair in [tcp().await?, memory().await?] {
        in_order(&pair).await?;
        busy(&pair).await?;
    }
    for pair in [tcp().await?, memory().await?] {
        cancelled(&pair).await?;
    }
    for abort in [false, true] {
        for pair in [tcp().await?, memory().await?] {
            closed(&pair, abort).await?;
        }
    }
    refused().await
}

/// A stream of `n` bytes of the pattern, and the task that feeds it, which returns how many of them were taken.
fn source(n: usize) -> (ByteReader, Task<usize>) {
    let (mut to, data) = byte_stream();
    let feeding = spawn(async move {
        let mut fed = 0;
        while fed < n {
            let piece = pattern(fed, (n - fed).min(30_001));
            let length = piece.len();
            let left = to.write_all(piece).await.len();
            fed += length - left;
            if left > 0 {
                break;
            }
        }
        fed
    });
    (data, feeding)
}

async fn fed(feeding: Task<usize>) -> Result<usize> {
    feeding
        .await
        .ok_or_else(|| Failure::new("the feeding task has gone"))
}

async fn in_order(Pair { left, right }: &Pair) -> Result {
    left.writer.write("before ")?;
    let (data, feeding) = source(MUCH);
    let receiving = async {
        same!(right.reader.readexactly(7).await?, b"before ");
        let bytes = right.reader.readexactly(MUCH).await?;
        follow(0, &bytes)
    };
    let ((taken, result), received) = futures::join!(left.writer.write_stream(data), receiving);
    result?;
    same!(received?, MUCH);
    same!(taken, MUCH as u64);
    same!(fed(feeding).await?, MUCH);
    // It does not end the output; an empty stream works too.
    left.writer.write("after")?;
    same!(right.reader.readexactly(5).await?, b"after");
    let (to, data) = byte_stream();
    drop(to);
    matching!(left.writer.write_stream(data).await, (0, Ok(())));
    Ok(())
}

/// Calls that would send in between are refused; all others work.
async fn busy(Pair { left, right }: &Pair) -> Result {
    let writer: &Writer = &left.writer;
    let (mut to, data) = byte_stream();
    let mut streaming = pin!(writer.write_stream(data));
    pending(streaming.as_mut())?;
    for _ in 0..2 {
        matching!(writer.write("x"), Err(Error::Busy));
        matching!(writer.writelines(&["x"]), Err(Error::Busy));
        matching!(
            raw_writer(writer).send(b"x".to_vec()).await,
            Err(RawError::Busy)
        );
        matching!(writer.write_eof(), Err(Error::Busy));
        let (_, more) = byte_stream();
        matching!(writer.write_stream(more).await, (0, Err(Error::Busy)));
        writer.drain().await?;
        raw_writer(writer).drain().await?;
        writer.flush().await?;
        check!(writer.try_drain()?);
        let mut closed = pin!(writer.wait_closed());
        pending(closed.as_mut())?;
    }
    let feeding = async {
        to.write_all(b"abc".to_vec()).await;
        drop(to);
    };
    let ((taken, result), ()) = futures::join!(streaming, feeding);
    result?;
    same!(taken, 3);
    writer.write("d")?;
    same!(right.reader.readexactly(4).await?, b"abcd");
    Ok(())
}

/// Bytes that it took are sent, the others stay with the producer, and the number is exact.
async fn cancelled(Pair { left, right }: &Pair) -> Result {
    for start in 0..3 {
        let (data, feeding) = source(usize::MAX - start);
        let mut streaming = pin!(left.writer.write_stream(data));
        pending(streaming.as_mut())?;
        let interrupting = async {
            // Some bytes have arrived, so the transfer is in progress.
            let bytes = right.reader.readexactly(200_000).await?;
            follow(0, &bytes)?;
            left.writer
                .cancel(Waits::DRAIN | Waits::FLUSH | Waits::WAIT_CLOSED);
            let bytes = right.reader.readexactly(200_000).await?;
            follow(200_000, &bytes)?;
            left.writer.cancel(Waits::WRITE_STREAM);
            Result::Ok(())
        };
        let ((taken, result), interrupted) = futures::join!(streaming, interrupting);
        interrupted?;
        matching!(result, Err(Error::Cancelled));
        same!(fed(feeding).await?, taken as usize);
        let rest = right.reader.readexactly(taken as usize - 400_000).await?;
        follow(400_000, &rest)?;
        // The next call waits as usual.
        left.writer.write("next\n")?;
        same!(right.reader.readline().await?, b"next\n");
    }
    Ok(())
}

/// The end of the connection ends it too.
async fn closed(Pair { left, right }: &Pair, abort: bool) -> Result {
    let (data, feeding) = source(usize::MAX);
    let mut streaming = pin!(left.writer.write_stream(data));
    pending(streaming.as_mut())?;
    let ending = async {
        right.reader.readexactly(100_000).await?;
        if abort {
            left.writer.abort();
        } else {
            left.writer.close();
        }
        Result::Ok(())
    };
    let ((taken, result), ended) = futures::join!(streaming, ending);
    ended?;
    matching!(result, Err(Error::Closed));
    same!(fed(feeding).await?, taken as usize);
    if !abort {
        // Bytes that were taken before are queued, and arrive.
        let rest = right.reader.read_to_end().await?;
        same!(follow(100_000, &rest)?, taken as usize);
        left.writer.wait_closed().await?;
    }
    Ok(())
}

/// A writer that cannot send takes nothing, and stops the producer.
async fn refused() -> Result {
    let pair = tcp().await?;
    pair.left.writer.write_eof()?;
    let (data, feeding) = source(10);
    matching!(
        pair.left.writer.write_stream(data).await,
        (0, Err(Error::WriteAfterEof))
    );
    same!(fed(feeding).await?, 0);
    pair.left.writer.close();
    let (data, feeding) = source(10);
    matching!(
        pair.left.writer.write_stream(data).await,
        (0, Err(Error::Closed))
    );
    same!(fed(feeding).await?, 0);
    Ok(())
}
