use asyncio_streams_host::{Error, Wanted};

use super::*;

#[tokio::test]
async fn a_second_read_is_busy_and_the_next_after_a_dropped_one_is_not() {
    within(async {
        let streams = loopback().await;
        let (listener, port) = peer().await;
        let (reader, _writer) = streams
            .open_connection("127.0.0.1", port)
            .await
            .expect("connected");
        let (mut socket, _) = listener.accept().await.expect("a connection");
        let mut pending = Box::pin(reader.readline());
        assert!(futures::poll!(pending.as_mut()).is_pending());
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

/// A deadline around every read, short enough to pass at every possible moment: nothing is lost, nothing comes twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_loses_nothing() {
    const LINES: usize = 3000;
    within(async {
        let streams = loopback().await;
        let (listener, port) = peer().await;
        let (reader, _writer) = streams
            .open_connection("127.0.0.1", port)
            .await
            .expect("connected");
        let (mut socket, _) = listener.accept().await.expect("a connection");
        let sender = tokio::spawn(async move {
            for line in 0..LINES {
                let line = format!("line {line}\n");
                let (front, back) = line.as_bytes().split_at(line.len() / 2);
                socket.write_all(front).await.expect("sent");
                if line.len() % 3 == 0 {
                    tokio::task::yield_now().await;
                }
                socket.write_all(back).await.expect("sent");
            }
        });
        let mut deadlines = 0;
        let mut cancelled = 0;
        for line in 0..LINES {
            let expected = format!("line {line}\n");
            let got = loop {
                deadlines += 1;
                let deadline = Duration::from_nanos(deadlines * 7919 % 200_000);
                let read = async {
                    match deadlines % 3 {
                        0 => reader.readline().await,
                        1 => reader.readuntil(&[b"\n"]).await,
                        _ => reader.readexactly(expected.len() as u32).await,
                    }
                };
                tokio::select! {
                    got = read => break got,
                    () = spin(deadline) => cancelled += 1,
                }
            };
            assert_eq!(
                got.as_deref(),
                Ok(expected.as_bytes()),
                "after {cancelled} reads were dropped"
            );
        }
        assert_eq!(reader.readline().await.as_deref(), Ok(&b""[..]));
        sender.await.expect("no panic");
        assert!(
            cancelled > 10,
            "only {cancelled} reads were dropped: the deadlines are too long to mean anything"
        );
    })
    .await;
}

/// Ends after about `time`, which may be shorter than what timers can do.
async fn spin(time: Duration) {
    let end = std::time::Instant::now() + time;
    while std::time::Instant::now() < end {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_accept_loses_no_connection() {
    const CLIENTS: usize = 200;
    within(async {
        let streams = loopback().await;
        let server = streams
            .start_server(&["127.0.0.1"], 0)
            .await
            .expect("a server");
        let port = server.sockets().await.expect("addresses")[0]
            .inet()
            .expect("TCP")
            .port();
        let clients = tokio::spawn(async move {
            for client in 0..CLIENTS {
                let mut socket = TcpStream::connect(("127.0.0.1", port))
                    .await
                    .expect("connected");
                socket
                    .write_all(format!("{client}\n").as_bytes())
                    .await
                    .expect("sent");
            }
        });
        let mut rounds = 0;
        for client in 0..CLIENTS {
            let (reader, _writer) = loop {
                rounds += 1;
                tokio::select! {
                    accepted = server.accept() => break accepted.expect("a connection"),
                    () = spin(Duration::from_nanos(rounds * 7919 % 100_000)) => {}
                }
            };
            assert_eq!(
                reader.readline().await.as_deref(),
                Ok(format!("{client}\n").as_bytes())
            );
        }
        clients.await.expect("no panic");
    })
    .await;
}

#[tokio::test]
async fn a_dropped_wait_leaves_the_others_alone() {
    within(async {
        let streams = loopback().await;
        let (listener, port) = peer().await;
        let (_reader, writer) = streams
            .open_connection("127.0.0.1", port)
            .await
            .expect("connected");
        let (socket, _) = listener.accept().await.expect("a connection");
        let mut queued = 0;
        while writer.try_drain().await.expect("connected") || queued < (8 << 20) {
            writer.write(&[0; 64 << 10]).await.expect("queued");
            queued += 64 << 10;
        }
        let mut first = Box::pin(writer.drain());
        let mut second = Box::pin(writer.drain());
        let mut closed = Box::pin(writer.wait_closed());
        assert!(futures::poll!(first.as_mut()).is_pending());
        assert!(futures::poll!(second.as_mut()).is_pending());
        assert!(futures::poll!(closed.as_mut()).is_pending());
        drop(first);
        // Whatever the component makes of it, the others hear nothing of it.
        for _ in 0..100 {
            tokio::task::yield_now().await;
            assert!(futures::poll!(second.as_mut()).is_pending());
            assert!(futures::poll!(closed.as_mut()).is_pending());
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
        for round in 0..1000_u64 {
            tokio::select! {
                opened = streams.open_connection("127.0.0.1", port) => drop(opened.expect("connected")),
                () = spin(Duration::from_nanos(round * 7919 % 300_000)) => {}
            }
            // What was connected is taken and closed, so that the backlog does not fill.
            while let Some(Ok(accepted)) = futures::FutureExt::now_or_never(listener.accept()) {
                drop(accepted);
            }
        }
        let (reader, _writer) = streams.open_connection("127.0.0.1", echo_peer().await).await.expect("connected");
        assert_eq!(reader.buffered().await, Ok(0));
    })
    .await;
}
