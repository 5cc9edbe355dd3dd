//! A line beyond the limit is an error that drops nothing; `discard` skips it, `readexactly` reads it.

use asyncio_streams::{ConnectOptions, Error, Overrun, Reader, ServerOptions, Wanted, Writer};
use asyncio_streams_test_programs::{Result, check, matching, same, tcp_with};

asyncio_streams::run!(main);

const LIMIT: usize = 1000;

async fn main() -> Result {
    let pair = tcp_with(&ConnectOptions::new(), &ServerOptions::new().limit(LIMIT)).await?;
    let (writer, reader) = (&pair.left.writer, &pair.right.reader);

    // A line may be as long as the limit, not counting its end.
    let longest = [&vec![b'a'; LIMIT][..], b"\n"].concat();
    writer.write(&longest)?;
    same!(reader.readline().await?, longest);

    found(writer, reader).await?;
    not_found(writer, reader).await?;
    long_separator(writer, reader).await?;

    // At the end of the stream, a rest longer than the limit is an overrun too.
    writer.write(vec![b'z'; LIMIT + 1])?;
    writer.write_eof()?;
    for _ in 0..2 {
        same!(overrun(reader.readline().await)?, (false, LIMIT + 1));
        same!(overrun(reader.readuntil("x").await)?, (false, LIMIT + 1));
    }
    same!(reader.discard(2)?, 2);
    same!(reader.readline().await?.len(), LIMIT - 1);
    same!(reader.readline().await?, b"");
    Ok(())
}

async fn found(writer: &Writer, reader: &Reader) -> Result {
    let line = [&vec![b'b'; LIMIT + 1][..], b"\nnext\n"].concat();
    writer.write(&line)?;
    reader.wait(Wanted::Exactly(line.len() as u32)).await?;
    // The same call fails again in the same way, and so do similar ones.
    for _ in 0..2 {
        same!(overrun(reader.readline().await)?, (true, LIMIT + 1));
        same!(overrun(reader.try_readline())?, (true, LIMIT + 1));
        same!(overrun(reader.readlines(1 << 20).await)?, (true, LIMIT + 1));
        same!(overrun(reader.readuntil("\n").await)?, (true, LIMIT + 1));
        reader.wait(Wanted::Line).await?;
        same!(reader.peek(usize::MAX), line);
    }
    same!(reader.readexactly(LIMIT + 1).await?, line[..=LIMIT]);
    same!(reader.readline().await?, b"\n");
    same!(reader.readline().await?, b"next\n");
    Ok(())
}

async fn not_found(writer: &Writer, reader: &Reader) -> Result {
    let mut skipped = 0;
    let length = 10 * LIMIT;
    writer.write(vec![b'c'; length])?;
    writer.write("\nnext\n")?;
    // Skips the line, as a program would.
    loop {
        match reader.readline().await {
            Err(Error::LimitOverrun(Overrun { found, consumed })) => {
                skipped += reader.discard(consumed as usize)?;
                if found {
                    same!(reader.readexactly(1).await?, b"\n");
                    break;
                }
            }
            line => {
                skipped += matching!(line, Ok(line) => line.len() - 1);
                break;
            }
        }
    }
    same!(skipped, length);
    same!(reader.readline().await?, b"next\n");
    Ok(())
}

/// Bytes that may begin a separator are not among those that can be skipped.
async fn long_separator(writer: &Writer, reader: &Reader) -> Result {
    let length = LIMIT + 10;
    writer.write([&vec![b'd'; length][..], b"\r\n"].concat())?;
    reader.wait(Wanted::Exactly(length as u32 + 2)).await?;
    let (found, consumed) = overrun(reader.readuntil("\r\n.\r\n").await)?;
    check!(
        !found && consumed > LIMIT && consumed <= length,
        "{found} {consumed}"
    );
    same!(reader.discard(consumed)?, consumed);
    writer.write(".\r\n")?;
    same!(
        reader.readuntil("\r\n.\r\n").await?,
        [&b"d".repeat(length - consumed)[..], b"\r\n.\r\n"].concat()
    );
    Ok(())
}

fn overrun<T: std::fmt::Debug>(result: std::result::Result<T, Error>) -> Result<(bool, usize)> {
    Ok(matching!(result, Err(Error::LimitOverrun(it)) => (it.found, it.consumed as usize)))
}
