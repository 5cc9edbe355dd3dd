//! `max_connections`: at the cap the server accepts no client; the next one is accepted as soon as one has ended.

use std::pin::pin;
use std::time::Duration;

use asyncio_streams::{Error, ServerOptions, open_connection, timeout};
use asyncio_streams_test_programs::{Result, Side, check, matching, pending, port, same};

asyncio_streams::run!(main);

async fn main() -> Result {
    matching!(
        ServerOptions::new()
            .max_connections(0)
            .start_server(["127.0.0.1"], 0)
            .await,
        Err(Error::InvalidArgument(_))
    );
    let server = ServerOptions::new()
        .max_connections(2)
        .start_server(["127.0.0.1"], 0)
        .await?;
    let port = port(&server)?;

    // The backlog holds clients that the server does not accept.
    let mut near: Vec<Side> = Vec::new();
    for _ in 0..5 {
        near.push(open_connection("127.0.0.1", port).await?.into());
    }
    let mut far: Vec<Side> = vec![server.accept().await?.into(), server.accept().await?.into()];
    {
        let mut accept = pin!(server.accept());
        pending(accept.as_mut())?;
        matching!(
            timeout(Duration::from_millis(100), accept.as_mut()).await,
            Err(_)
        );
        check!(server.is_serving());

        // Each way to end makes room for one: closed by this side, ended by the peer, dropped, aborted.
        far[0].writer.close();
        let third = accept.await?;
        far.push(third.into());
    }
    same!(near[0].reader.read(1).await?, b"");
    matching!(
        timeout(Duration::from_millis(100), server.accept()).await,
        Err(_)
    );
    drop(far.remove(1));
    far.push(server.accept().await?.into());
    matching!(
        timeout(Duration::from_millis(100), server.accept()).await,
        Err(_)
    );
    far[1].writer.abort();
    let fifth: Side = server.accept().await?.into();

    // They are served in the order of their arrival.
    fifth.writer.send("fifth\n").await?;
    same!(near[4].reader.readline().await?, b"fifth\n");
    Ok(())
}
