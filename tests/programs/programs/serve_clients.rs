//! A server ends its clients by closing them, which loses nothing, or by aborting them. The server itself continues.

use asyncio_streams::{Error, Server, open_connection, start_server};
use asyncio_streams_test_programs::{Result, Side, check, follow, pattern, port, same};

asyncio_streams::run!(main);

const SIZE: usize = 1 << 20;

async fn main() -> Result {
    let server = start_server(["127.0.0.1"], 0).await?;
    server.close_clients();
    server.abort_clients();

    // Closed: queued bytes are still sent.
    let (one, two) = (client(&server).await?, client(&server).await?);
    one.1.writer.write(pattern(0, SIZE))?;
    server.close_clients();
    check!(one.1.writer.is_closing() && two.1.writer.is_closing());
    same!(one.1.writer.write("x"), Err(Error::Closed));
    same!(follow(0, &one.0.reader.read_to_end().await?)?, SIZE);
    same!(two.0.reader.read(1).await?, b"");
    one.1.writer.wait_closed().await?;
    two.1.writer.wait_closed().await?;

    // Aborted: queued bytes are dropped.
    let (one, two) = (client(&server).await?, client(&server).await?);
    one.1.writer.write(vec![0; 32 << 20])?;
    server.abort_clients();
    same!(one.1.writer.wait_closed().await, Err(Error::Closed));
    same!(two.1.writer.wait_closed().await, Err(Error::Closed));
    same!(two.1.reader.read(1).await, Err(Error::Closed));
    let mut received = 0;
    while let Ok(bytes @ [_, ..]) = one.0.reader.read(1 << 20).await.as_deref() {
        received += bytes.len();
    }
    check!(received < 32 << 20);

    // The end counts at once, also behind a write that left the queue short.
    let (_one, two) = client(&server).await?;
    two.writer.write("one")?;
    two.writer.write("two")?;
    server.abort_clients();
    same!(two.writer.drain().await, Err(Error::Closed));

    check!(server.is_serving());
    let (near, far) = client(&server).await?;
    far.writer.send("hello\n").await?;
    same!(near.reader.readline().await?, b"hello\n");
    Ok(())
}

/// A new connection: the client's end and the server's.
async fn client(server: &Server) -> Result<(Side, Side)> {
    let (near, far) = futures::join!(open_connection("127.0.0.1", port(server)?), server.accept());
    Ok((near?.into(), far?.into()))
}
