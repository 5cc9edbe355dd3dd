//! `write-eof` ends one direction, after the queued bytes; the other continues. Either side may be first.

use asyncio_streams::Error;
use asyncio_streams_test_programs::{
    Pair, Result, check, follow, matching, memory, pattern, same, tcp,
};

asyncio_streams::run!(main);

const MUCH: usize = 2 << 20;

async fn main() -> Result {
    for pair in [tcp().await?, memory().await?] {
        half_close(&pair).await?;
    }
    for pair in [tcp().await?, memory().await?] {
        let Pair { left, right } = pair;
        half_close(&Pair {
            left: right,
            right: left,
        })
        .await?;
    }
    Ok(())
}

async fn half_close(Pair { left, right }: &Pair) -> Result {
    check!(left.writer.can_write_eof() && right.writer.can_write_eof());
    left.writer.write(pattern(0, MUCH))?;
    left.writer.write_eof()?;
    left.writer.write_eof()?;
    let refused = |result| matches!(result, Err(Error::WriteAfterEof));
    check!(refused(left.writer.write("x")));
    check!(refused(left.writer.writelines(&["x"])));
    check!(refused(left.writer.send("x").await));
    check!(!left.writer.is_closing());

    // All bytes arrive before the end, also those that were still queued at the call.
    let bytes = right.reader.read_to_end().await?;
    same!(bytes.len(), MUCH);
    follow(0, &bytes)?;
    check!(right.reader.at_eof());

    // The other direction is not affected.
    check!(!right.writer.is_closing());
    for turn in 0..3 {
        right.writer.send(format!("answer {turn}\n")).await?;
        same!(
            left.reader.readline().await?,
            format!("answer {turn}\n").into_bytes()
        );
    }
    left.writer.drain().await?;
    left.writer.flush().await?;
    right.writer.write(pattern(0, MUCH))?;
    right.writer.write_eof()?;
    follow(0, &left.reader.read_to_end().await?)?;
    check!(left.reader.at_eof());

    // Both directions have ended, but neither side has closed yet.
    check!(!left.writer.is_closing() && !right.writer.is_closing());
    matching!(left.writer.write("x"), Err(Error::WriteAfterEof));
    left.writer.close();
    left.writer.write_eof()?;
    left.writer.wait_closed().await?;
    left.writer.write_eof()?;
    matching!(left.writer.write("x"), Err(Error::Closed));
    right.writer.close();
    right.writer.wait_closed().await?;
    Ok(())
}
