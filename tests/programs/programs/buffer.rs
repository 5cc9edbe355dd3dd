//! `peek`, `buffered` and `discard` use the buffer; `at-eof`, `exception` and `limit` report the state.

use asyncio_streams::{ConnectOptions, Error, ServerOptions, Wanted};
use asyncio_streams_test_programs::{Result, check, same, tcp, tcp_with};

asyncio_streams::run!(main);

async fn main() -> Result {
    let pair = tcp().await?;
    let (writer, reader) = (&pair.left.writer, &pair.right.reader);
    same!(reader.limit(), 65_536);
    same!(
        (reader.buffered(), reader.peek(10), reader.discard(10)?),
        (0, Vec::new(), 0)
    );
    check!(!reader.at_eof());
    same!(reader.exception(), None);

    writer.write("abcdefgh")?;
    reader.wait(Wanted::Exactly(8)).await?;
    same!(reader.buffered(), 8);
    same!(reader.peek(3), b"abc");
    same!(reader.peek(0), b"");
    same!(reader.peek(usize::MAX), b"abcdefgh");
    same!(reader.buffered(), 8);
    same!(reader.discard(0)?, 0);
    same!(reader.discard(2)?, 2);
    same!(reader.read(1).await?, b"c");
    same!(reader.discard(usize::MAX)?, 5);
    same!((reader.buffered(), reader.peek(1)), (0, Vec::new()));

    writer.write("xy")?;
    writer.write_eof()?;
    reader.wait(Wanted::End).await?;
    check!(!reader.at_eof(), "two bytes are buffered");
    same!(reader.discard(1)?, 1);
    check!(!reader.at_eof());
    same!(reader.read(1).await?, b"y");
    check!(reader.at_eof());
    same!(reader.exception(), None);
    same!(reader.discard(1)?, 0);

    // Only a read notices the end. It is the peer's end; closing here is different.
    check!(!pair.left.reader.at_eof());
    pair.left.writer.close();
    check!(!pair.left.reader.at_eof());
    same!(pair.left.reader.exception(), Some(Error::Closed));

    let pair = tcp_with(
        &ConnectOptions::new().limit(7),
        &ServerOptions::new().limit(9),
    )
    .await?;
    same!(
        (pair.left.reader.limit(), pair.right.reader.limit()),
        (7, 9)
    );
    Ok(())
}
