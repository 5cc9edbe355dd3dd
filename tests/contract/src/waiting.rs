//! Waiting: calls that exclude each other fail with `busy`, and a wait can be cancelled at any time.

use std::pin::pin;

use futures::join;

use crate::{Fault, Kind, Pair, Reads, Result, Wanted, Writes as _, check, pending, same};

pub(crate) async fn all<K: Kind>(kind: &K) -> Result {
    if kind.overlaps() {
        busy(kind).await?;
    }
    given_up(kind).await?;
    back_pressure(kind).await
}

/// One read at a time, whatever is buffered; calls that never wait still work.
async fn busy<K: Kind>(kind: &K) -> Result {
    let Pair { left, right } = kind.pair().await?;
    let reader = &right.reader;
    left.writer.write(b"par").await?;
    reader.wait(Wanted::Exactly(3)).await?;
    {
        let mut line = pin!(reader.readline());
        pending(line.as_mut())?;
        kind.settle().await;
        pending(line.as_mut())?;
        all_busy(reader).await?;
        same!(
            (reader.buffered().await, reader.peek(9).await),
            (3, b"par".to_vec())
        );
        check!(!reader.at_eof().await);
        same!(reader.exception().await, None);
        left.writer.write(b"t\n").await?;
        same!(line.await?, b"part\n");
    }
    left.writer.write(b"more").await?;
    same!(reader.readexactly(4).await?, b"more");
    Ok(())
}

async fn all_busy(reader: &impl Reads) -> Result {
    same!(reader.read(1).await, Err(Fault::Busy));
    same!(reader.read_to_end().await, Err(Fault::Busy));
    same!(reader.readline().await, Err(Fault::Busy));
    same!(reader.readexactly(1).await, Err(Fault::Busy));
    same!(reader.readuntil(&[b"a"]).await, Err(Fault::Busy));
    same!(reader.readlines(9).await, Err(Fault::Busy));
    same!(reader.wait(Wanted::Any).await, Err(Fault::Busy));
    same!(reader.discard(1).await, Err(Fault::Busy));
    Ok(())
}

/// A dropped read has consumed nothing, and the next one continues.
async fn given_up<K: Kind>(kind: &K) -> Result {
    let Pair { left, right } = kind.pair().await?;
    let reader = &right.reader;
    for piece in ["o", "ne", " and ", "two\n"] {
        {
            let mut line = pin!(reader.readline());
            pending(line.as_mut())?;
            kind.settle().await;
            pending(line.as_mut())?;
        }
        {
            let mut exactly = pin!(reader.readexactly(100));
            pending(exactly.as_mut())?;
        }
        {
            let mut end = pin!(reader.wait(Wanted::End));
            pending(end.as_mut())?;
            left.writer.send(piece.as_bytes()).await?;
            kind.settle().await;
            pending(end.as_mut())?;
        }
    }
    same!(reader.readline().await?, b"one and two\n");
    Ok(())
}

/// A writer that is faster than its peer waits; all pending calls continue when the peer reads.
async fn back_pressure<K: Kind>(kind: &K) -> Result {
    let Pair { left, right } = kind.clogged().await?;
    let writer = &left.writer;
    check!(!writer.try_drain().await?);
    check!(writer.write_buffer_size().await > 65_536);
    let (mut first, mut second) = (pin!(writer.drain()), pin!(writer.drain()));
    let (mut flush, mut closed) = (pin!(writer.flush()), pin!(writer.wait_closed()));
    pending(first.as_mut())?;
    pending(second.as_mut())?;
    pending(flush.as_mut())?;
    pending(closed.as_mut())?;
    kind.settle().await;
    pending(first.as_mut())?;
    pending(second.as_mut())?;
    pending(flush.as_mut())?;
    pending(closed.as_mut())?;
    {
        let mut given_up = pin!(writer.drain());
        pending(given_up.as_mut())?;
        let mut given_up = pin!(writer.flush());
        pending(given_up.as_mut())?;
    }
    let reading = async {
        let mut read = 0;
        while read < kind.clog() {
            let bytes = right.reader.read(1 << 20).await?;
            check!(bytes.iter().all(|byte| *byte == 0));
            read += bytes.len();
        }
        Result::Ok(read)
    };
    let (first, second, flush, read) = join!(first, second, flush, reading);
    first?;
    second?;
    flush?;
    same!(read?, kind.clog());
    same!(writer.write_buffer_size().await, 0);
    check!(writer.try_drain().await?);
    pending(closed.as_mut())
}
