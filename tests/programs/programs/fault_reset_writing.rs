//! A reset during writes: the first call after it returns the reason, and so does every later one, reads included.

use asyncio_streams::Error;
use asyncio_streams_test_programs::{
    Result, Side, check, clog, is_loss, matching, peer, pending, same,
};
use std::pin::pin;

asyncio_streams::run!(main);

async fn main() -> Result {
    // The peer resets at the first byte.
    lose().await?;
    // The peer resets after some bytes.
    lose().await?;
    lose_while_all_wait().await
}

/// Writes until the loss shows.
async fn lose() -> Result {
    let side = peer().await?;
    let piece = vec![b'x'; 16 * 1024];
    let error = loop {
        if let Err(error) = side.writer.write(&piece) {
            break error;
        }
        if let Err(error) = side.writer.drain().await {
            break error;
        }
    };
    check!(is_loss(&error), "{error:?}");
    everything_says(&side, &error).await
}

/// The peer does not read. When all calls are pending, another connection asks it to reset this one.
async fn lose_while_all_wait() -> Result {
    let side = peer().await?;
    let Side { reader, writer } = &side;
    clog(writer)?;
    let mut read = pin!(reader.read(1));
    let mut drain = pin!(writer.drain());
    let mut another = pin!(writer.drain());
    let mut flush = pin!(writer.flush());
    let mut closed = pin!(writer.wait_closed());
    pending(read.as_mut())?;
    pending(drain.as_mut())?;
    pending(another.as_mut())?;
    pending(flush.as_mut())?;
    pending(closed.as_mut())?;

    let control = peer().await?;
    control.writer.write("reset\n")?;
    let (read, drain, another, flush, closed) = futures::join!(read, drain, another, flush, closed);
    let error = matching!(drain, Err(error) if is_loss(&error) => error);
    same!(another, Err(error.clone()));
    same!(flush, Err(error.clone()));
    same!(closed, Err(error.clone()));
    same!(read, Err(error.clone()));
    everything_says(&side, &error).await
}

async fn everything_says(side: &Side, error: &Error) -> Result {
    let Side { reader, writer } = side;
    for _ in 0..2 {
        same!(writer.write("x"), Err(error.clone()));
        same!(writer.writelines(&["x", "y"]), Err(error.clone()));
        same!(writer.send("x").await, Err(error.clone()));
        same!(writer.drain().await, Err(error.clone()));
        same!(writer.try_drain(), Err(error.clone()));
        same!(writer.flush().await, Err(error.clone()));
        same!(writer.write_eof(), Err(error.clone()));
        same!(writer.wait_closed().await, Err(error.clone()));
        check!(writer.is_closing());
        same!(writer.write_buffer_size(), 0);
        matching!(reader.read(10).await, Err(error) if is_loss(&error));
        matching!(reader.readline().await, Err(error) if is_loss(&error));
        check!(!reader.at_eof());
    }
    // Ending a lost connection changes nothing.
    writer.close();
    writer.abort();
    same!(writer.wait_closed().await, Err(error.clone()));
    Ok(())
}
