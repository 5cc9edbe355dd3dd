use asyncio_streams_host::{Error, Wanted};

use super::*;

#[tokio::test]
async fn a_second_read_is_busy_and_the_next_after_a_dropped_one_is_not() {
    within(async {
        let streams = loopback().await;
        let (reader, _writer, mut socket) = connected(&streams).await;
        let mut pending = Box::pin(reader.readline());
        assert!(poll(pending.as_mut()).await.is_pending());
        assert_eq!(reader.read(1).await, Err(Error::Busy));
        assert_eq!(reader.wait(Wanted::Any).await, Err(Error::Busy));
        assert_eq!(reader.discard(1).await, Err(Error::Busy));
        assert_eq!(reader.buffered().await, Ok(0));
        drop(pending);
        socket.write_all(b"one\ntwo\n").await.expect("sent");
        assert_eq!(reader.readline().await.as_deref(), Ok(&b"one\n"[..]));
        assert_eq!(reader.readline().await.as_deref(), Ok(&b"two\n"[..]));
    })
    .await;
}

/// Polls a future at most `times` times, with other tasks running in between, and drops it if it is not ready then.
async fn poll_times<T>(times: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    for _ in 0..times {
        if let std::task::Poll::Ready(result) = poll(future.as_mut()).await {
            return Some(result);
        }
        tokio::task::yield_now().await;
    }
    None
}

/// Every line comes in pieces. During each piece a read is dropped after some polls: nothing is lost or repeated.
async fn drop_reads() {
    let streams = loopback().await;
    let (listener, port) = peer().await;
    let (reader, _writer) = streams
        .open_connection("127.0.0.1", port)
        .await
        .expect("connected");
    let (mut socket, _) = listener.accept().await.expect("a connection");
    let read = async |round: usize, length: u32| match round % 3 {
        0 => reader.readline().await,
        1 => reader.readuntil(&[b"\n"]).await,
        _ => reader.readexactly(length).await,
    };
    let mut round = 0;
    for line in 0..1000 {
        let line = format!("line {line}\n");
        let length = line.len() as u32;
        let (front, back) = line.as_bytes().split_at(line.len() / 2);
        for piece in [&b""[..], front] {
            socket.write_all(piece).await.expect("sent");
            round += 1;
            assert_eq!(
                poll_times(round % 7, read(round, length)).await,
                None,
                "the line is not there yet"
            );
        }
        socket.write_all(back).await.expect("sent");
        let got = loop {
            round += 1;
            if let Some(got) = poll_times(round % 11, read(round, length)).await {
                break got;
            }
        };
        assert_eq!(got.as_deref(), Ok(line.as_bytes()));
    }
    drop(socket);
    assert_eq!(reader.readline().await.as_deref(), Ok(&b""[..]));
}

#[tokio::test]
async fn a_dropped_read_loses_nothing() {
    within(drop_reads()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_dropped_read_loses_nothing_on_many_threads() {
    let tests = (0..4).map(|_| tokio::spawn(within(drop_reads())));
    for test in tests.collect::<Vec<_>>() {
        test.await.expect("no panic");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_accept_loses_no_connection() {
    within(async {
        let streams = loopback().await;
        let (server, port) = listening(&streams).await;
        for client in 0..300_usize {
            assert!(
                poll_times(client % 7, server.accept()).await.is_none(),
                "no client has connected yet"
            );
            let mut socket = TcpStream::connect(("127.0.0.1", port))
                .await
                .expect("connected");
            socket
                .write_all(format!("{client}\n").as_bytes())
                .await
                .expect("sent");
            let mut round = client;
            let (reader, _writer) = loop {
                round += 1;
                if let Some(accepted) = poll_times(round % 11, server.accept()).await {
                    break accepted.expect("a connection");
                }
            };
            assert_eq!(
                reader.readline().await.as_deref(),
                Ok(format!("{client}\n").as_bytes())
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_dropped_wait_leaves_the_others_alone() {
    within(async {
        let streams = loopback().await;
        let (_reader, writer, socket) = connected(&streams).await;
        let mut queued = 0;
        while writer.try_drain().await.expect("connected") || queued < (8 << 20) {
            writer.write(&[0; 64 << 10]).await.expect("queued");
            queued += 64 << 10;
        }
        let mut first = Box::pin(writer.drain());
        let mut second = Box::pin(writer.drain());
        let mut closed = Box::pin(writer.wait_closed());
        assert!(poll(first.as_mut()).await.is_pending());
        assert!(poll(second.as_mut()).await.is_pending());
        assert!(poll(closed.as_mut()).await.is_pending());
        drop(first);
        // The other waits are not affected by anything that the component does with it.
        for _ in 0..100 {
            tokio::task::yield_now().await;
            assert!(poll(second.as_mut()).await.is_pending());
            assert!(poll(closed.as_mut()).await.is_pending());
        }
        let bytes = tokio::spawn(received(socket));
        second.await.expect("drained");
        drop(closed);
        writer.close().await.expect("closing");
        writer.wait_closed().await.expect("a clean end");
        assert_eq!(bytes.await.expect("no panic").len(), queued);
    })
    .await;
}

#[tokio::test]
async fn a_dropped_connect_leaves_nothing_behind() {
    within(async {
        let streams = start(asyncio_streams_host::Limits::new().max_handles(500)).await;
        let (listener, port) = peer().await;
        for round in 0..1000 {
            if let Some(opened) =
                poll_times(round % 23, streams.open_connection("127.0.0.1", port)).await
            {
                drop(opened.expect("connected"));
            }
            // Accept and close every connection, so that the backlog does not fill.
            while let Some(Ok((accepted, _))) = poll_times(1, listener.accept()).await {
                drop(accepted);
            }
        }
        let (reader, _writer) = streams
            .open_connection("127.0.0.1", echo_peer().await)
            .await
            .expect("connected");
        assert_eq!(reader.buffered().await, Ok(0));
    })
    .await;
}
