//! A peer that never reads: the queue is bounded, drain waits, close ends at its deadline, and other connections
//! continue.

use std::pin::pin;
use std::time::Duration;

use asyncio_streams::{ConnectOptions, Error, timeout};
use asyncio_streams_test_programs::{
    Result, Side, check, clog, matching, peer, peer_with, pending, same,
};

asyncio_streams::run!(main);

/// More than the system buffers.
const MAX_QUEUED: usize = 32 << 20;

async fn main() -> Result {
    closing_has_a_deadline().await?;
    the_queue_has_a_bound().await
}

async fn closing_has_a_deadline() -> Result {
    let options = ConnectOptions::new().close_deadline(Duration::from_millis(200));
    let Side { reader, writer } = peer_with(&options).await?;
    clog(&writer)?;
    let mut drain = pin!(writer.drain());
    let mut flush = pin!(writer.flush());
    pending(drain.as_mut())?;
    pending(flush.as_mut())?;
    others_go_on().await?;
    pending(drain.as_mut())?;
    pending(flush.as_mut())?;
    check!(writer.write_buffer_size() > 0);

    writer.close();
    check!(writer.is_closing());
    same!(writer.write("x"), Err(Error::Closed));
    let (first, drain, flush, second) =
        futures::join!(writer.wait_closed(), drain, flush, writer.wait_closed());
    for result in [
        first,
        drain,
        flush,
        second,
        writer.wait_closed().await,
        writer.drain().await,
    ] {
        same!(result, Err(Error::DeadlineExceeded));
    }
    same!(writer.write("x"), Err(Error::Closed));
    same!(reader.read(1).await, Err(Error::Closed));
    others_go_on().await
}

async fn the_queue_has_a_bound() -> Result {
    let Side { writer, .. } = peer_with(&ConnectOptions::new().max_queued(MAX_QUEUED)).await?;
    let piece = vec![b'x'; 100_000];
    let mut written = 0_usize;
    let full = loop {
        if let Err(error) = writer.write(&piece) {
            break error;
        }
        written += piece.len();
    };
    same!(full, Error::BufferFull);
    check!(written <= MAX_QUEUED);
    same!(writer.write_buffer_size(), written);

    // Nothing of the last piece was queued, and a smaller one still fits.
    writer.write(&piece[..MAX_QUEUED - written])?;
    same!(writer.write("x"), Err(Error::BufferFull));
    same!(writer.writelines(&["x", "y"]), Err(Error::BufferFull));
    same!(writer.write(""), Ok(()));
    others_go_on().await?;

    // Bytes that the system took made room; the rest stays queued.
    matching!(
        timeout(Duration::from_millis(100), writer.flush()).await,
        Err(_)
    );
    check!(writer.write_buffer_size() <= MAX_QUEUED);
    writer.abort();
    same!(writer.wait_closed().await, Err(Error::Closed));
    Ok(())
}

/// Another connection, to a peer that echoes.
async fn others_go_on() -> Result {
    let side = peer().await?;
    for round in 0..100 {
        let line = format!("line {round}\n");
        side.writer.send(&line).await?;
        same!(side.reader.readline().await?, line.as_bytes());
    }
    side.writer.close();
    side.writer.wait_closed().await?;
    Ok(())
}
