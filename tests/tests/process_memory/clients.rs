//! Servers under a load that saturates them, and under many short connections.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;

use asyncio_streams_tests::peers::{Conn, Crowd};
use asyncio_streams_tests::{Program, Running};

use super::{Growth, Runner, setting, source, take_turn};

/// Bytes in a message.
const SIZE: usize = 100;

/// Messages in flight on each connection, so that a server's next read is always ready.
const UNDER_WAY: usize = 6;

const THREADS: usize = 4;
const CONNECTIONS: usize = 48;

/// A server that echoes.
#[derive(Clone, Copy, Debug)]
enum Server {
    /// A handler under serve.wasm, with the crate for Rust.
    Handler,
    /// A program that listens by itself and makes a call for each operation.
    Calls,
}

impl Server {
    fn start(self, runner: Runner) -> (Running, SocketAddr) {
        match self {
            Server::Handler => {
                let mut server = runner.start(Program::handler("serve_echo").args(["127.0.0.1:0"]));
                let address = server.listens();
                (server, address)
            }
            Server::Calls => {
                let mut server = runner.start(Program::new("memory_loops").stdin());
                server.write_stdin(b"serve 0 0\n");
                let port: u16 = server.line().parse().expect("a port");
                (server, ([127, 0, 0, 1], port).into())
            }
        }
    }
}

/// Connections that always have messages in flight.
struct Load(Vec<Vec<Conn>>);

impl Load {
    fn new(address: SocketAddr) -> Self {
        let connect = |_| {
            let mut conn = Conn::connect(address);
            conn.send([b'x'; SIZE * UNDER_WAY]);
            conn
        };
        let of_a_thread = |_| (0..CONNECTIONS / THREADS).map(connect).collect();
        Load((0..THREADS).map(of_a_thread).collect())
    }

    /// Sends `messages`, each when another has returned.
    fn run(&mut self, messages: u64) {
        let of_a_thread = usize::try_from(messages).expect("a number") / THREADS;
        std::thread::scope(|scope| {
            for conns in &mut self.0 {
                scope.spawn(|| converse(conns, of_a_thread * SIZE));
            }
        });
    }
}

fn converse(conns: &mut [Conn], bytes: usize) {
    let mut buffer = [0; SIZE * 2];
    let mut done = 0;
    while done < bytes {
        for conn in &mut *conns {
            let mut stream = conn.stream();
            let n = stream.read(&mut buffer).expect("an answer");
            assert!(n > 0, "the server ended a connection");
            stream.write_all(&buffer[..n]).expect("a message, sent");
            done += n;
        }
    }
}

/// Each message may leave at most 8 bytes.
#[test]
fn saturated_server_keeps_nothing_of_a_message() {
    const ALLOWED: u64 = 8;
    let _turn = take_turn();
    let messages = setting("MEMORY_MESSAGES", 120_000);
    let mut failed = Vec::new();
    for runner in Runner::all() {
        for kind in [Server::Handler, Server::Calls] {
            let (server, address) = kind.start(runner);
            let mut load = Load::new(address);
            load.run(messages / 4);
            let id = server.process_id().expect("a process of its own");
            let growth = Growth::of(id, messages, ALLOWED, || load.run(messages));
            let line = format!("{runner:?}, {kind:?}: a message leaves {growth}");
            println!("{line}");
            assert!(server.is_running());
            if !growth.is_within(ALLOWED) {
                failed.push(line);
            }
        }
    }
    assert!(failed.is_empty(), "more than {ALLOWED}: {failed:#?}");
}

/// A client connects, sends a byte, receives it back, and leaves.
fn short_connections(address: SocketAddr, count: u64) {
    let of_a_thread = count / THREADS as u64;
    Crowd::run(THREADS, |thread| {
        for number in 0..of_a_thread {
            let source = source(thread as u64 * of_a_thread + number);
            let mut conn = Conn::connect_from(source, address);
            conn.send("x");
            conn.expect("x");
        }
    });
}

#[test]
fn server_keeps_nothing_of_a_short_connection() {
    const ALLOWED: u64 = 100;
    let _turn = take_turn();
    let connections = setting("MEMORY_CONNECTIONS", 4000);
    let mut failed = Vec::new();
    for runner in Runner::all() {
        for kind in [Server::Handler, Server::Calls] {
            let (server, address) = kind.start(runner);
            short_connections(address, connections / 2);
            let id = server.process_id().expect("a process of its own");
            let growth = Growth::of(id, connections, ALLOWED, || {
                short_connections(address, connections);
            });
            let line = format!("{runner:?}, {kind:?}: a connection leaves {growth}");
            println!("{line}");
            assert!(server.is_running());
            if !growth.is_within(ALLOWED) {
                failed.push(line);
            }
        }
    }
    assert!(failed.is_empty(), "more than {ALLOWED}: {failed:#?}");
}
