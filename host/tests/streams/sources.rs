use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use asyncio_streams_host::{ConnectOptions, Error};
use tokio::io::{AsyncRead, ReadBuf};

use super::*;

/// Returns some bytes and then fails.
struct Failing(&'static [u8]);

impl AsyncRead for Failing {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.0.is_empty() {
            return Poll::Ready(Err(io::Error::other("the cable is cut")));
        }
        buf.put_slice(self.0);
        self.0 = b"";
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn lines_of_any_source() {
    within(async {
        let streams = loopback().await;
        let reader = streams
            .from_stream(&b"one\ntwo\nthree"[..], 100)
            .await
            .expect("a reader");
        assert_eq!(reader.readline().await.as_deref(), Ok(&b"one\n"[..]));
        assert_eq!(
            reader.read_to_end().await.as_deref(),
            Ok(&b"two\nthree"[..])
        );
        assert_eq!(reader.at_eof().await, Ok(true));
        let refused = streams.from_stream(&b""[..], 0).await;
        assert!(
            matches!(refused, Err(Error::InvalidArgument(_))),
            "{refused:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_failed_source_is_an_error_and_not_the_end() {
    within(async {
        let streams = loopback().await;
        let reader = streams
            .from_stream(Failing(b"one\nrest"), 100)
            .await
            .expect("a reader");
        assert_eq!(reader.readline().await.as_deref(), Ok(&b"one\n"[..]));
        let error = reader.read_to_end().await.expect_err("not all");
        assert!(
            matches!(&error, Error::Network(error) if error.message == "the cable is cut"),
            "{error:?}"
        );
        assert_eq!(reader.read(100).await.as_deref(), Ok(&b"rest"[..]));
        assert_eq!(reader.read(100).await, Err(error.clone()));
        assert_eq!(reader.readexactly(1).await, Err(error));

        let (_reader, writer) = streams
            .open_connection("127.0.0.1", echo_peer().await)
            .await
            .expect("connected");
        let error = writer
            .write_from(Failing(b"some"))
            .await
            .expect_err("not all");
        assert_eq!(error.to_string(), "after 4 bytes: the cable is cut");
    })
    .await;
}

#[tokio::test]
async fn a_connection_over_any_pair_of_streams() {
    within(async {
        let streams = loopback().await;
        let (ours, theirs) = tokio::io::duplex(100);
        let (incoming, outgoing) = tokio::io::split(ours);
        let (reader, writer) = streams
            .wrap(incoming, outgoing, &ConnectOptions::new())
            .await
            .expect("a connection");
        let peer = tokio::spawn(async move {
            let (mut input, mut output) = tokio::io::split(theirs);
            tokio::io::copy(&mut input, &mut output)
                .await
                .expect("echoed");
            output.shutdown().await.expect("ended");
        });
        let data = vec![b'x'; 100_000];
        writer.write(&data).await.expect("queued");
        writer.write(b"\n").await.expect("queued");
        assert_eq!(reader.readexactly(100_000).await, Ok(data));
        assert_eq!(reader.readline().await.as_deref(), Ok(&b"\n"[..]));
        writer.write_eof().await.expect("ending");
        assert_eq!(reader.readline().await.as_deref(), Ok(&b""[..]));
        peer.await.expect("no panic");
    })
    .await;
}

#[tokio::test]
async fn many_bytes_both_ways() {
    const BYTES: u64 = 20 << 20;
    within(async {
        let streams = loopback().await;
        let (reader, writer) = streams
            .open_connection("127.0.0.1", echo_peer().await)
            .await
            .expect("connected");
        let sent = tokio::spawn(async move {
            let written = writer
                .write_from(tokio::io::repeat(5).take(BYTES))
                .await
                .expect("sent");
            writer.write_eof().await.expect("ending");
            (written, writer)
        });
        let mut incoming = reader.into_incoming().await.expect("a stream");
        let mut count = 0;
        let mut buffer = vec![0; 1 << 16];
        loop {
            match incoming.read(&mut buffer).await.expect("bytes") {
                0 => break,
                n => {
                    assert!(buffer[..n].iter().all(|byte| *byte == 5));
                    count += n as u64;
                }
            }
        }
        assert_eq!(count, BYTES);
        assert_eq!(sent.await.expect("no panic").0, BYTES);
    })
    .await;
}

#[tokio::test]
async fn a_failure_is_the_last_result_of_a_stream() {
    within(async {
        let streams = loopback().await;
        let (reader, _writer, socket) = connected(&streams).await;
        let mut incoming = reader.into_incoming().await.expect("a stream");
        socket.set_zero_linger().expect("no lingering");
        drop(socket);
        let error = incoming.read(&mut [0; 10]).await.expect_err("a reset");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    })
    .await;
}

#[tokio::test]
async fn a_dropped_stream_lets_the_next_write_through() {
    within(async {
        let streams = loopback().await;
        let (_reader, writer, socket) = connected(&streams).await;
        let bytes = tokio::spawn(received(socket));
        for _ in 0..50 {
            let (mut source, end) = tokio::io::duplex(100);
            source.write_all(b"stream ").await.expect("room");
            let mut sending = Box::pin(writer.write_from(end));
            assert!(poll(sending.as_mut()).await.is_pending());
            assert_eq!(writer.write(b"refused").await, Err(Error::Busy));
            let second = writer
                .write_from(&b"refused"[..])
                .await
                .expect_err("one is enough");
            assert_eq!(second.error, Error::Busy);
            drop(sending);
            writer.write(b"write ").await.expect("the stream is over");
        }
        writer.close().await.expect("closing");
        writer.wait_closed().await.expect("a clean end");
        let bytes = String::from_utf8(bytes.await.expect("no panic")).expect("text");
        assert_eq!(bytes.matches("write ").count(), 50);
        assert!(!bytes.contains("refused"), "{bytes}");
    })
    .await;
}

#[tokio::test]
async fn an_incoming_stream_keeps_the_instance() {
    within(async {
        let streams = loopback().await;
        let (reader, writer, mut socket) = connected(&streams).await;
        let mut incoming = reader.into_incoming().await.expect("a stream");
        drop(streams);
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        socket.write_all(b"late").await.expect("sent");
        let mut bytes = [0; 4];
        incoming.read_exact(&mut bytes).await.expect("it comes");
        assert_eq!(&bytes, b"late");
        drop(writer);
        socket.shutdown().await.expect("ended");
        assert_eq!(incoming.read(&mut bytes).await.expect("the end"), 0);
    })
    .await;
}
