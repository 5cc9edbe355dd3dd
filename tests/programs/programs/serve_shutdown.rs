//! `shutdown` returns how many clients it aborted, and waits no longer than necessary.

use std::pin::pin;
use std::time::Duration;

use asyncio_streams::{Error, Server, now, open_connection, start_server};
use asyncio_streams_test_programs::{
    Result, Side, check, is_refused, matching, pending, port, same,
};

asyncio_streams::run!(main);

/// Longer than this program may run: a wait for it would hang.
const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(100);

async fn main() -> Result {
    without_clients().await?;
    clients_that_leave().await?;
    stubborn_clients().await?;
    without_grace().await?;
    given_up().await
}

async fn without_clients() -> Result {
    let server = start_server(["127.0.0.1"], 0).await?;
    let port = port(&server)?;
    same!(server.shutdown(LONG).await, 0);
    same!(server.shutdown(LONG).await, 0);
    matching!(open_connection("127.0.0.1", port).await, Err(error) if is_refused(&error));
    matching!(server.accept().await, Err(Error::Closed));
    server.wait_closed().await;
    Ok(())
}

async fn clients_that_leave() -> Result {
    let server = start_server(["127.0.0.1"], 0).await?;
    let (one, two) = (client(&server).await?, client(&server).await?);
    let mut shutdown = pin!(server.shutdown(LONG));
    pending(shutdown.as_mut())?;
    // Clients are served meanwhile.
    one.0.writer.send("hello\n").await?;
    same!(one.1.reader.readline().await?, b"hello\n");
    one.1.writer.close();
    drop(two.1);
    same!(shutdown.await, 0);
    same!(one.0.reader.read(1).await?, b"");
    same!(two.0.reader.read(1).await?, b"");
    Ok(())
}

async fn stubborn_clients() -> Result {
    let server = start_server(["127.0.0.1"], 0).await?;
    let (one, two, leaves) = (
        client(&server).await?,
        client(&server).await?,
        client(&server).await?,
    );
    leaves.1.writer.close();
    let begun = now();
    same!(server.shutdown(SHORT).await, 2);
    check!(now() >= begun + SHORT);
    for side in [one.1, two.1] {
        same!(side.writer.wait_closed().await, Err(Error::Closed));
        same!(side.reader.read(1).await, Err(Error::Closed));
    }
    server.wait_closed().await;
    Ok(())
}

async fn without_grace() -> Result {
    let server = start_server(["127.0.0.1"], 0).await?;
    let (near, far) = client(&server).await?;
    same!(server.shutdown(Duration::ZERO).await, 1);
    same!(far.writer.wait_closed().await, Err(Error::Closed));
    drop(near);
    Ok(())
}

/// Dropping a `shutdown` leaves the server closed and its clients unaffected.
async fn given_up() -> Result {
    let server = start_server(["127.0.0.1"], 0).await?;
    let (near, far) = client(&server).await?;
    {
        let mut shutdown = pin!(server.shutdown(SHORT));
        pending(shutdown.as_mut())?;
    }
    matching!(server.accept().await, Err(Error::Closed));
    asyncio_streams::sleep(2 * SHORT).await;
    near.writer.send("hello\n").await?;
    same!(far.reader.readline().await?, b"hello\n");
    Ok(())
}

/// A new connection: the client's end and the server's.
async fn client(server: &Server) -> Result<(Side, Side)> {
    let (near, far) = futures::join!(open_connection("127.0.0.1", port(server)?), server.accept());
    Ok((near?.into(), far?.into()))
}
