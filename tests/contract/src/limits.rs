//! Limits: a call beyond one is an error, and nothing is dropped.

use crate::{Fault, Kind, Pair, Reads as _, Result, Wanted, Writes as _, same};

/// The default limit of a line.
const LIMIT: usize = 65_536;

pub(crate) async fn all<K: Kind>(kind: &K) -> Result {
    let Pair { left, right } = kind.pair().await?;
    let (writer, reader) = (&left.writer, &right.reader);
    let longest = [&vec![b'x'; LIMIT][..], b"\n"].concat();
    writer.write(&longest).await?;
    same!(reader.readline().await?, longest);

    let too_long = [&vec![b'y'; LIMIT + 1][..], b"\n"].concat();
    writer.write(&too_long).await?;
    writer.write(b"next\n").await?;
    reader.wait(Wanted::Exactly(too_long.len() as u32)).await?;
    for _ in 0..2 {
        let overrun = Fault::Overrun {
            found: true,
            consumed: LIMIT as u32 + 1,
        };
        same!(reader.readline().await, Err(overrun.clone()));
        same!(reader.readlines(9).await, Err(overrun.clone()));
        same!(reader.readuntil(&[b"\n"]).await, Err(overrun));
        reader.wait(Wanted::Line).await?;
        same!(reader.peek(2).await, b"yy");
    }
    same!(reader.discard(LIMIT as u32 + 1).await?, LIMIT as u32 + 1);
    same!(reader.readline().await?, b"\n");
    same!(reader.readline().await?, b"next\n");

    // At the end of the stream, a rest longer than the limit is an overrun too.
    writer.write(&vec![b'z'; LIMIT + 5]).await?;
    writer.write_eof().await?;
    reader.wait(Wanted::End).await?;
    let overrun = Fault::Overrun {
        found: false,
        consumed: LIMIT as u32 + 5,
    };
    same!(reader.readline().await, Err(overrun.clone()));
    same!(reader.readuntil(&[b"\n"]).await, Err(overrun));
    same!(reader.readexactly(LIMIT as u32 + 5).await?.len(), LIMIT + 5);

    // More than the largest result.
    same!(
        reader.readexactly(u32::MAX).await,
        Err(Fault::TooLarge(u32::MAX.into()))
    );
    let too_much = vec![0; (64 << 20) + 1];
    left.writer.close().await;
    right.writer.write(b"x").await?;
    same!(right.writer.write(&too_much).await, Err(Fault::BufferFull));
    Ok(())
}
