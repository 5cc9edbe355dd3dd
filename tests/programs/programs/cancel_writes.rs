//! `cancel` of its kind, or dropping, ends every pending wait of a writer; queued bytes are still sent.

use std::pin::pin;

use asyncio_streams::{Waits, byte_stream};
use asyncio_streams_test_programs::{
    Pair, RawError, Result, clog, matching, memory, pending, raw_writer, same, tcp,
};

asyncio_streams::run!(main);

async fn main() -> Result {
    for pair in [tcp().await?, memory().await?] {
        let written = clog(&pair.left.writer)?;
        only_the_kinds_named(&pair).await?;
        dropped(&pair).await?;
        everything_arrives(&pair, written + 3).await?;
    }
    Ok(())
}

async fn only_the_kinds_named(pair: &Pair) -> Result {
    let writer = raw_writer(&pair.left.writer);
    // Without a pending call it does nothing, and is not remembered.
    writer.cancel(Waits::all());
    for cancelled in [
        Waits::DRAIN,
        Waits::FLUSH,
        Waits::WAIT_CLOSED,
        Waits::DRAIN | Waits::WAIT_CLOSED,
        Waits::all(),
        Waits::empty(),
    ] {
        let mut drains = [Box::pin(writer.drain()), Box::pin(writer.drain())];
        let mut send = pin!(writer.send(Vec::new()));
        let mut flush = pin!(writer.flush());
        let mut wait_closed = pin!(writer.wait_closed());
        pending(drains[0].as_mut())?;
        pending(drains[1].as_mut())?;
        pending(send.as_mut())?;
        pending(flush.as_mut())?;
        pending(wait_closed.as_mut())?;
        writer.cancel(cancelled);
        let [first, second] = drains;
        if cancelled.contains(Waits::DRAIN) {
            matching!(first.await, Err(RawError::Cancelled));
            matching!(second.await, Err(RawError::Cancelled));
            matching!(send.await, Err(RawError::Cancelled));
        } else {
            for mut drain in [first, second] {
                pending(drain.as_mut())?;
            }
            pending(send.as_mut())?;
        }
        if cancelled.contains(Waits::FLUSH) {
            matching!(flush.await, Err(RawError::Cancelled));
        } else {
            pending(flush.as_mut())?;
        }
        if cancelled.contains(Waits::WAIT_CLOSED) {
            matching!(wait_closed.await, Err(RawError::Cancelled));
        } else {
            pending(wait_closed.as_mut())?;
        }
    }
    // `send` queues its bytes before it waits, even if it is cancelled.
    let mut send = pin!(writer.send(b"a".to_vec()));
    pending(send.as_mut())?;
    writer.cancel(Waits::DRAIN);
    matching!(send.await, Err(RawError::Cancelled));
    Ok(())
}

async fn dropped(pair: &Pair) -> Result {
    let writer = raw_writer(&pair.left.writer);
    for _ in 0..3 {
        let mut drain = Box::pin(writer.drain());
        let mut other = Box::pin(writer.drain());
        let mut flush = Box::pin(writer.flush());
        let mut wait_closed = Box::pin(writer.wait_closed());
        pending(drain.as_mut())?;
        pending(other.as_mut())?;
        pending(flush.as_mut())?;
        pending(wait_closed.as_mut())?;
        drop(drain);
        pending(other.as_mut())?;
    }
    let mut send = Box::pin(writer.send(b"b".to_vec()));
    pending(send.as_mut())?;
    drop(send);

    // A `write-stream` that cannot queue anything takes nothing.
    let (mut to, data) = byte_stream();
    {
        let mut streaming = pin!(writer.write_stream(data));
        let mut feeding = pin!(to.write_all(b"x".to_vec()));
        pending(streaming.as_mut())?;
        pending(feeding.as_mut())?;
        writer.cancel(Waits::WRITE_STREAM);
        matching!(streaming.await, (0, Err(RawError::Cancelled)));
        same!(feeding.await, b"x");
    }
    let (mut to, data) = byte_stream();
    let mut streaming = Box::pin(writer.write_stream(data));
    pending(streaming.as_mut())?;
    drop(streaming);
    same!(to.write_all(b"x".to_vec()).await, b"x");
    Ok(())
}

/// All bytes and the end arrive: the next calls wait as usual.
async fn everything_arrives(pair: &Pair, expected: usize) -> Result {
    let writer = &pair.left.writer;
    writer.write("c")?;
    let mut drain = pin!(raw_writer(writer).drain());
    let mut flush = pin!(writer.flush());
    pending(drain.as_mut())?;
    pending(flush.as_mut())?;
    writer.close();
    let reading = async {
        let (mut read, mut last) = (0, Vec::new());
        loop {
            let bytes = pair.right.reader.read(1 << 20).await?;
            if bytes.is_empty() {
                return Result::Ok((read, last));
            }
            read += bytes.len();
            last.extend_from_slice(&bytes[bytes.len().saturating_sub(3)..]);
        }
    };
    let (read, drained, flushed, closed) =
        futures::join!(reading, drain, flush, writer.wait_closed());
    let (read, last) = read?;
    drained?;
    flushed?;
    closed?;
    same!(read, expected);
    same!(last[last.len() - 3..], b"abc"[..]);
    Ok(())
}
