//! Unix sockets: a server and its clients in one program, from binding to the removal of the file.
//!
//! The argument is a folder of the host that is granted, without a final `/`; the program does not see it.

use std::time::Duration;

use asyncio_streams::{
    Address, ConnectOptions, Error, Reader, ServerOptions, Writer, cli, open_unix_connection,
    start_unix_server, timeout,
};
use asyncio_streams_test_programs::{Failure, Result, Side, check, matching, pending, same};

asyncio_streams::run!(main);

const SOON: Duration = Duration::from_secs(30);

async fn main() -> Result {
    let folder = cli::arguments().into_iter().next().unwrap_or_default();
    echo(&format!("{folder}/pair.sock")).await?;
    later(&format!("{folder}/later.sock")).await?;
    replaced(&format!("{folder}/replaced.sock")).await?;
    busy(&format!("{folder}/busy.sock")).await?;
    // Only Linux has abstract names, and not every test grants this one.
    match start_unix_server("\0asyncio-streams-test").await {
        Err(Error::NotSupported(_) | Error::Network(_)) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(server) => {
            drop(server);
            echo("\0asyncio-streams-test").await
        }
    }
}

/// Bytes in both directions, names, credentials, half-close, and the end.
async fn echo(path: &str) -> Result {
    let server = start_unix_server(path).await?;
    check!(server.is_serving());
    same!(server.sockets(), vec![Address::Unix(path.into())]);
    let (near, far) = futures::join!(open_unix_connection(path), server.accept());
    let (near, far): (Side, Side) = (near?.into(), far?.into());
    same!(near.writer.peername(), Some(Address::Unix(path.into())));
    same!(near.writer.sockname(), Some(Address::Unix(String::new())));
    same!(far.writer.sockname(), Some(Address::Unix(path.into())));
    same!(far.writer.peername(), Some(Address::Unix(String::new())));
    // Both are the host's process.
    let (one, other) = (
        near.writer.peer_credentials(),
        far.writer.peer_credentials(),
    );
    check!(one.is_some());
    same!(one, other);

    near.writer.send("hello\n").await?;
    same!(far.reader.readline().await?, b"hello\n");
    // More than a socket buffers, so that both directions wait.
    let block = vec![7; 1 << 20];
    let (sent, received) = futures::join!(
        near.writer.send(&block),
        far.reader.readexactly(block.len())
    );
    sent?;
    check!(received? == block);
    near.writer.write_eof()?;
    same!(far.reader.read(1).await?, b"");
    far.writer.send("still open\n").await?;
    same!(near.reader.readline().await?, b"still open\n");

    // A pending accept does not keep the name.
    {
        let accept = std::pin::pin!(server.accept());
        let mut accept = accept;
        pending(accept.as_mut())?;
        server.close();
        matching!(accept.await, Err(Error::Closed));
    }
    check!(server.sockets().is_empty());
    matching!(open_unix_connection(path).await, Err(Error::Network(_)));
    let again = start_unix_server(path).await?;
    drop(again);
    near.writer.close();
    far.writer.close();
    near.writer.wait_closed().await?;
    far.writer.wait_closed().await?;
    server.wait_closed().await;
    Ok(())
}

/// A server that does not listen yet refuses; then it serves.
async fn later(path: &str) -> Result {
    let options = ServerOptions::new().start_serving(false).mode(0o600);
    let server = options.start_unix_server(path).await?;
    check!(!server.is_serving());
    refused(path).await?;
    server.start_serving()?;
    server.start_serving()?;
    let (near, far) = futures::join!(open_unix_connection(path), server.accept());
    greet(near?, far?).await?;
    matching!(
        ServerOptions::new()
            .mode(0o10000)
            .start_unix_server(path)
            .await,
        Err(Error::InvalidArgument(_))
    );
    Ok(())
}

/// A second server on the path takes it over; the first keeps its clients, and removes nothing that is not its own.
async fn replaced(path: &str) -> Result {
    let first = start_unix_server(path).await?;
    let (near, far) = futures::join!(open_unix_connection(path), first.accept());
    let second = start_unix_server(path).await?;
    first.close();
    let (newer, accepted) = futures::join!(open_unix_connection(path), second.accept());
    greet(newer?, accepted?).await?;
    greet(near?, far?).await?;
    second.close();
    matching!(open_unix_connection(path).await, Err(Error::Network(_)));

    // A file that is kept is one of a server that has gone.
    let kept = ServerOptions::new().cleanup_socket(false);
    kept.start_unix_server(path).await?.close();
    refused(path).await?;
    start_unix_server(path).await?.close();
    Ok(())
}

/// A connection waits while the server's queue is full, and its deadline ends the wait.
async fn busy(path: &str) -> Result {
    let server = ServerOptions::new()
        .backlog(1)
        .start_unix_server(path)
        .await?;
    let mut queued = Vec::new();
    let patient = ConnectOptions::new().deadline(Duration::from_millis(200));
    let full = loop {
        match patient.open_unix_connection(path).await {
            Ok(connection) => queued.push(connection),
            Err(error) => break error,
        }
        check!(queued.len() < 100, "the queue has no end");
    };
    matching!(full, Error::DeadlineExceeded);
    let waiting = async { timeout(SOON, open_unix_connection(path)).await };
    let accepting = async {
        let mut accepted = Vec::new();
        for _ in 0..=queued.len() {
            accepted.push(server.accept().await?);
        }
        Ok::<_, Error>(accepted)
    };
    let (last, accepted) = futures::join!(waiting, accepting);
    queued.push(last??);
    for (near, far) in queued.into_iter().zip(accepted?) {
        greet(near, far).await?;
    }
    Ok(())
}

async fn refused(path: &str) -> Result {
    match open_unix_connection(path).await {
        Err(Error::Network(error)) => {
            same!(error.code, asyncio_streams::NetworkCode::ConnectionRefused);
            check!(error.message.contains(path), "{}", error.message);
            Ok(())
        }
        other => Err(Failure::new(format!("not refused: {other:?}"))),
    }
}

/// Sends a line each way.
async fn greet(near: (Reader, Writer), far: (Reader, Writer)) -> Result {
    near.1.send("ping\n").await?;
    same!(far.0.readline().await?, b"ping\n");
    far.1.send("pong\n").await?;
    same!(near.0.readline().await?, b"pong\n");
    Ok(())
}
