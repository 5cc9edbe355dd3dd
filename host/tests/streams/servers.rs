use asyncio_streams_host::{Error, Server, ServerOptions};
use tokio::io::AsyncReadExt;

use super::*;

async fn server() -> (Server, u16) {
    let streams = loopback().await;
    let server = streams
        .start_server(&["127.0.0.1"], 0)
        .await
        .expect("a server");
    let addresses = server.sockets().await.expect("addresses");
    assert_eq!(addresses.len(), 1);
    let port = addresses[0].inet().expect("TCP").port();
    (server, port)
}

#[tokio::test]
async fn a_server_serves_and_ends() {
    within(async {
        let (server, port) = server().await;
        assert_eq!(server.is_serving().await, Ok(true));
        let mut socket = TcpStream::connect(("127.0.0.1", port))
            .await
            .expect("connected");
        let (reader, writer) = server.accept().await.expect("a connection");
        socket.write_all(b"ping\n").await.expect("sent");
        assert_eq!(reader.readline().await.as_deref(), Ok(&b"ping\n"[..]));
        writer.write(b"pong").await.expect("queued");

        server.close().await.expect("closing");
        assert_eq!(server.accept().await.map(drop), Err(Error::Closed));
        let mut ended = std::pin::pin!(server.wait_closed());
        assert!(poll(ended.as_mut()).await.is_pending(), "a client is left");
        writer.close().await.expect("closing");
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await.expect("the end");
        assert_eq!(answer, b"pong");
        drop(socket);
        ended.await.expect("ended");
        server.wait_closed().await.expect("and ended it stays");
    })
    .await;
}

#[tokio::test]
async fn dropping_a_server_during_wait_closed_closes_it() {
    within(async {
        let (server, port) = server().await;
        assert!(
            poll(std::pin::pin!(server.wait_closed()))
                .await
                .is_pending()
        );
        drop(server);
        while TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn shutdown_aborts_the_remaining_clients() {
    within(async {
        let (server, port) = server().await;
        let mut socket = TcpStream::connect(("127.0.0.1", port))
            .await
            .expect("connected");
        let (_reader, _writer) = server.accept().await.expect("a connection");
        assert_eq!(server.shutdown(Duration::from_millis(10)).await, Ok(1));
        let ended = socket.read(&mut [0; 10]).await;
        assert!(!matches!(ended, Ok(1..)), "{ended:?}");
    })
    .await;
}

#[tokio::test]
async fn a_server_can_wait_before_it_listens() {
    within(async {
        let streams = loopback().await;
        let options = ServerOptions::new()
            .start_serving(false)
            .backlog(5)
            .max_connections(10);
        let server = streams
            .start_server_with(&["127.0.0.1"], 0, &options)
            .await
            .expect("a server");
        assert_eq!(server.is_serving().await, Ok(false));
        server.start_serving().await.expect("listening");
        let port = server.sockets().await.expect("addresses")[0]
            .inet()
            .expect("TCP")
            .port();
        let _socket = TcpStream::connect(("127.0.0.1", port))
            .await
            .expect("connected");
        server.accept().await.expect("a connection");
        let refused = streams
            .start_server_with(&[], 0, &ServerOptions::new().limit(0))
            .await;
        assert!(
            matches!(refused, Err(Error::InvalidArgument(_))),
            "{refused:?}"
        );
    })
    .await;
}

/// On several threads, all at once: each call drives the event loop from its own thread.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_connections_on_many_threads() {
    within(async {
        let streams = loopback().await;
        let (server, port) = listening(&streams).await;
        let serving = tokio::spawn(async move {
            while let Ok((reader, writer)) = server.accept().await {
                tokio::spawn(async move {
                    loop {
                        let line = reader.readline().await.expect("a line");
                        if line.is_empty() {
                            break;
                        }
                        writer.send(&line).await.expect("sent");
                    }
                });
            }
        });
        let clients = (0..100).map(|client| {
            let streams = streams.clone();
            tokio::spawn(async move {
                let (reader, writer) = streams
                    .open_connection("127.0.0.1", port)
                    .await
                    .expect("connected");
                for round in 0..20 {
                    let line = format!("{client} {round}\n");
                    writer.send(line.as_bytes()).await.expect("sent");
                    assert_eq!(reader.readline().await.as_deref(), Ok(line.as_bytes()));
                }
                writer.close().await.expect("closing");
                writer.wait_closed().await.expect("a clean end");
            })
        });
        for client in clients.collect::<Vec<_>>() {
            client.await.expect("no panic");
        }
        serving.abort();
    })
    .await;
}
