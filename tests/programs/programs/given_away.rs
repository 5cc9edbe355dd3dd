//! A connection whose input was given away counts for `max_connections` until both the stream and the writer are
//! gone, in either order; an abort ends the stream too.

use std::time::Duration;

use asyncio_streams::{
    ByteReader, Error, Reader, Server, ServerOptions, Wanted, Writer, byte_stream, from_stream,
    open_connection, timeout,
};
use asyncio_streams_test_programs::{
    Failure, Pair, Result, Side, check, follow, matching, memory, pattern, port, same, tcp,
};
use wit_bindgen::StreamResult;

asyncio_streams::run!(main);

/// How long to check that the server accepts no client.
const NOBODY: Duration = Duration::from_millis(150);

async fn main() -> Result {
    let server = ServerOptions::new()
        .max_connections(2)
        .start_server(["127.0.0.1"], 0)
        .await?;
    writer_first(&server).await?;
    stream_first(&server).await?;
    outcome_last(&server).await?;
    many_writers_gone(&server).await?;
    for pair in [tcp().await?, memory().await?] {
        aborted(pair).await?;
    }
    for pair in [tcp().await?, memory().await?] {
        buffered_when_aborted(pair).await?;
    }
    through_a_reader(&server).await
}

async fn connect(server: &Server) -> Result<(Side, Side)> {
    let near = open_connection("127.0.0.1", port(server)?).await?.into();
    Ok((near, server.accept().await?.into()))
}

/// Two connections are open: the server accepts no other.
async fn full(server: &Server) -> Result {
    matching!(timeout(NOBODY, server.accept()).await, Err(_));
    Ok(())
}

/// Accepts the waiting connection, and ends it together with the others.
async fn room(server: &Server, near: Vec<Side>, waiting: Side) -> Result {
    let far: Side = server.accept().await?.into();
    far.writer.send("welcome\n").await?;
    same!(waiting.reader.readline().await?, b"welcome\n");
    drop((near, waiting, far));
    Ok(())
}

async fn ended(mut data: ByteReader) -> Result {
    let (result, bytes) = data.read(Vec::with_capacity(1)).await;
    check!(result == StreamResult::Dropped && bytes.is_empty());
    Ok(())
}

async fn writer_first(server: &Server) -> Result {
    let ((one, far), (two, _other)) = (connect(server).await?, connect(server).await?);
    let (mut data, end) = far.reader.into_stream().await?;
    drop(far);
    let waiting: Side = open_connection("127.0.0.1", port(server)?).await?.into();
    full(server).await?;
    // The stream continues without the writer.
    same!(one.reader.read(1).await?, b"");
    one.writer.send(pattern(0, 10)).await?;
    let (_, bytes) = data.read(Vec::with_capacity(100)).await;
    same!(follow(0, &bytes)?, 10);
    full(server).await?;
    drop((one, data, end));
    room(server, vec![two], waiting).await
}

async fn stream_first(server: &Server) -> Result {
    let ((one, far), (two, _other)) = (connect(server).await?, connect(server).await?);
    let (data, end) = far.reader.into_stream().await?;
    let waiting: Side = open_connection("127.0.0.1", port(server)?).await?.into();
    drop((data, end));
    full(server).await?;
    drop((one, far));
    room(server, vec![two], waiting).await
}

/// The stream has ended and the writer is gone, but the result was not requested yet.
async fn outcome_last(server: &Server) -> Result {
    let ((one, far), (two, _other)) = (connect(server).await?, connect(server).await?);
    let (data, end) = far.reader.into_stream().await?;
    drop(one);
    ended(data).await?;
    drop(far);
    let waiting: Side = open_connection("127.0.0.1", port(server)?).await?.into();
    full(server).await?;
    end.await?;
    room(server, vec![two], waiting).await
}

/// The same, often enough to exceed the bound if anything leaked.
async fn many_writers_gone(server: &Server) -> Result {
    let mut near: Vec<Side> = Vec::new();
    let mut given = Vec::new();
    for _ in 0..20 {
        near.push(open_connection("127.0.0.1", port(server)?).await?.into());
    }
    while let Ok(accepted) = timeout(NOBODY, server.accept()).await {
        let (reader, writer) = accepted?;
        given.push(reader.into_stream().await?);
        drop(writer);
    }
    same!(given.len(), 2);
    // Each one that ends makes room for one.
    for place in 0..2 {
        drop(near.remove(0));
        drop(given.remove(0));
        let (reader, writer) = server.accept().await?;
        given.push(reader.into_stream().await?);
        drop(writer);
        same!((given.len(), place), (2, place));
    }
    drop((near, given));
    // All the others have ended, but can still be accepted.
    while let Ok(accepted) = timeout(Duration::from_secs(1), server.accept()).await {
        accepted?;
    }
    Ok(())
}

async fn aborted(pair: Pair) -> Result {
    let Pair { left, right } = pair;
    left.writer.write("abc")?;
    let (mut data, end) = right.reader.into_stream().await?;
    let (_, bytes) = data.read(Vec::with_capacity(100)).await;
    same!(bytes, b"abc");
    right.writer.abort();
    ended(data).await?;
    matching!(end.await, Err(Error::Closed));
    Ok(())
}

/// Buffered bytes are available after an abort.
async fn buffered_when_aborted(pair: Pair) -> Result {
    let Pair { left, right } = pair;
    left.writer.write(pattern(0, 100_000))?;
    right.reader.wait(Wanted::Exactly(100_000)).await?;
    right.writer.abort();
    let (mut data, end) = right.reader.into_stream().await?;
    let mut position = 0;
    loop {
        let (result, bytes) = data.read(Vec::with_capacity(7000)).await;
        position = follow(position, &bytes)?;
        if result == StreamResult::Dropped {
            break;
        }
    }
    same!(position, 100_000);
    matching!(end.await, Err(Error::Closed));
    Ok(())
}

/// A stream that was given away and became a reader again is still the same connection.
async fn through_a_reader(server: &Server) -> Result {
    let ((one, far), (two, _other)) = (connect(server).await?, connect(server).await?);
    let (data, end) = far.reader.into_stream().await?;
    drop(far);
    let reader: Reader = from_stream(data, 100).await?;
    let waiting: Side = open_connection("127.0.0.1", port(server)?).await?.into();
    full(server).await?;
    one.writer.send("line\n").await?;
    same!(reader.readline().await?, b"line\n");
    drop((one, reader, end));
    room(server, vec![two], waiting).await?;

    // Readers of the program's own streams count as well, until they end.
    let mut readers: Vec<(Reader, Option<Writer>)> = Vec::new();
    let bound = loop {
        check!(readers.len() < 20_000, "there is no bound");
        let (to, from) = byte_stream();
        drop(to);
        match from_stream(from, 100).await {
            Ok(reader) => readers.push((reader, None)),
            Err(error) => break error,
        }
    };
    matching!(bound, Error::Network(_));
    readers.truncate(readers.len() - 2);
    let (to, from) = byte_stream();
    drop(to);
    let reader = from_stream(from, 100).await?;
    same!(reader.read(1).await?, b"");
    if readers.is_empty() {
        return Err(Failure::new("there was no reader"));
    }
    Ok(())
}
