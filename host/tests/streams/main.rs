//! Tests of the streams component, called from Rust.

mod cancelling;
mod connections;
mod ownership;
mod servers;
mod sources;

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::Poll;
use std::time::Duration;

use asyncio_streams_host::{
    Engine, Limits, Network, Reader, Server, Streams, StreamsComponent, Writer,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Longer than any test here takes; it ends a test that hangs.
const DEADLINE: Duration = Duration::from_secs(60);

/// The component, compiled once for all tests.
fn component() -> &'static StreamsComponent {
    static COMPONENT: OnceLock<StreamsComponent> = OnceLock::new();
    COMPONENT.get_or_init(|| {
        let engine = Engine::new().expect("an engine");
        let file = folder().join("streams.wasm");
        StreamsComponent::from_file(&engine, file).unwrap_or_else(|error| {
            panic!("{error}. The components are built by `cargo xtask build`")
        })
    })
}

/// The folder of the built components.
fn folder() -> PathBuf {
    let target = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    match std::env::var_os("COMPONENTS") {
        Some(folder) => folder.into(),
        None => std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(target, PathBuf::from)
            .join("components"),
    }
}

/// An instance with a grant for loopback.
async fn loopback() -> Streams {
    start(Limits::default()).await
}

async fn start(limits: Limits) -> Streams {
    let network = Network::none()
        .allow_connect("127.0.0.1:*".parse().expect("an endpoint"))
        .allow_connect("[::1]:*".parse().expect("an endpoint"))
        .allow_connect("localhost:*".parse().expect("an endpoint"))
        .allow_listen("127.0.0.1:0".parse().expect("an endpoint"));
    component()
        .start(network, limits)
        .await
        .expect("an instance")
}

/// Runs a test with a deadline.
async fn within<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, test)
        .await
        .expect("the test hangs")
}

/// Polls a future once.
async fn poll<T>(mut future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}

/// A listening peer on loopback, and its port.
async fn peer() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

/// A connection to a peer, and the peer's side.
async fn connected(streams: &Streams) -> (Reader, Writer, TcpStream) {
    let (listener, port) = peer().await;
    let (reader, writer) = streams
        .open_connection("127.0.0.1", port)
        .await
        .expect("connected");
    let (socket, _) = listener.accept().await.expect("a connection");
    (reader, writer, socket)
}

/// A server on loopback, and its port.
async fn listening(streams: &Streams) -> (Server, u16) {
    let server = streams
        .start_server(&["127.0.0.1"], 0)
        .await
        .expect("a server");
    let port = server.sockets().await.expect("addresses")[0]
        .inet()
        .expect("TCP")
        .port();
    (server, port)
}

/// Sends all input back.
async fn echo(mut socket: TcpStream) {
    let (mut input, mut output) = socket.split();
    // The test on the other side notices any failure here.
    let _ = tokio::io::copy(&mut input, &mut output).await;
    let _ = output.shutdown().await;
}

/// A peer that echoes on every connection.
async fn echo_peer() -> u16 {
    let (listener, port) = peer().await;
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(echo(socket));
        }
    });
    port
}

/// Returns everything that a peer receives until the end.
async fn received(mut socket: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    socket
        .read_to_end(&mut bytes)
        .await
        .expect("the end of the stream");
    bytes
}
