//! The marks of the queue: asyncio's rules for setting them, and their effect on `drain`.

use std::pin::pin;

use asyncio_streams::{ByteReader, Error, Writer, byte_stream, wrap};
use asyncio_streams_test_programs::{
    Result, check, matching, memory, pending, raw_writer, same, tcp,
};

asyncio_streams::run!(main);

async fn main() -> Result {
    rules(&tcp().await?.left.writer)?;
    rules(&memory().await?.right.writer)?;
    // The reader of `outgoing` controls exactly how much is queued.
    let (_incoming, for_reader) = byte_stream();
    let (_reader, writer, mut outgoing) = wrap(for_reader).await?;
    meaning(&writer, &mut outgoing).await?;
    change(&writer, &mut outgoing).await?;
    empty_queue(&writer, &mut outgoing).await
}

fn rules(writer: &Writer) -> Result {
    same!(writer.write_buffer_limits(), (16_384, 65_536));
    for (high, low, expected) in [
        (Some(1000), None, (250, 1000)),
        (None, Some(1000), (1000, 4000)),
        (Some(10), Some(10), (10, 10)),
        (Some(7), Some(0), (0, 7)),
        (Some(3), None, (0, 3)),
        (Some(0), None, (0, 0)),
        (None, Some(0), (0, 0)),
        (Some(usize::MAX), Some(1), (1, u32::MAX as usize)),
        (None, None, (16_384, 65_536)),
    ] {
        writer.set_write_buffer_limits(high, low)?;
        same!(writer.write_buffer_limits(), expected);
    }
    for (high, low) in [
        (Some(10), Some(11)),
        (Some(0), Some(1)),
        (Some(0), Some(usize::MAX)),
    ] {
        matching!(
            writer.set_write_buffer_limits(high, low),
            Err(Error::InvalidArgument(_))
        );
        same!(writer.write_buffer_limits(), (16_384, 65_536));
    }
    Ok(())
}

async fn meaning(writer: &Writer, outgoing: &mut ByteReader) -> Result {
    writer.set_write_buffer_limits(Some(1000), Some(300))?;
    writer.write([0; 1000])?;
    check!(writer.try_drain()?, "the high mark itself is not above it");
    raw_writer(writer).drain().await?;
    writer.write("x")?;
    check!(!writer.try_drain()?);
    {
        let mut waiting = pin!(raw_writer(writer).drain());
        pending(waiting.as_mut())?;
        take(outgoing, 700).await?;
        same!(writer.write_buffer_size(), 301);
        check!(!writer.try_drain()?);
        pending(waiting.as_mut())?;
        take(outgoing, 1).await?;
        waiting.await?;
    }
    check!(writer.try_drain()?);
    // At the low mark there is room up to the high one again.
    writer.write([0; 700])?;
    check!(writer.try_drain()?);
    take(outgoing, 1000).await
}

async fn change(writer: &Writer, outgoing: &mut ByteReader) -> Result {
    // Lower marks make the next drain wait.
    writer.write([0; 1000])?;
    check!(writer.try_drain()?);
    writer.set_write_buffer_limits(Some(999), Some(500))?;
    check!(!writer.try_drain()?);
    let mut waiting = pin!(writer.drain());
    pending(waiting.as_mut())?;
    // Higher marks do not release a pending drain.
    writer.set_write_buffer_limits(Some(5000), Some(100))?;
    pending(waiting.as_mut())?;
    take(outgoing, 899).await?;
    pending(waiting.as_mut())?;
    take(outgoing, 1).await?;
    waiting.await?;
    take(outgoing, 100).await
}

/// With the high mark at 0 every drain waits for an empty queue.
async fn empty_queue(writer: &Writer, outgoing: &mut ByteReader) -> Result {
    writer.set_write_buffer_limits(Some(0), None)?;
    raw_writer(writer).drain().await?;
    writer.write("abc")?;
    let mut waiting = pin!(writer.drain());
    pending(waiting.as_mut())?;
    take(outgoing, 2).await?;
    pending(waiting.as_mut())?;
    take(outgoing, 1).await?;
    waiting.await?;
    same!(writer.write_buffer_size(), 0);
    Ok(())
}

/// Takes exactly `n` queued bytes.
async fn take(outgoing: &mut ByteReader, n: usize) -> Result {
    let mut left = n;
    while left > 0 {
        let (_, bytes) = outgoing.read(Vec::with_capacity(left)).await;
        left -= bytes.len();
        check!(
            !bytes.is_empty(),
            "the stream has ended, {left} bytes were to come"
        );
    }
    Ok(())
}
