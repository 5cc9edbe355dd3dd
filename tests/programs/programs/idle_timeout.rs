//! `idle_timeout`: an idle connection is aborted, and an active one is not.

use std::time::Duration;

use asyncio_streams::{
    ConnectOptions, Error, ServerOptions, Wanted, now, open_connection, sleep, spawn, timeout,
};
use asyncio_streams_test_programs::{
    Pair, Result, Side, check, matching, port, same, tcp, tcp_with,
};
use wit_bindgen::StreamResult;

asyncio_streams::run!(main);

const IDLE: Duration = Duration::from_millis(400);

/// A quarter later at most; the rest is slack for a busy machine.
const LATEST: Duration = Duration::from_secs(20);

async fn main() -> Result {
    silent().await?;
    buffered_first().await?;
    blocked().await?;
    something_moves().await?;
    given_away().await?;
    not_accepted_yet().await?;
    at_rest().await
}

async fn idle() -> Result<Pair> {
    let server = ServerOptions::new().idle_timeout(IDLE);
    tcp_with(&ConnectOptions::new(), &server).await
}

/// Checks all results of a connection that was idle for too long.
async fn over(side: &Side) -> Result {
    matching!(side.reader.read(1).await, Err(Error::DeadlineExceeded));
    matching!(side.reader.readline().await, Err(Error::DeadlineExceeded));
    same!(side.reader.exception(), Some(Error::DeadlineExceeded));
    check!(!side.reader.at_eof());
    matching!(side.writer.write("x"), Err(Error::Closed));
    matching!(side.writer.drain().await, Err(Error::DeadlineExceeded));
    matching!(side.writer.flush().await, Err(Error::DeadlineExceeded));
    matching!(
        side.writer.wait_closed().await,
        Err(Error::DeadlineExceeded)
    );
    check!(side.writer.is_closing());
    Ok(())
}

/// The first byte never comes.
async fn silent() -> Result {
    let begun = now();
    let Pair { left, right } = idle().await?;
    over(&right).await?;
    let took = now() - begun;
    check!((IDLE..LATEST).contains(&took), "it took {took:?}");
    // The socket is closed, even if the program keeps its side.
    check!(!matches!(left.reader.read(1).await, Ok(bytes) if !bytes.is_empty()));
    drop(right);
    Ok(())
}

/// One byte and then silence: the byte can be read after the end.
async fn buffered_first() -> Result {
    let Pair { left, right } = idle().await?;
    left.writer.write("abc")?;
    right.reader.wait(Wanted::Exactly(3)).await?;
    matching!(right.reader.wait(Wanted::Exactly(4)).await, Ok(()));
    matching!(
        right.reader.readexactly(4).await,
        Err(Error::DeadlineExceeded)
    );
    same!(right.reader.read(10).await?, b"abc");
    over(&right).await
}

/// A peer that does not read.
async fn blocked() -> Result {
    let Pair { left, right } = idle().await?;
    let piece = vec![0; 1 << 20];
    for _ in 0..48 {
        right.writer.write(&piece)?;
    }
    matching!(
        timeout(LATEST, right.writer.drain()).await,
        Ok(Err(Error::DeadlineExceeded))
    );
    same!(right.writer.write_buffer_size(), 0);
    over(&right).await?;
    drop(left);
    Ok(())
}

/// Activity in either direction is enough, even input that is discarded.
async fn something_moves() -> Result {
    let (to_right, to_left, unread) = (idle().await?, idle().await?, idle().await?);
    let Pair {
        left: quiet,
        right: sender,
    } = to_left;
    let listening = spawn(async move {
        quiet.reader.readexactly(16).await?;
        Ok::<_, asyncio_streams::Error>(quiet)
    });
    drop(unread.right.reader);
    for _ in 0..16 {
        sleep(IDLE / 8).await;
        to_right.left.writer.write("x")?;
        same!(to_right.right.reader.read(9).await?, b"x");
        sender.writer.write("x")?;
        unread.left.writer.write("x")?;
    }
    check!(listening.await.is_some_and(|listened| listened.is_ok()));
    for writer in [&to_right.right.writer, &sender.writer, &unread.right.writer] {
        check!(!writer.is_closing());
        writer.write("still here")?;
        writer.flush().await?;
    }
    Ok(())
}

async fn given_away() -> Result {
    let Pair { left, right } = idle().await?;
    left.writer.write("abc")?;
    let (mut data, end) = right.reader.into_stream().await?;
    drop(right);
    let (_, bytes) = data.read(Vec::with_capacity(10)).await;
    same!(bytes, b"abc");
    let (result, bytes) = data.read(Vec::with_capacity(10)).await;
    check!(result == StreamResult::Dropped && bytes.is_empty());
    matching!(end.await, Err(Error::DeadlineExceeded));
    Ok(())
}

/// A connection that is not accepted in time is dropped, and an ended one is never returned.
async fn not_accepted_yet() -> Result {
    let options = ServerOptions::new().idle_timeout(IDLE).max_connections(1);
    let server = options.start_server(["127.0.0.1"], 0).await?;
    let late: Side = open_connection("127.0.0.1", port(&server)?).await?.into();
    server.wait_connection().await?;
    check!(!matches!(late.reader.read(1).await, Ok(bytes) if !bytes.is_empty()));
    check!(server.try_accept()?.is_none());

    let next: Side = open_connection("127.0.0.1", port(&server)?).await?.into();
    let far: Side = server.accept().await?.into();
    far.writer.send("welcome\n").await?;
    same!(next.reader.readline().await?, b"welcome\n");
    drop(next);
    server.close();
    // The server ends with its last client.
    drop(far);
    server.wait_closed().await;
    Ok(())
}

/// Without the option a connection may be idle for ever.
async fn at_rest() -> Result {
    let Pair { left, right } = tcp().await?;
    let waited = timeout(2 * IDLE, right.reader.read(1)).await;
    matching!(waited, Err(_));
    left.writer.write("x")?;
    same!(right.reader.read(9).await?, b"x");
    Ok(())
}
