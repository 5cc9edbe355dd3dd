//! A peer that ends and resets later: reads still return the end, and writes report the loss.

use asyncio_streams_test_programs::{Result, check, is_loss, peer, same};

asyncio_streams::run!(main);

async fn main() -> Result {
    let side = peer().await?;
    same!(side.reader.read_to_end().await?, b"all of it");
    side.writer.write("reset\n")?;
    let piece = vec![b'x'; 16 * 1024];
    let error = loop {
        if let Err(error) = side.writer.send(&piece).await {
            break error;
        }
    };
    check!(is_loss(&error), "{error:?}");
    for _ in 0..2 {
        same!(side.reader.read(1).await?, b"");
        same!(side.reader.readline().await?, b"");
        same!(side.reader.exception(), None);
        check!(side.reader.at_eof());
        same!(side.writer.write("x"), Err(error.clone()));
        same!(side.writer.wait_closed().await, Err(error.clone()));
    }
    Ok(())
}
