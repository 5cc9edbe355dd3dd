//! Missing descriptors: the server waits for some without spinning, and clients get an error.
#![cfg(target_os = "linux")]

use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use asyncio_streams_tests::peers::{Conn, Peer};
use asyncio_streams_tests::resources::{limit_descriptors, open_descriptors, processor_time};
use asyncio_streams_tests::{In, Program, Running, wasmtime};

/// More clients than descriptors, and fewer than the backlog holds.
const CLIENTS: usize = 40;
/// The number of clients that have descriptors.
const SPARE: u64 = 6;
/// Enough descriptors again.
const PLENTY: u64 = 1000;

/// A server, and its answer to the line `hello`.
struct Server {
    running: Running,
    address: SocketAddr,
    process: u32,
    answer: &'static str,
}

impl Server {
    fn start(program: Program, answer: &'static str) -> Self {
        Self::of(program.args(["127.0.0.1:0"]).start(In::Wasmtime), answer)
    }

    fn of(mut running: Running, answer: &'static str) -> Self {
        Server {
            address: running.listens(),
            process: running.process_id().expect("a process"),
            running,
            answer,
        }
    }

    fn talk(&self, conn: &mut Conn) {
        conn.send("hello\n");
        conn.expect(self.answer);
    }

    fn is_unharmed(&self) {
        assert!(self.running.is_running());
        assert_eq!(self.running.stderr().text(), "");
    }
}

/// Has a server of WASI 0.3, and one of WASI 0.2 on every host whose descriptors can be limited.
fn each_server(test: impl Fn(Server)) {
    let blocking = || Program::blocking_example("blocking-line-server");
    let streams = Path::new(env!("CARGO_BIN_EXE_streams-of-the-tests"));
    test(Server::of(
        blocking().args(["127.0.0.1:0"]).start_by(streams),
        "5\n",
    ));
    if wasmtime().is_none() {
        return;
    }
    test(Server::start(Program::handler("serve_echo"), "hello\n"));
    test(Server::start(blocking(), "5\n"));
    test(Server::start(blocking().without_concurrency(), "5\n"));
}

/// Returns whether the client gets an answer within some milliseconds.
fn is_served(conn: &mut Conn) -> bool {
    let stream = conn.stream();
    stream
        .set_read_timeout(Some(Duration::from_millis(20)))
        .expect("a timeout");
    stream.peek(&mut [0]).is_ok()
}

#[test]
fn a_server_waits_for_free_descriptors() {
    each_server(waits_for_free_descriptors);
}

fn waits_for_free_descriptors(server: Server) {
    let Server {
        address,
        process,
        answer,
        ..
    } = server;
    let mut faithful = Conn::connect(address);
    server.talk(&mut faithful);

    limit_descriptors(process, open_descriptors(process) + SPARE);
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| Conn::connect(address)).collect();
    for conn in &mut clients {
        conn.send("hello\n");
    }
    // The first clients use all descriptors; the others wait in the system's backlog.
    for conn in &mut clients[..SPARE as usize - 1] {
        conn.expect(answer);
    }
    assert!(!is_served(&mut clients[CLIENTS - 1]));

    // It retries, but not all the time, and serves the accepted clients.
    let (begun, used) = (Instant::now(), processor_time(process));
    while begun.elapsed() < Duration::from_secs(2) {
        server.talk(&mut faithful);
        thread::sleep(Duration::from_millis(20));
    }
    let (took, used) = (begun.elapsed(), processor_time(process) - used);
    println!("out of descriptors, the server used {used:?} of {took:?}");
    assert!(used < took / 4, "it spins: {used:?} of {took:?}");
    assert!(!is_served(&mut clients[CLIENTS - 1]));

    limit_descriptors(process, PLENTY);
    for conn in &mut clients[SPARE as usize..] {
        let conn = Conn::of(conn.stream().try_clone().expect("the same connection"));
        conn.expect("a connection").expect(answer);
    }
    server.talk(&mut faithful);
    server.is_unharmed();
}

#[test]
fn a_server_continues_as_clients_leave() {
    each_server(|server| {
        let Server {
            address,
            process,
            answer,
            ..
        } = server;
        limit_descriptors(process, open_descriptors(process) + SPARE);
        let mut clients: Vec<_> = (0..CLIENTS).map(|_| Conn::connect(address)).collect();
        for conn in &mut clients {
            conn.send("hello\n");
        }
        // Each client that leaves makes room for another; they are accepted in order.
        for mut conn in clients {
            conn.expect(answer);
            conn.end_output();
            conn.expect_end();
        }
        server.is_unharmed();
    });
}

#[test]
fn opening_fails_and_succeeds_later() {
    let mut programs = Program::everywhere("fault_descriptors");
    // This process cannot do without descriptors.
    programs.retain(|(_, place)| *place == In::Wasmtime);
    for (program, place) in programs {
        open_until_none_is_left(program, |program| program.start(place));
    }
    let blocking = Program::blocking("blocking_clients").args(["fault_descriptors"]);
    let streams = Path::new(env!("CARGO_BIN_EXE_streams-of-the-tests"));
    open_until_none_is_left(blocking, |program| program.start_by(streams));
}

fn open_until_none_is_left(program: Program, start: impl FnOnce(Program) -> Running) {
    let peer = Peer::start(|mut conn| {
        let bytes = conn.read_to_end();
        conn.send(bytes);
    });
    let mut program = start(program.args([peer.port()]).stdin());
    assert_eq!(program.line(), "ready");
    let process = program.process_id().expect("a process");
    limit_descriptors(process, open_descriptors(process) + SPARE);
    program.write_stdin(b"go on\n");
    program.wait().assert_success();
    peer.finish();
}
