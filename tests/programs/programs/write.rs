//! Written bytes arrive in order, without another call; the writes of one turn leave together.

use asyncio_streams::{byte_stream, spawn, wrap};
use asyncio_streams_test_programs::{Failure, Result, check, follow, pattern, same, tcp};

asyncio_streams::run!(main);

async fn main() -> Result {
    let pair = tcp().await?;
    let (writer, reader) = (&pair.left.writer, &pair.right.reader);
    writer.write("a")?;
    writer.writelines(&["b", "", "cd"])?;
    writer.write("")?;
    writer.writelines(&[""; 0])?;
    writer.send("e").await?;
    writer.write("f")?;
    same!(reader.readexactly(6).await?, b"abcdef");
    same!(writer.write_buffer_size(), 0);

    together().await?;
    much(pair.left.writer, pair.right.reader).await
}

/// The writes of one turn are one piece for the transport.
async fn together() -> Result {
    let (_incoming, for_reader) = byte_stream();
    let (_reader, writer, mut outgoing) = wrap(for_reader).await?;
    writer.write("one ")?;
    writer.drain().await?;
    writer.writelines(&["two ", "three "])?;
    writer.drain().await?;
    writer.write("four")?;
    same!(writer.write_buffer_size(), 18);
    let (_, piece) = outgoing.read(Vec::with_capacity(100)).await;
    same!(piece, b"one two three four");
    Ok(())
}

const TOTAL: usize = 8 << 20;

/// More data than all buffers hold, in pieces of all sizes, with back-pressure.
async fn much(writer: asyncio_streams::Writer, reader: asyncio_streams::Reader) -> Result {
    let writing = spawn(async move {
        let (mut sent, mut size) = (0, 1);
        while sent < TOTAL {
            let n = size.min(TOTAL - sent);
            writer.write(pattern(sent, n))?;
            writer.drain().await?;
            (sent, size) = (sent + n, size * 7 % 100_003);
        }
        writer.close();
        writer.wait_closed().await
    });
    let mut read = 0;
    loop {
        let bytes = reader.read(50_000).await?;
        if bytes.is_empty() {
            break;
        }
        read = follow(read, &bytes)?;
    }
    check!(read == TOTAL, "{read} bytes came");
    writing
        .await
        .ok_or_else(|| Failure::new("the writing task has gone"))??;
    Ok(())
}
