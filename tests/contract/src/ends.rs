//! The end of the stream: reported for the peer's end, and never for a loss of the connection.

use crate::{Fault, Kind, Pair, Reads, Result, Wanted, Writes as _, check, same};

pub(crate) async fn all<K: Kind>(kind: &K) -> Result {
    half_close(kind).await?;
    incomplete(kind).await
}

/// One direction ends, after the queued bytes; the other continues.
async fn half_close<K: Kind>(kind: &K) -> Result {
    let Pair { left, right } = kind.pair().await?;
    left.writer.write(b"last\nrest").await?;
    left.writer.write_eof().await?;
    left.writer.write_eof().await?;
    same!(left.writer.write(b"x").await, Err(Fault::WriteAfterEof));
    same!(
        left.writer.writelines(&[b"x"]).await,
        Err(Fault::WriteAfterEof)
    );
    same!(left.writer.send(b"x").await, Err(Fault::WriteAfterEof));
    check!(!left.writer.is_closing().await);

    right.reader.wait(Wanted::End).await?;
    check!(!right.reader.at_eof().await, "something is buffered");
    same!(right.reader.readline().await?, b"last\n");
    same!(right.reader.readline().await?, b"rest");
    for _ in 0..2 {
        at_the_end(&right.reader).await?;
    }
    check!(!right.writer.is_closing().await);

    right.writer.send(b"answer").await?;
    right.writer.write_eof().await?;
    same!(left.reader.read_to_end().await?, b"answer");
    at_the_end(&left.reader).await?;
    for side in [&left, &right] {
        side.writer.close().await;
        side.writer.wait_closed().await?;
        // A clean end stays clean, whatever this side does later.
        at_the_end(&side.reader).await?;
    }
    Ok(())
}

async fn at_the_end(reader: &impl Reads) -> Result {
    check!(reader.at_eof().await);
    same!(reader.exception().await, None);
    same!(reader.read(9).await?, b"");
    same!(reader.read_to_end().await?, b"");
    same!(reader.readline().await?, b"");
    same!(reader.readlines(9).await?, b"");
    same!(reader.readexactly(0).await?, b"");
    same!(
        reader.readexactly(2).await,
        Err(Fault::Incomplete {
            partial: Vec::new(),
            expected: Some(2)
        })
    );
    same!(
        reader.readuntil(&[b"\n"]).await,
        Err(Fault::Incomplete {
            partial: Vec::new(),
            expected: None
        })
    );
    for wanted in [
        Wanted::Any,
        Wanted::Line,
        Wanted::Exactly(9),
        Wanted::Until(vec![b"x".to_vec()]),
        Wanted::End,
    ] {
        reader.wait(wanted).await?;
    }
    Ok(())
}

/// The error contains the remaining bytes, which are consumed.
async fn incomplete<K: Kind>(kind: &K) -> Result {
    for until in [false, true] {
        let Pair { left, right } = kind.pair().await?;
        left.writer.write(b"part").await?;
        left.writer.close().await;
        let (read, expected) = if until {
            (right.reader.readuntil(&[b"\n"]).await, None)
        } else {
            (right.reader.readexactly(5).await, Some(5))
        };
        same!(
            read,
            Err(Fault::Incomplete {
                partial: b"part".to_vec(),
                expected
            })
        );
        at_the_end(&right.reader).await?;
    }
    Ok(())
}
