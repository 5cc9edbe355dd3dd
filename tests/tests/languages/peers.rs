//! Tests that are the same for every language: echo pairs, and a client of redis.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::thread;

use asyncio_streams_tests::debian::Found;
use asyncio_streams_tests::{In, Program, Running};

use crate::{DEADLINE, serve};

/// The client of WASI 0.2.
const BLOCKING: &str = "c/echo_p2";

/// The clients that send a line and print the answer.
const CLIENTS: [&str; 5] = [
    "c/echo_client",
    "c/echo_blocking",
    BLOCKING,
    "c/echo",
    "go/echoclient",
];

const SAID: &str = "Send: 'Hello World!'\nReceived: 'Hello World!'\nClose the connection\n";

/// A client of this address. Those in C and C++ take the host and the port separately.
pub(crate) fn client(name: &str, address: SocketAddr) -> Option<Program> {
    let program = if name == BLOCKING {
        Program::foreign_blocking(name)
    } else {
        Program::foreign(name)
    };
    let program = program?.deadline(DEADLINE);
    Some(if name.starts_with("go/") {
        program.args([address])
    } else {
        program
            .args([address.ip().to_string()])
            .args([address.port()])
    })
}

/// Each handler serves each client, in this process and under `wasmtime`.
fn echo_pairs(handler: &str) {
    for place in In::every_place() {
        let Some(server) = Program::foreign_handler(handler) else {
            return;
        };
        let (server, address) = serve(server, place);
        echoes_to_each_client(server, address, place);
    }
}

/// The same with a program that listens itself: a peer of the benchmark.
fn echo_pairs_with_a_listener(name: &str) {
    for place in In::every_place() {
        let Some(server) = Program::foreign(name) else {
            return;
        };
        let server = server.deadline(DEADLINE);
        let mut server = server.args(["server", "echo", "127.0.0.1:0"]).start(place);
        let address = server.listens();
        echoes_to_each_client(server, address, place);
    }
}

fn echoes_to_each_client(server: Running, address: SocketAddr, place: In) {
    for name in CLIENTS {
        if let Some(client) = client(name, address) {
            let outcome = client.run(place).assert_success();
            assert_eq!(outcome.stdout, SAID, "{name}");
        }
    }
    assert!(server.is_running());
    assert_eq!(server.stderr().text(), "");
}

#[test]
fn echo_pairs_with_the_handler_in_c() {
    echo_pairs("c/line_server");
}

#[test]
fn echo_pairs_with_the_handler_in_go() {
    echo_pairs("go/echoserver");
}

#[test]
fn echo_pairs_with_the_servers_in_c_and_cpp() {
    echo_pairs_with_a_listener("c/bench_c");
    echo_pairs_with_a_listener("c/bench_cpp");
}

#[test]
fn echo_pairs_with_the_server_in_go() {
    echo_pairs_with_a_listener("go/bench");
}

/// A peer that ends amid a line: the clients in C and C++ print all of its bytes. That in Go reports the end.
#[test]
fn a_last_line_without_its_end_is_whole() {
    for name in CLIENTS.into_iter().filter(|name| name.starts_with("c/")) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let Some(client) = client(name, address) else {
            continue;
        };
        let peer = thread::spawn(move || {
            let (stream, _) = listener.accept().expect("a client");
            let mut stream = BufReader::new(stream);
            stream.read_line(&mut String::new()).expect("a line");
            stream.get_mut().write_all(b"Hell").expect("an answer");
        });
        let outcome = client.run(In::CallAsync).assert_success();
        peer.join().expect("a peer");
        assert!(
            outcome.stdout.contains("Received: 'Hell'\n"),
            "{name}: {outcome}"
        );
    }
}

#[test]
fn redis() {
    let Some(redis) = Found::get("redis-server", "redis-server") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let server = redis.serve_redis(folder.path());
    for name in ["c/redis_client", "c/redis", "go/redisclient"] {
        for place in In::every_place() {
            if let Some(client) = client(name, server.address()) {
                let outcome = client.run(place).assert_success();
                assert_eq!(outcome.stdout, "all well\n", "{name}");
            }
        }
    }
}

#[test]
fn a_refused_connection_is_one_line() {
    let nobody = "127.0.0.1:1".parse().expect("an address");
    for name in [
        "c/echo_client",
        "c/echo_blocking",
        BLOCKING,
        "c/echo",
        "c/two_clients",
        "go/echoclient",
    ] {
        if let Some(client) = client(name, nobody) {
            let outcome = client.run(In::CallAsync).assert_failure();
            let named = outcome.stderr.matches("connect to 127.0.0.1:1: ").count();
            // Two clients fail separately.
            assert_eq!(named, outcome.stderr.lines().count(), "{outcome}");
            assert_eq!(
                outcome.stderr.matches("127.0.0.1:1").count(),
                named,
                "{outcome}"
            );
            assert!((1..=2).contains(&named), "{outcome}");
        }
    }
}
