//! A reset while a stream is sent: the call returns how much it took and the reason, and the producer is stopped.

use asyncio_streams::byte_stream;
use asyncio_streams_test_programs::{Result, check, is_loss, matching, peer, same};

asyncio_streams::run!(main);

async fn main() -> Result {
    let side = peer().await?;
    let (mut producer, stream) = byte_stream();
    let produce = async {
        let mut produced: u64 = 0;
        loop {
            let rest = producer.write_all(vec![b'x'; 64 * 1024]).await;
            produced += 64 * 1024 - rest.len() as u64;
            if !rest.is_empty() {
                return produced;
            }
        }
    };
    let (produced, (taken, result)) = futures::join!(produce, side.writer.write_stream(stream));
    let error = matching!(result, Err(error) if is_loss(&error) => error);
    check!(taken >= 100_000);
    same!(taken, produced);
    let (_, stream) = byte_stream();
    same!(
        side.writer.write_stream(stream).await,
        (0, Err(error.clone()))
    );
    same!(side.writer.write("x"), Err(error.clone()));
    same!(side.writer.wait_closed().await, Err(error));
    Ok(())
}
