//! A server that is bound but does not listen before `start_serving`: until then clients are refused.

use std::pin::pin;

use asyncio_streams::{Error, ServerOptions, open_connection};
use asyncio_streams_test_programs::{Result, check, is_refused, matching, pending, port, same};

asyncio_streams::run!(main);

async fn main() -> Result {
    let server = ServerOptions::new()
        .start_serving(false)
        .start_server(["127.0.0.1"], 0)
        .await?;
    let port = port(&server)?;
    check!(!server.is_serving());
    matching!(open_connection("127.0.0.1", port).await, Err(error) if is_refused(&error));
    same!(server.try_accept().map(|found| found.is_some()), Ok(false));
    let mut accept = pin!(server.accept());
    pending(accept.as_mut())?;

    // An accept that was pending before gets the first client.
    server.start_serving()?;
    server.start_serving()?;
    check!(server.is_serving());
    let (client, accepted) = futures::join!(open_connection("127.0.0.1", port), accept);
    let ((_reader, writer), (reader, _writer)) = (client?, accepted?);
    writer.send("hello\n").await?;
    same!(reader.readline().await?, b"hello\n");

    server.close();
    check!(!server.is_serving());
    same!(server.start_serving(), Err(Error::Closed));

    // Closed before it ever listened.
    let server = ServerOptions::new()
        .start_serving(false)
        .start_server(["127.0.0.1"], 0)
        .await?;
    server.close();
    server.wait_closed().await;
    same!(server.start_serving(), Err(Error::Closed));
    check!(!server.is_serving());
    Ok(())
}
