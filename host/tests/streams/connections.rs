use asyncio_streams_host::{
    Address, ConnectOptions, Error, Limits, Network, NetworkCode, NetworkError, Wanted,
};
use std::sync::{Arc, Mutex};
use tokio::io::AsyncWriteExt;

use super::*;

#[tokio::test]
async fn every_read_returns_its_bytes() {
    within(async {
        let streams = loopback().await;
        let (reader, writer, mut socket) = connected(&streams).await;
        socket
            .write_all(b"line\nexact|until;two\nlines\nrest")
            .await
            .expect("sent");
        socket.shutdown().await.expect("ended");

        assert_eq!(reader.readline().await.as_deref(), Ok(&b"line\n"[..]));
        assert_eq!(reader.readexactly(5).await.as_deref(), Ok(&b"exact"[..]));
        assert_eq!(
            reader.readuntil(&[b"|", b";"]).await.as_deref(),
            Ok(&b"|"[..])
        );
        assert_eq!(
            reader.readuntil(&[b"|", b";"]).await.as_deref(),
            Ok(&b"until;"[..])
        );
        reader.wait(Wanted::End).await.expect("all has come");
        assert_eq!(
            reader.readlines(11).await.as_deref(),
            Ok(&b"two\nlines\n"[..])
        );
        assert_eq!(reader.peek(2).await.as_deref(), Ok(&b"re"[..]));
        assert_eq!(reader.discard(1).await, Ok(1));
        assert_eq!(reader.buffered().await, Ok(3));
        assert_eq!(reader.read(2).await.as_deref(), Ok(&b"es"[..]));
        assert_eq!(reader.at_eof().await, Ok(false));
        assert_eq!(reader.read_to_end().await.as_deref(), Ok(&b"t"[..]));
        assert_eq!(reader.at_eof().await, Ok(true));
        assert_eq!(reader.readline().await.as_deref(), Ok(&b""[..]));
        let incomplete = Error::IncompleteRead {
            partial: vec![],
            expected: Some(1),
        };
        assert_eq!(reader.readexactly(1).await, Err(incomplete));
        assert_eq!(reader.exception().await, Ok(None));
        writer.close().await.expect("closing");
        writer.wait_closed().await.expect("a clean end");
    })
    .await;
}

#[tokio::test]
async fn every_write_arrives() {
    within(async {
        let streams = loopback().await;
        let (listener, port) = peer().await;
        let (_reader, writer) = streams
            .open_connection("127.0.0.1", port)
            .await
            .expect("connected");
        let (socket, from) = listener.accept().await.expect("a connection");
        assert_eq!(writer.sockname().await, Ok(Some(Address::Inet(from))));
        assert_eq!(
            writer.peername().await,
            Ok(Some(Address::Inet(
                listener.local_addr().expect("an address")
            )))
        );
        writer.write(b"one ").await.expect("queued");
        writer
            .writelines(&[b"two ", b"three "])
            .await
            .expect("queued");
        writer.drain().await.expect("few");
        writer.send(b"four ").await.expect("queued");
        writer.flush().await.expect("sent");
        assert_eq!(writer.write_buffer_size().await, Ok(0));
        assert_eq!(writer.write_from(&b"five"[..]).await, Ok(4));
        assert_eq!(writer.can_write_eof().await, Ok(true));
        writer.write_eof().await.expect("ending");
        assert_eq!(writer.write(b"more").await, Err(Error::WriteAfterEof));
        assert_eq!(received(socket).await, b"one two three four five");
        assert_eq!(writer.is_closing().await, Ok(false));
        writer.close().await.expect("closing");
        assert_eq!(writer.is_closing().await, Ok(true));
        assert_eq!(writer.write(b"more").await, Err(Error::Closed));
        writer.wait_closed().await.expect("a clean end");
    })
    .await;
}

