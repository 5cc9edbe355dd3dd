//! Closing a server: no new client is accepted, existing ones continue, and `wait_closed` waits for the last of them.

use std::pin::pin;

use asyncio_streams::{Error, open_connection, start_server};
use asyncio_streams_test_programs::{
    Result, Side, check, is_loss, is_refused, matching, pending, port, same,
};

asyncio_streams::run!(main);

async fn main() -> Result {
    let server = start_server(["127.0.0.1"], 0).await?;
    let port = port(&server)?;
    let connect = || open_connection("127.0.0.1", port);
    let (near, far) = futures::join!(connect(), server.accept());
    let (near, far): (Side, Side) = (near?.into(), far?.into());
    // One that has arrived and was not accepted, and a few in the system's backlog.
    let waiting: Side = connect().await?.into();
    server.wait_connection().await?;
    let backlog: Side = connect().await?.into();

    let mut first = pin!(server.wait_closed());
    let mut second = pin!(server.wait_closed());
    pending(first.as_mut())?;
    server.close();
    server.close();
    check!(!server.is_serving());
    check!(server.sockets().is_empty());
    matching!(connect().await, Err(error) if is_refused(&error));
    matching!(server.accept().await, Err(Error::Closed));
    matching!(server.wait_connection().await, Err(Error::Closed));
    matching!(server.try_accept(), Err(Error::Closed));

    // Clients that were not accepted are dropped: an end or a reset, never silence.
    for side in [waiting, backlog] {
        match side.reader.read(1).await {
            Ok(bytes) => same!(bytes, b""),
            Err(error) => check!(is_loss(&error), "{error:?}"),
        }
    }

    // The accepted client continues.
    for round in 0..10 {
        let line = format!("line {round}\n");
        near.writer.send(&line).await?;
        same!(far.reader.readline().await?, line.as_bytes());
        far.writer.send(&line).await?;
        same!(near.reader.readline().await?, line.as_bytes());
    }
    pending(first.as_mut())?;
    pending(second.as_mut())?;

    // Dropping one wait does not end the others.
    {
        let mut third = pin!(server.wait_closed());
        pending(third.as_mut())?;
    }
    far.writer.close();
    futures::join!(first, second, server.wait_closed());
    server.wait_closed().await;
    same!(near.reader.read(1).await?, b"");
    Ok(())
}
