//! A writer that never drains: beyond `max-queued` nothing is queued, and the connection continues.

use asyncio_streams::{ConnectOptions, Error, ServerOptions};
use asyncio_streams_test_programs::{
    RawError, Result, check, follow, matching, pattern, raw_writer, same, tcp_with,
};

asyncio_streams::run!(main);

const MOST: usize = 1_000_000;

async fn main() -> Result {
    let options = ConnectOptions::new().max_queued(MOST);
    let pair = tcp_with(&options, &ServerOptions::new().max_queued(10)).await?;
    let (writer, reader) = (&pair.left.writer, &pair.right.reader);

    // An async call of the component may end the turn.
    matching!(
        raw_writer(writer).send(vec![0; MOST + 1]).await,
        Err(RawError::BufferFull)
    );
    // Nothing is sent within one turn, so the bound is exact.
    matching!(writer.write(vec![0; MOST + 1]), Err(Error::BufferFull));
    same!(writer.write_buffer_size(), 0);
    writer.write(pattern(0, MOST - 10))?;
    for _ in 0..3 {
        matching!(writer.write([0; 11]), Err(Error::BufferFull));
        matching!(
            writer.writelines(&[&[0; 5][..], &[0; 6]]),
            Err(Error::BufferFull)
        );
        matching!(writer.send([0; 11]).await, Err(Error::BufferFull));
    }
    same!(writer.write_buffer_size(), MOST - 10);
    writer.writelines(&[pattern(MOST - 10, 4), pattern(MOST - 6, 6)])?;
    writer.write("")?;
    matching!(writer.write("x"), Err(Error::BufferFull));
    check!(!writer.try_drain()?);

    // All queued bytes arrive, and then there is room again.
    let bytes = reader.readexactly(MOST).await?;
    follow(0, &bytes)?;
    writer.drain().await?;
    let mut sent = 0;
    while sent < 10 * MOST {
        match writer.write(pattern(MOST + sent, 100_000)) {
            Ok(()) => sent += 100_000,
            Err(error) => {
                same!(error, Error::BufferFull);
                let (drained, read) = futures::join!(writer.drain(), reader.readexactly(500_000));
                drained?;
                drop(read?);
            }
        }
        if sent == 5 * MOST {
            break;
        }
    }
    writer.close();
    let mut last = reader.read(usize::MAX).await?;
    loop {
        let bytes = reader.read(usize::MAX).await?;
        if bytes.is_empty() {
            break;
        }
        last = bytes;
    }
    same!(last.last(), pattern(MOST + sent - 1, 1).first());

    // The other side has a separate bound.
    pair.right.writer.write([1; 10])?;
    matching!(pair.right.writer.write([1; 1]), Err(Error::BufferFull));
    Ok(())
}
