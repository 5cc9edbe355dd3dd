use asyncio_streams_host::{Error, Limits};

use super::*;

/// Enough handles for a few connections at once, and too few for any leak.
const FEW_HANDLES: usize = 200;

#[tokio::test]
async fn thousands_of_dropped_connections_leave_nothing() {
    within(async {
        let streams = start(Limits::new().max_handles(FEW_HANDLES)).await;
        let port = echo_peer().await;
        for round in 0..3000 {
            let (reader, writer) = streams
                .open_connection("127.0.0.1", port)
                .await
                .expect("connected");
            match round % 4 {
                // Drop in every order, used and unused.
                0 => drop((reader, writer)),
                1 => drop((writer, reader)),
                2 => {
                    writer.write(b"hello\n").await.expect("queued");
                    assert_eq!(reader.readline().await.as_deref(), Ok(&b"hello\n"[..]));
                    drop(reader);
                    writer.write(b"unread").await.expect("queued");
                }
                _ => {
                    assert!(poll(std::pin::pin!(reader.readline())).await.is_pending());
                    drop(writer);
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn thousands_of_dropped_calls_leave_nothing() {
    within(async {
        let streams = start(Limits::new().max_handles(FEW_HANDLES)).await;
        let (reader, writer, mut socket) = connected(&streams).await;
        for _ in 0..3000 {
            assert!(poll(std::pin::pin!(reader.readline())).await.is_pending());
            assert!(
                poll(std::pin::pin!(writer.wait_closed()))
                    .await
                    .is_pending()
            );
            tokio::task::yield_now().await;
        }
        socket.write_all(b"still there\n").await.expect("sent");
        assert_eq!(
            reader.readline().await.as_deref(),
            Ok(&b"still there\n"[..])
        );
    })
    .await;
}

#[tokio::test]
async fn queued_bytes_are_sent_after_everything_was_dropped() {
    const BYTES: usize = 4 << 20;
    within(async {
        let streams = loopback().await;
        let (listener, port) = peer().await;
        let (reader, writer) = streams
            .open_connection("127.0.0.1", port)
            .await
            .expect("connected");
        writer.write(&vec![7; BYTES]).await.expect("queued");
        drop((streams, reader, writer));
        let (socket, _) = listener.accept().await.expect("a connection");
        let bytes = received(socket).await;
        assert_eq!(bytes.len(), BYTES);
        assert!(bytes.iter().all(|byte| *byte == 7));
    })
    .await;
}

#[tokio::test]
async fn a_reader_outlives_its_writer_and_the_reverse() {
    within(async {
        let streams = loopback().await;
        let (listener, port) = peer().await;
        let (reader, writer) = streams
            .open_connection("127.0.0.1", port)
            .await
            .expect("connected");
        drop(streams);
        let (mut socket, _) = listener.accept().await.expect("a connection");
        drop(reader);
        writer.write(b"out").await.expect("queued");
        writer.flush().await.expect("sent");
        let mut bytes = [0; 3];
        socket.read_exact(&mut bytes).await.expect("received");
        assert_eq!(&bytes, b"out");
    })
    .await;
}

/// Past the limit the component traps; every call reports it, pending ones and later ones.
#[tokio::test]
async fn a_trap_reaches_every_call() {
    within(async {
        let streams = start(Limits::new().max_handles(FEW_HANDLES)).await;
        let (listener, port) = peer().await;
        let (reader, writer) = streams
            .open_connection("127.0.0.1", port)
            .await
            .expect("connected");
        let waiting = tokio::spawn(async move { (reader.readline().await, reader) });
        let mut open = Vec::new();
        let error = loop {
            match streams.open_connection("127.0.0.1", port).await {
                Ok(connection) => open.push(connection),
                Err(error) => break error,
            }
            assert!(open.len() < FEW_HANDLES);
        };
        assert!(
            matches!(&error, Error::Stopped(cause) if cause.contains("handle limit")),
            "{error}"
        );
        let (read, reader) = waiting.await.expect("no panic");
        assert_eq!(read.as_ref(), Err(&error));
        assert_eq!(reader.buffered().await.as_ref(), Err(&error));
        assert_eq!(writer.write(b"x").await.as_ref(), Err(&error));
        assert_eq!(writer.wait_closed().await.as_ref(), Err(&error));
        drop((open, reader, writer, listener));
        assert_eq!(
            streams.start_server(&["127.0.0.1"], 0).await.map(drop),
            Err(error)
        );
    })
    .await;
}

#[tokio::test]
async fn too_little_memory_is_reported() {
    within(async {
        let error = component()
            .start(Network::none(), Limits::new().max_memory(1 << 16))
            .await
            .map(drop);
        let error = error.expect_err("64 KiB are not enough");
        assert!(
            error.to_string().contains("65536 bytes was refused"),
            "{error}"
        );
    })
    .await;
}

/// The component has no driver any more; a call must not wait for it for ever.
#[test]
fn the_end_of_the_runtime_is_the_end_of_the_component() {
    let runtime = || {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime")
    };
    let first = runtime();
    let (streams, reader) = first.block_on(within(async {
        let streams = loopback().await;
        let (reader, writer, socket) = connected(&streams).await;
        // Neither must end by itself.
        std::mem::forget((socket, writer));
        (streams, reader)
    }));
    drop(first);
    runtime().block_on(within(async {
        let error = reader.readline().await.expect_err("it has ended");
        assert!(
            matches!(&error, Error::Stopped(cause) if cause.contains("tokio runtime")),
            "{error}"
        );
        assert_eq!(
            streams.open_connection("127.0.0.1", 1).await.map(drop),
            Err(error)
        );
    }));
}
