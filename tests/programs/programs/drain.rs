//! `drain` holds back a program that writes faster than its peer reads; all pending calls are released together.

use std::pin::pin;

use asyncio_streams::spawn;
use asyncio_streams_test_programs::{
    Failure, Pair, Result, check, clog, memory, pending, raw_writer, same, tcp,
};

asyncio_streams::run!(main);

async fn main() -> Result {
    released_together(tcp().await?).await?;
    released_together(memory().await?).await?;
    after_close(tcp().await?).await?;
    after_close(memory().await?).await
}

async fn released_together(pair: Pair) -> Result {
    let (writer, reader) = (&pair.left.writer, pair.right.reader);
    writer.drain().await?;
    let written = clog(writer)?;
    check!(!writer.try_drain()?);
    // Plain calls of the interface, and the crate's own.
    let mut first = pin!(raw_writer(writer).drain());
    let mut second = pin!(raw_writer(writer).drain());
    let mut third = pin!(writer.drain());
    pending(first.as_mut())?;
    pending(second.as_mut())?;
    pending(third.as_mut())?;
    {
        let mut sending = pin!(writer.send("x"));
        pending(sending.as_mut())?;
        // Dropping a pending call takes no bytes back, and does not affect other calls.
    }
    let reading = spawn(async move {
        let mut read = 0;
        loop {
            let n = reader.read(1 << 20).await?.len();
            if n == 0 {
                return Result::Ok(read);
            }
            read += n;
        }
    });
    let (a, b, c) = futures::join!(first, second, third);
    a?;
    b?;
    c?;
    check!(
        writer.write_buffer_size() <= 16_384,
        "{} bytes are queued",
        writer.write_buffer_size()
    );
    check!(writer.try_drain()?);
    writer.write_eof()?;
    same!(
        reading
            .await
            .ok_or_else(|| Failure::new("the reading task has gone"))??,
        written + 1
    );
    Ok(())
}

/// After `close` it still waits according to the marks.
async fn after_close(pair: Pair) -> Result {
    let (writer, reader) = (&pair.left.writer, &pair.right.reader);
    let written = clog(writer)?;
    writer.close();
    check!(!writer.try_drain()?);
    let mut waiting = pin!(writer.drain());
    pending(waiting.as_mut())?;
    let reading = async {
        let mut read = 0;
        while read < written {
            read += reader.read(1 << 20).await?.len();
        }
        Result::Ok(read)
    };
    let (drained, read) = futures::join!(waiting, reading);
    drained?;
    same!(read?, written);
    same!(reader.read(1).await?, b"");
    writer.wait_closed().await?;
    check!(writer.try_drain()?);
    raw_writer(writer).drain().await?;
    Ok(())
}
