//! `read(n)` returns 1 to n bytes, and an empty list at the end, every time.

use asyncio_streams_test_programs::{Result, same, tcp};

asyncio_streams::run!(main);

async fn main() -> Result {
    let pair = tcp().await?;
    pair.left.writer.write("abcdef")?;
    same!(pair.right.reader.read(0).await?, b"");
    same!(pair.right.reader.read(4).await?, b"abcd");
    same!(pair.right.reader.read(4).await?, b"ef");
    pair.left.writer.write("g")?;
    pair.left.writer.write_eof()?;
    same!(pair.right.reader.read(usize::MAX).await?, b"g");
    for n in [1, 1, 0, usize::MAX] {
        same!(pair.right.reader.read(n).await?, b"");
    }
    Ok(())
}
