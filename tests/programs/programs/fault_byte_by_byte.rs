//! A peer that sends one byte at a time: every read returns the same as for a single piece.

use asyncio_streams::{Error, Incomplete, Wanted};
use asyncio_streams_test_programs::{Result, check, peer, same};

asyncio_streams::run!(main);

async fn main() -> Result {
    let side = peer().await?;
    let reader = &side.reader;
    same!(reader.readline().await?, b"one line\n");
    same!(reader.readexactly(10).await?, b"ten bytes.");
    same!(reader.readuntil("\r\n").await?, b"with \r and \n in it\r\n");
    same!(reader.readuntil_any(&[b"--", b"=="]).await?, b"a-b=c==");
    // However many lines are buffered, they arrive whole and in order.
    let mut lines = Vec::new();
    while lines.len() < 6 {
        let block = reader.readlines(100).await?;
        check!(block.ends_with(b"\n"));
        lines.extend(block);
    }
    same!(lines, b"a\nb\nc\n");
    reader.wait(Wanted::Exactly(5)).await?;
    same!(reader.try_readexactly(5)?, Some(b"after".to_vec()));
    let mut some = Vec::new();
    while some.len() < 4 {
        let bytes = reader.read(4 - some.len()).await?;
        check!(!bytes.is_empty());
        some.extend(bytes);
    }
    same!(some, b"wait");
    let end = reader.readexactly(100).await;
    same!(
        end,
        Err(Error::IncompleteRead(Incomplete {
            partial: b"the end".to_vec(),
            expected: Some(100)
        }))
    );
    check!(reader.at_eof());
    same!(reader.read_to_end().await?, b"");
    Ok(())
}
