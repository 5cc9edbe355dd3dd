//! A dropped server stops listening, and its clients continue.

use asyncio_streams::{open_connection, start_server};
use asyncio_streams_test_programs::{Result, Side, is_refused, matching, port, same};

asyncio_streams::run!(main);

async fn main() -> Result {
    let server = start_server(["127.0.0.1"], 0).await?;
    let port = port(&server)?;
    let (near, far) = futures::join!(open_connection("127.0.0.1", port), server.accept());
    let (near, far): (Side, Side) = (near?.into(), far?.into());
    drop(server);
    matching!(open_connection("127.0.0.1", port).await, Err(error) if is_refused(&error));
    for _ in 0..10 {
        near.writer.send("hello\n").await?;
        same!(far.reader.readline().await?, b"hello\n");
    }
    drop(far);
    same!(near.reader.read_to_end().await?, b"");

    // One that was never used, and one whose accept was cancelled just before.
    drop(start_server(["127.0.0.1"], 0).await?);
    let server = start_server(["127.0.0.1"], 0).await?;
    let given_up =
        asyncio_streams::timeout(std::time::Duration::from_millis(10), server.accept()).await;
    matching!(given_up, Err(_));
    drop(server);
    Ok(())
}
