//! `read` to the end returns everything at once, of any size, and an empty list from then on.

use std::pin::pin;

use asyncio_streams_test_programs::{Result, follow, pattern, pending, raw_reader, same, tcp};

asyncio_streams::run!(main);

const TOTAL: usize = 3 << 20;

async fn main() -> Result {
    let pair = tcp().await?;
    let (writer, reader) = (&pair.left.writer, &pair.right.reader);
    writer.write("first\n")?;
    same!(reader.readline().await?, b"first\n");

    // Bytes that were buffered before are included, and nothing is returned before the end.
    writer.write(pattern(0, 10))?;
    reader.wait(asyncio_streams::Wanted::Exactly(10)).await?;
    {
        let mut reading = pin!(reader.read_to_end());
        pending(reading.as_mut())?;
        writer.write(pattern(10, TOTAL - 10))?;
        pending(reading.as_mut())?;
        writer.write_eof()?;
        let all = reading.await?;
        same!(all.len(), TOTAL);
        follow(0, &all)?;
    }
    same!(reader.read_to_end().await?, b"");
    same!(raw_reader(reader).read(None).await?, b"");
    same!(reader.read(1).await?, b"");
    Ok(())
}
