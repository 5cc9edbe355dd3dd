//! The end of the connection by closing, aborting or dropping, and its effect on all calls.

use std::pin::pin;

use futures::join;

use crate::{
    Fault, Kind, Pair, Reads, Result, Side, Wanted, Writes, check, follow, pattern, pending, same,
};

pub(crate) async fn all<K: Kind>(kind: &K) -> Result {
    close(kind).await?;
    abort(kind).await?;
    dropped(kind).await
}

const MUCH: usize = 3 << 20;

/// Queued bytes are sent, then the end.
async fn close<K: Kind>(kind: &K) -> Result {
    let Pair { left, right } = kind.pair().await?;
    right.writer.write(b"line\nrest").await?;
    left.reader.wait(Wanted::Exactly(9)).await?;
    let mut before = pin!(left.writer.wait_closed());
    pending(before.as_mut())?;
    left.writer.write(&pattern(0, MUCH)).await?;
    left.writer.close().await;
    left.writer.close().await;
    check!(left.writer.is_closing().await);
    same!(left.writer.write(b"x").await, Err(Fault::Closed));
    same!(left.writer.writelines(&[b"x"]).await, Err(Fault::Closed));
    same!(left.writer.send(b"x").await, Err(Fault::Closed));
    left.writer.write_eof().await?;
    let (closed, before, bytes) = join!(
        left.writer.wait_closed(),
        before,
        right.reader.read_to_end()
    );
    closed?;
    before?;
    let bytes = bytes?;
    same!(bytes.len(), MUCH);
    follow(0, &bytes)?;
    for _ in 0..2 {
        left.writer.wait_closed().await?;
        left.writer.drain().await?;
        left.writer.flush().await?;
        left.writer.abort().await;
        left.writer.write_eof().await?;
        same!(left.writer.write(b"x").await, Err(Fault::Closed));
    }
    // Its own reader returns buffered bytes, then `closed`, and never the end.
    same!(left.reader.exception().await, Some(Fault::Closed));
    same!(left.reader.readline().await?, b"line\n");
    same!(left.reader.readline().await, Err(Fault::Closed));
    same!(left.reader.read(9).await?, b"rest");
    same!(left.reader.read(9).await, Err(Fault::Closed));
    check!(!left.reader.at_eof().await);
    Ok(())
}

/// Pending calls end with `closed`, and queued bytes are lost.
async fn abort<K: Kind>(kind: &K) -> Result {
    let Pair {
        left: Side { reader, writer },
        right,
    } = kind.clogged().await?;
    {
        let (mut drain, mut flush) = (pin!(writer.drain()), pin!(writer.flush()));
        let (mut closed, mut read) = (pin!(writer.wait_closed()), pin!(reader.read(1)));
        pending(drain.as_mut())?;
        pending(flush.as_mut())?;
        pending(closed.as_mut())?;
        pending(read.as_mut())?;
        kind.settle().await;
        writer.abort().await;
        let (drain, flush, closed, read) = join!(drain, flush, closed, read);
        same!(
            (drain, flush, closed),
            (Err(Fault::Closed), Err(Fault::Closed), Err(Fault::Closed))
        );
        same!(read, Err(Fault::Closed));
    }
    for _ in 0..2 {
        check!(writer.is_closing().await);
        same!(writer.write_buffer_size().await, 0);
        same!(writer.write(b"x").await, Err(Fault::Closed));
        same!(writer.write_eof().await, Err(Fault::Closed));
        same!(writer.drain().await, Err(Fault::Closed));
        same!(writer.try_drain().await, Err(Fault::Closed));
        same!(writer.flush().await, Err(Fault::Closed));
        same!(writer.wait_closed().await, Err(Fault::Closed));
        same!(reader.read(1).await, Err(Fault::Closed));
        writer.close().await;
    }
    // The peer sees an end or a loss before it has all bytes.
    let mut read = 0;
    loop {
        match right.reader.read(1 << 20).await {
            Ok(bytes) if bytes.is_empty() => break,
            Ok(bytes) => read += bytes.len(),
            Err(fault) => {
                same!(fault, Fault::Lost);
                break;
            }
        }
    }
    check!(read < kind.clog());
    Ok(())
}

/// Dropping a writer closes. Dropping a reader discards input, and the writer continues.
async fn dropped<K: Kind>(kind: &K) -> Result {
    let Pair {
        left: Side { reader, writer },
        right,
    } = kind.pair().await?;
    drop(reader);
    for start in (0..8 * MUCH).step_by(MUCH) {
        right.writer.send(&pattern(start, MUCH)).await?;
    }
    right.writer.flush().await?;
    writer.write(&pattern(0, MUCH)).await?;
    drop(writer);
    follow(0, &right.reader.read_to_end().await?)?;

    let Pair {
        left: Side { reader, writer },
        right,
    } = kind.pair().await?;
    {
        let mut line = pin!(reader.readline());
        pending(line.as_mut())?;
        kind.settle().await;
        writer.write(&pattern(0, MUCH)).await?;
        drop(writer);
        same!(line.await, Err(Fault::Closed));
    }
    drop(reader);
    let bytes = right.reader.read_to_end().await?;
    same!(bytes.len(), MUCH);
    follow(0, &bytes)?;
    Ok(())
}
