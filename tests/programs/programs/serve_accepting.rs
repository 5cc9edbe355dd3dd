//! Accepting: one call at a time; cancelling it loses no client, and the close ends it.

use std::pin::pin;

use asyncio_streams::{Error, open_connection, start_server};
use asyncio_streams_test_programs::{Failure, Result, Side, matching, pending, port, same};

asyncio_streams::run!(main);

async fn main() -> Result {
    let server = start_server(["127.0.0.1"], 0).await?;
    let port = port(&server)?;
    let connect = || open_connection("127.0.0.1", port);

    // While one is pending, all others are busy; the pending one is not affected.
    {
        let mut accept = pin!(server.accept());
        pending(accept.as_mut())?;
        matching!(server.accept().await, Err(Error::Busy));
        matching!(server.wait_connection().await, Err(Error::Busy));
        matching!(server.try_accept(), Err(Error::Busy));
        let (client, accepted) = futures::join!(connect(), accept);
        talk(client?.into(), accepted?.into()).await?;
    }

    // Dropping it loses no client.
    {
        let mut accept = pin!(server.accept());
        pending(accept.as_mut())?;
    }
    let client = connect().await?;
    server.wait_connection().await?;
    server.wait_connection().await?;
    let accepted = server
        .try_accept()?
        .ok_or_else(|| Failure::new("no client after the wait"))?;
    talk(client.into(), accepted.into()).await?;
    matching!(server.try_accept(), Ok(None));

    // Cancelled by a call, and not remembered.
    server.cancel();
    let mut accept = pin!(server.accept());
    pending(accept.as_mut())?;
    server.cancel();
    matching!(accept.await, Err(Error::Cancelled));
    let (client, accepted) = futures::join!(connect(), server.accept());
    talk(client?.into(), accepted?.into()).await?;

    // Ended by the close.
    let mut accept = pin!(server.accept());
    pending(accept.as_mut())?;
    server.close();
    matching!(accept.await, Err(Error::Closed));
    Ok(())
}

async fn talk(client: Side, accepted: Side) -> Result {
    client.writer.send("to the server\n").await?;
    same!(accepted.reader.readline().await?, b"to the server\n");
    accepted.writer.send("to the client\n").await?;
    same!(client.reader.readline().await?, b"to the client\n");
    Ok(())
}
