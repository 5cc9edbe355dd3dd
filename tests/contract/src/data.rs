//! Data: every byte arrives once and in order, for every way to write and read.

use futures::join;

use crate::{
    Fault, Kind, Pair, Reads as _, Result, Side, Wanted, Writes as _, check, follow, pattern, same,
};

pub(crate) async fn all<K: Kind>(kind: &K) -> Result {
    each_read(kind).await?;
    much_both_ways(kind).await
}

/// Every read, on both ends in turn.
async fn each_read<K: Kind>(kind: &K) -> Result {
    let Pair { left, right } = kind.pair().await?;
    for (from, to) in [(&left, &right), (&right, &left)] {
        from.writer
            .writelines(&[b"line one\nline ", b"", b"two\r\nhead\r\n\r\n"])
            .await?;
        from.writer.send(b"exactly;four\nfive\nsix").await?;
        let reader = &to.reader;
        same!(reader.read(0).await?, b"");
        same!(reader.readline().await?, b"line one\n");
        same!(reader.readline().await?, b"line two\r\n");
        same!(reader.readuntil(&[b"\r\n\r\n"]).await?, b"head\r\n\r\n");
        same!(reader.readexactly(0).await?, b"");
        same!(reader.readexactly(7).await?, b"exactly");
        same!(reader.readuntil(&[b"\n", b";"]).await?, b";");
        reader.wait(Wanted::Exactly(13)).await?;
        same!(reader.buffered().await, 13);
        same!(reader.peek(100).await, b"four\nfive\nsix");
        same!(reader.readlines(100).await?, b"four\nfive\n");
        same!(reader.discard(1).await?, 1);
        same!(reader.read(100).await?, b"ix");
        same!(
            (
                reader.buffered().await,
                reader.peek(1).await,
                reader.discard(1).await?
            ),
            (0, Vec::new(), 0)
        );
        for separators in [&[][..], &[&b"\n"[..], b""]] {
            same!(
                reader.readuntil(separators).await,
                Err(Fault::InvalidArgument)
            );
            let wanted = Wanted::Until(
                separators
                    .iter()
                    .map(|separator| separator.to_vec())
                    .collect(),
            );
            same!(reader.wait(wanted).await, Err(Fault::InvalidArgument));
        }
    }
    Ok(())
}

/// More data than all buffers hold, in both directions at once.
async fn much_both_ways<K: Kind>(kind: &K) -> Result {
    const TOTAL: usize = 4 << 20;
    let Pair { left, right } = kind.pair().await?;
    let send = async |side: &Side<K::Reader, K::Writer>| -> Result {
        let (mut sent, mut size) = (0, 1);
        while sent < TOTAL {
            let n = size.min(TOTAL - sent);
            side.writer.send(&pattern(sent, n)).await?;
            (sent, size) = (sent + n, size * 5 % 100_003);
        }
        Ok(side.writer.flush().await?)
    };
    let receive = async |side: &Side<K::Reader, K::Writer>| -> Result {
        let (mut read, mut size) = (0, 3);
        while read < TOTAL {
            let bytes = side.reader.read(size).await?;
            check!(
                !bytes.is_empty() && bytes.len() <= size as usize,
                "{} of {size} bytes",
                bytes.len()
            );
            read = follow(read, &bytes)?;
            size = size * 7 % 65_537;
        }
        Ok(())
    };
    let (a, b, c, d) = join!(send(&left), send(&right), receive(&left), receive(&right));
    a.and(b).and(c).and(d)
}