#[tokio::test]
async fn the_marks_are_set_and_read() {
    within(async {
        let streams = loopback().await;
        let (_reader, writer) = streams
            .open_connection("127.0.0.1", echo_peer().await)
            .await
            .expect("connected");
        assert_eq!(writer.write_buffer_limits().await, Ok((16 << 10, 64 << 10)));
        writer
            .set_write_buffer_limits(Some(1000), None)
            .await
            .expect("set");
        assert_eq!(writer.write_buffer_limits().await, Ok((250, 1000)));
        let refused = writer.set_write_buffer_limits(Some(1), Some(2)).await;
        assert!(
            matches!(refused, Err(Error::InvalidArgument(_))),
            "{refused:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn options_take_effect() {
    within(async {
        let streams = loopback().await;
        let port = echo_peer().await;
        let options = ConnectOptions::new()
            .limit(10)
            .max_result(20)
            .close_deadline(Some(DEADLINE))
            .keep_alive(true);
        let (reader, writer) = streams
            .open_connection_with("127.0.0.1", port, &options)
            .await
            .expect("connected");
        assert_eq!(reader.limit().await, Ok(10));
        assert_eq!(reader.readexactly(21).await, Err(Error::TooLarge(21)));
        writer.write(&[b'x'; 30]).await.expect("queued");
        let overrun = reader.readline().await;
        assert!(
            matches!(overrun, Err(Error::LimitOverrun { found: false, .. })),
            "{overrun:?}"
        );
        for options in [
            ConnectOptions::new().limit(0),
            ConnectOptions::new().max_queued(0),
        ] {
            let refused = streams
                .open_connection_with("127.0.0.1", port, &options)
                .await;
            assert!(
                matches!(refused, Err(Error::InvalidArgument(_))),
                "{refused:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_refused_connection_reports_each_address() {
    within(async {
        let streams = loopback().await;
        let (listener, port) = peer().await;
        drop(listener);
        let error = streams
            .open_connection("127.0.0.1", port)
            .await
            .expect_err("no server listens");
        let Error::Connect(attempts) = &error else {
            panic!("{error:?}")
        };
        assert_eq!(attempts.len(), 1);
        assert_eq!(attempts[0].address.to_string(), format!("127.0.0.1:{port}"));
        assert_eq!(attempts[0].error.code, NetworkCode::ConnectionRefused);
        assert!(
            error
                .to_string()
                .starts_with(&format!("127.0.0.1:{port}: ")),
            "{error}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_reset_is_a_network_error_and_never_an_end() {
    within(async {
        let streams = loopback().await;
        let (reader, _writer, mut socket) = connected(&streams).await;
        socket.write_all(b"some").await.expect("sent");
        reader.wait(Wanted::Exactly(4)).await.expect("it has come");
        let socket = socket.into_std().expect("a socket");
        socket.set_nonblocking(false).expect("blocking");
        reset(socket);
        let error = reader.readline().await.expect_err("a reset");
        let reset = matches!(
            &error,
            Error::Network(NetworkError {
                code: NetworkCode::ConnectionReset,
                ..
            })
        );
        assert!(reset, "{error:?}");
        assert_eq!(reader.read(10).await.as_deref(), Ok(&b"some"[..]));
        assert_eq!(reader.read(10).await, Err(error));
    })
    .await;
}

/// Closes a socket so that the peer sees a reset.
fn reset(socket: std::net::TcpStream) {
    let socket = tokio::net::TcpStream::from_std({
        socket.set_nonblocking(true).expect("nonblocking");
        socket
    });
    let socket = socket.expect("a socket");
    socket.set_zero_linger().expect("no lingering");
    drop(socket);
}

#[tokio::test]
async fn a_granted_name_is_looked_up_and_no_other() {
    within(async {
        let port = echo_peer().await;
        let denied = Arc::new(Mutex::new(Vec::new()));
        let reports = Arc::clone(&denied);
        let network = Network::none()
            .allow_connect(format!("localhost:{port}").parse().expect("an endpoint"))
            .on_denied(move |what| reports.lock().expect("not poisoned").push(what.to_string()));
        let streams = component()
            .start(network, Limits::default())
            .await
            .expect("an instance");

        let (reader, writer) = streams
            .open_connection("localhost", port)
            .await
            .expect("granted");
        writer.write(b"hello\n").await.expect("queued");
        assert_eq!(reader.readline().await.as_deref(), Ok(&b"hello\n"[..]));

        let error = streams
            .open_connection("example.org", port)
            .await
            .expect_err("not granted");
        let access_denied =
            matches!(&error, Error::Network(error) if error.code == NetworkCode::AccessDenied);
        assert!(access_denied, "{error:?}");
        let other = if port == 80 { 81 } else { 80 };
        let error = streams
            .open_connection("127.0.0.1", other)
            .await
            .expect_err("not granted");
        let Error::Connect(attempts) = &error else {
            panic!("{error:?}")
        };
        assert_eq!(attempts[0].error.code, NetworkCode::AccessDenied);
        let expected = [
            "look-up of example.org".to_owned(),
            format!("connect to 127.0.0.1:{other}"),
        ];
        assert_eq!(*denied.lock().expect("not poisoned"), expected);
    })
    .await;
}

#[tokio::test]
async fn without_a_network_nothing_is_connected() {
    within(async {
        let port = echo_peer().await;
        let streams = component()
            .start(Network::none(), Limits::default())
            .await
            .expect("an instance");
        let error = streams
            .open_connection("127.0.0.1", port)
            .await
            .expect_err("no network");
        let denied = match &error {
            Error::Connect(attempts) => attempts
                .iter()
                .all(|attempt| attempt.error.code == NetworkCode::AccessDenied),
            Error::Network(error) => error.code == NetworkCode::AccessDenied,
            _ => false,
        };
        assert!(denied, "{error:?}");
        let error = streams
            .start_server(&["127.0.0.1"], 0)
            .await
            .expect_err("no network");
        assert!(
            matches!(&error, Error::Network(error) if error.code == NetworkCode::AccessDenied),
            "{error:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn listening_by_name_is_granted_by_name() {
    within(async {
        let network = Network::none().allow_listen("localhost:0".parse().expect("an endpoint"));
        let streams = component()
            .start(network, Limits::default())
            .await
            .expect("an instance");
        let server = streams
            .start_server(&["localhost"], 0)
            .await
            .expect("granted");
        for address in server.sockets().await.expect("addresses") {
            assert!(address.inet().expect("TCP").ip().is_loopback());
        }
        let error = streams
            .start_server(&["127.0.0.2"], 0)
            .await
            .expect_err("not granted");
        assert!(
            matches!(&error, Error::Network(error) if error.code == NetworkCode::AccessDenied),
            "{error:?}"
        );
    })
    .await;
}
