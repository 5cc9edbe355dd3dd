//! `flush` waits until the transport has taken every byte written before it, but no later ones.

use std::pin::pin;

use asyncio_streams::{ByteReader, byte_stream, wrap};
use asyncio_streams_test_programs::{Result, check, clog, pending, same, tcp};

asyncio_streams::run!(main);

async fn main() -> Result {
    in_memory().await?;
    over_tcp().await
}

/// Here the transport is the reader of the stream.
async fn in_memory() -> Result {
    let (_incoming, for_reader) = byte_stream();
    let (_reader, writer, mut outgoing) = wrap(for_reader).await?;
    writer.flush().await?;
    writer.write("abc")?;
    let mut first = pin!(writer.flush());
    pending(first.as_mut())?;
    writer.write("def")?;
    let mut second = pin!(writer.flush());
    pending(second.as_mut())?;
    take(&mut outgoing, 2).await?;
    pending(first.as_mut())?;
    take(&mut outgoing, 1).await?;
    first.await?;
    pending(second.as_mut())?;
    {
        let mut dropped = pin!(writer.flush());
        pending(dropped.as_mut())?;
    }
    take(&mut outgoing, 3).await?;
    second.await?;
    writer.flush().await?;

    // The end is no byte, so flush does not wait for it.
    writer.write_eof()?;
    writer.flush().await?;
    writer.close();
    writer.flush().await?;
    writer.wait_closed().await?;
    writer.flush().await?;
    Ok(())
}

async fn over_tcp() -> Result {
    let pair = tcp().await?;
    let (writer, reader) = (&pair.left.writer, &pair.right.reader);
    // The system takes small writes at once, even if the peer does not read.
    writer.write("abc")?;
    writer.flush().await?;
    same!(writer.write_buffer_size(), 0);
    let written = clog(writer)? + 3;
    let mut flushing = pin!(writer.flush());
    pending(flushing.as_mut())?;
    let reading = async {
        let mut read = 0;
        while read < written {
            read += reader.read(1 << 20).await?.len();
        }
        Result::Ok(())
    };
    let (flushed, read) = futures::join!(flushing, reading);
    flushed?;
    read?;
    check!(writer.write_buffer_size() == 0);
    Ok(())
}

async fn take(outgoing: &mut ByteReader, n: usize) -> Result {
    let (_, bytes) = outgoing.read(Vec::with_capacity(n)).await;
    same!(bytes.len(), n);
    Ok(())
}
