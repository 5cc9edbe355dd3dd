//! `wait-closed` returns the same to all callers, any number of times; cancelling one wait affects no other.

use std::pin::pin;

use asyncio_streams::{Error, NetworkCode, Waits, byte_stream, spawn, wrap};
use asyncio_streams_test_programs::{Failure, Pair, Result, matching, memory, pending, same, tcp};

asyncio_streams::run!(main);

async fn main() -> Result {
    independent(tcp().await?).await?;
    independent(memory().await?).await?;
    lost().await
}

async fn independent(pair: Pair) -> Result {
    let writer = &pair.left.writer;
    let mut first = pin!(writer.wait_closed());
    let mut second = pin!(writer.wait_closed());
    pending(first.as_mut())?;
    pending(second.as_mut())?;
    {
        let mut dropped = pin!(writer.wait_closed());
        pending(dropped.as_mut())?;
    }
    // Cancelling ends the pending waits, but neither the close nor later waits.
    writer.cancel(Waits::WAIT_CLOSED);
    matching!(first.await, Err(Error::Cancelled));
    matching!(second.await, Err(Error::Cancelled));
    let mut third = pin!(writer.wait_closed());
    pending(third.as_mut())?;

    writer.write("data")?;
    writer.close();
    let mut fourth = pin!(writer.wait_closed());
    let reader = pair.right.reader;
    let reading = spawn(async move { reader.read_to_end().await });
    let (a, b) = futures::join!(third, fourth.as_mut());
    a?;
    b?;
    for _ in 0..3 {
        writer.wait_closed().await?;
    }
    same!(
        reading
            .await
            .ok_or_else(|| Failure::new("the reading task has gone"))??,
        b"data"
    );
    Ok(())
}

/// Without `close` it waits for a loss.
async fn lost() -> Result {
    let (_incoming, for_reader) = byte_stream();
    let (_reader, writer, outgoing) = wrap(for_reader).await?;
    let mut first = pin!(writer.wait_closed());
    pending(first.as_mut())?;
    drop(outgoing);
    writer.write("this has no reader")?;
    matching!(first.await, Err(Error::Network(error)) if error.code == NetworkCode::BrokenPipe);
    for _ in 0..2 {
        matching!(writer.wait_closed().await, Err(Error::Network(error)) if error.code == NetworkCode::BrokenPipe);
        writer.close();
    }
    Ok(())
}
