//! Missing descriptors: the server waits for some without spinning, and clients get an error.
#![cfg(target_os = "linux")]

use std::net::SocketAddr;
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

fn start() -> (Running, SocketAddr, u32) {
    let mut server = Program::handler("serve_echo")
        .args(["127.0.0.1:0"])
        .start(In::Wasmtime);
    let address = server.listens();
    let process = server.process_id().expect("a process");
    (server, address, process)
}

fn talk(conn: &mut Conn) {
    conn.send("hello\n");
    conn.expect("hello\n");
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
    if wasmtime().is_none() {
        return;
    }
    let (server, address, process) = start();
    let mut faithful = Conn::connect(address);
    talk(&mut faithful);

    limit_descriptors(process, open_descriptors(process) + SPARE);
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| Conn::connect(address)).collect();
    for conn in &mut clients {
        conn.send("hello\n");
    }
    // The first clients use all descriptors; the others wait in the system's backlog.
    for conn in &mut clients[..SPARE as usize - 1] {
        conn.expect("hello\n");
    }
    assert!(!is_served(&mut clients[CLIENTS - 1]));

    // It retries, but not all the time, and serves the accepted clients.
    let (begun, used) = (Instant::now(), processor_time(process));
    while begun.elapsed() < Duration::from_secs(2) {
        talk(&mut faithful);
        thread::sleep(Duration::from_millis(20));
    }
    let (took, used) = (begun.elapsed(), processor_time(process) - used);
    println!("out of descriptors, the server used {used:?} of {took:?}");
    assert!(used < took / 4, "it spins: {used:?} of {took:?}");
    assert!(!is_served(&mut clients[CLIENTS - 1]));

    limit_descriptors(process, PLENTY);
    for conn in &mut clients[SPARE as usize..] {
        let conn = Conn::of(conn.stream().try_clone().expect("the same connection"));
        conn.expect("a connection").expect("hello\n");
    }
    talk(&mut faithful);
    assert!(server.is_running());
    assert_eq!(server.stderr().text(), "");
}

#[test]
fn a_server_continues_as_clients_leave() {
    if wasmtime().is_none() {
        return;
    }
    let (server, address, process) = start();
    limit_descriptors(process, open_descriptors(process) + SPARE);
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| Conn::connect(address)).collect();
    for conn in &mut clients {
        conn.send("hello\n");
    }
    // Each client that leaves makes room for another; they are accepted in order.
    for mut conn in clients {
        conn.expect("hello\n");
        conn.end_output();
        conn.expect_end();
    }
    assert!(server.is_running());
    assert_eq!(server.stderr().text(), "");
}

#[test]
fn opening_fails_and_succeeds_later() {
    if wasmtime().is_none() {
        return;
    }
    let peer = Peer::start(|mut conn| {
        let bytes = conn.read_to_end();
        conn.send(bytes);
    });
    let mut program = Program::new("fault_descriptors")
        .args([peer.port()])
        .stdin()
        .start(In::Wasmtime);
    assert_eq!(program.line(), "ready");
    let process = program.process_id().expect("a process");
    limit_descriptors(process, open_descriptors(process) + SPARE);
    program.write_stdin(b"go on\n");
    program.wait().assert_success();
    peer.finish();
}
