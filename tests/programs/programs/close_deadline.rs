//! A close beyond its deadline is cut short, and every pending call reports it.

use std::pin::pin;
use std::time::Duration;

use asyncio_streams::{ConnectOptions, Error, ServerOptions, now};
use asyncio_streams_test_programs::{
    Pair, Result, check, clog, crate_error, matching, memory_with, pending, raw_writer, same,
    tcp_with,
};

asyncio_streams::run!(main);

const SHORT: Duration = Duration::from_millis(300);

async fn main() -> Result {
    let short = ConnectOptions::new().close_deadline(SHORT);
    overdue(tcp_with(&short, &ServerOptions::new()).await?).await?;
    overdue(memory_with(&short, &ConnectOptions::new()).await?).await?;
    in_time(tcp_with(&short, &ServerOptions::new()).await?).await?;

    // A server's options apply to its clients.
    let pair = tcp_with(
        &ConnectOptions::new(),
        &ServerOptions::new().close_deadline(SHORT),
    )
    .await?;
    overdue(Pair {
        left: pair.right,
        right: pair.left,
    })
    .await?;

    // Without a deadline the close continues; the deadline of another connection has no effect on it.
    let unbounded = ConnectOptions::new().close_deadline(None);
    let patient = tcp_with(&unbounded, &ServerOptions::new()).await?;
    clog(&patient.left.writer)?;
    patient.left.writer.close();
    let mut waiting = pin!(patient.left.writer.wait_closed());
    pending(waiting.as_mut())?;
    overdue(tcp_with(&short, &ServerOptions::new()).await?).await?;
    pending(waiting.as_mut())
}

async fn overdue(pair: Pair) -> Result {
    let writer = &pair.left.writer;
    clog(writer)?;
    let mut flushing = pin!(writer.flush());
    pending(flushing.as_mut())?;
    let start = now();
    writer.close();
    let (closed, again, drained, flushed) = futures::join!(
        writer.wait_closed(),
        writer.wait_closed(),
        raw_writer(writer).drain(),
        flushing
    );
    let took = now() - start;
    check!(took >= SHORT, "it took {took:?}");
    matching!(closed, Err(Error::DeadlineExceeded));
    matching!(again, Err(Error::DeadlineExceeded));
    matching!(drained.map_err(crate_error), Err(Error::DeadlineExceeded));
    matching!(flushed, Err(Error::DeadlineExceeded));
    // From now on every call reports it, except writes, for which the connection is closed.
    for _ in 0..2 {
        matching!(writer.wait_closed().await, Err(Error::DeadlineExceeded));
        matching!(writer.try_drain(), Err(Error::DeadlineExceeded));
        matching!(writer.flush().await, Err(Error::DeadlineExceeded));
        matching!(writer.write("x"), Err(Error::Closed));
        matching!(writer.write_eof(), Err(Error::Closed));
        matching!(pair.left.reader.read(1).await, Err(Error::Closed));
        writer.close();
        writer.abort();
    }
    same!(writer.write_buffer_size(), 0);
    Ok(())
}

/// The deadline has no effect if the peer reads.
async fn in_time(pair: Pair) -> Result {
    let writer = &pair.left.writer;
    writer.write(vec![0; 1 << 20])?;
    writer.close();
    let (closed, read) = futures::join!(writer.wait_closed(), pair.right.reader.read_to_end());
    closed?;
    same!(read?.len(), 1 << 20);
    asyncio_streams::sleep(SHORT * 2).await;
    writer.wait_closed().await?;
    Ok(())
}
