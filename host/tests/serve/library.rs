//! The library, used by an embedder.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use asyncio_streams_host::serve::{Listen, Listener, ServeError, ServeOptions, Server};
use asyncio_streams_host::{Engine, Program};

use crate::served::{DEADLINE, app};

fn program() -> Program {
    let engine = Engine::interruptible(wasmtime::Config::new()).expect("an engine");
    let bytes = std::fs::read(app()).expect("read");
    // SAFETY: the program `streams` of this project compiled it.
    unsafe { Program::from_compiled(&engine, "app", &bytes) }.expect("a program")
}

fn one_worker() -> ServeOptions {
    let mut options = ServeOptions::new();
    options.workers = std::num::NonZeroUsize::MIN;
    options
}

fn echo(stream: &TcpStream) {
    let mut line = String::new();
    stream.set_read_timeout(Some(DEADLINE)).expect("a timeout");
    (&*stream).write_all(b"hello\n").expect("sent");
    BufReader::new(stream)
        .read_line(&mut line)
        .expect("an answer");
    assert_eq!(line, "hello\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_of_ones_own_are_served_beside_those_of_listeners() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let listener = Listener::try_from(listener).expect("a listener");
    let server = Server::start(program(), vec![listener], one_worker());
    let server = server.await.expect("it starts");
    assert_eq!(server.addresses(), [Listen::Tcp(address)]);
    assert!(server.is_ready() && server.is_alive().await);

    // The embedder accepts a connection itself and hands it over.
    let own = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let client = TcpStream::connect(own.local_addr().expect("an address")).expect("connected");
    server
        .hand_over(own.accept().expect("a client").0)
        .expect("served");
    let other = TcpStream::connect(address).expect("it listens");
    let (client, other) = tokio::task::spawn_blocking(move || {
        echo(&client);
        echo(&other);
        (client, other)
    })
    .await
    .expect("echoed");
    let counters = server.counters();
    assert_eq!((counters.live, counters.accepted), (2, 2));
    assert_eq!(counters.received, 12);
    assert_eq!(counters.workers.len(), 1);

    server.reload(program(), None).await.expect("reloaded");
    drop(client);
    assert_eq!(
        server.shutdown(Duration::from_millis(100)).await,
        1,
        "one client stayed"
    );
    assert!(!server.is_alive().await);
    assert!(matches!(
        server.reload(program(), None).await,
        Err(ServeError::Ended)
    ));
    drop(other);
}

#[tokio::test]
async fn a_server_needs_a_listener_and_an_engine_that_interrupts() {
    let none = Server::start(program(), Vec::new(), one_worker()).await;
    assert!(matches!(none, Err(ServeError::NoListener)));
    let listener = || Listener::bind(&"127.0.0.1:0".parse().expect("an address"));
    let folder = tempfile::tempdir().expect("a folder");
    let app = crate::served::command(&folder, "unreachable");
    let program = Program::from_file(&Engine::new().expect("an engine"), &app).expect("loaded");
    let start = |options| Server::start(program.clone(), vec![listener().expect("bound")], options);
    let refused = start(one_worker()).await;
    assert!(matches!(refused, Err(ServeError::NotInterruptible)));
    let mut options = one_worker();
    options.stuck_timeout = None;
    let refused = start(options).await;
    assert!(matches!(refused, Err(ServeError::Start { .. })));
}

/// Dropping a server ends all its workers and connections.
#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_server_cuts_its_clients() {
    let listener = Listener::bind(&"127.0.0.1:0".parse().expect("an address")).expect("bound");
    let server = Server::start(program(), vec![listener], one_worker());
    let server = server.await.expect("it starts");
    let Listen::Tcp(address) = server.addresses()[0] else {
        panic!("no TCP");
    };
    let client = TcpStream::connect(address).expect("it listens");
    let client = tokio::task::spawn_blocking(move || {
        echo(&client);
        client
    })
    .await
    .expect("echoed");
    drop(server);
    let ended = tokio::task::spawn_blocking(move || BufReader::new(client).lines().count());
    assert_eq!(ended.await.expect("it ends"), 0);
}
