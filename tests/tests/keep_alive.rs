//! Keep-alive: the system's settings are those of the options. The test inspects the program's sockets, which belong
//! to this process.
#![cfg(target_os = "linux")]

use std::fs;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::sync::mpsc;
use std::time::Duration;

use asyncio_streams_tests::peers::{Conn, PATIENCE, Peer};
use asyncio_streams_tests::{In, Program};
use socket2::SockRef;

/// The keep-alive settings of a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
struct KeepAlive {
    on: bool,
    idle: Duration,
    interval: Duration,
    count: u32,
}

/// The settings at one end of a connection, whose socket is in this process.
fn keep_alive(local: SocketAddr, remote: SocketAddr) -> KeepAlive {
    for entry in fs::read_dir("/proc/self/fd").expect("the descriptors") {
        let name = entry.expect("a descriptor").file_name();
        let number = name.to_str().and_then(|name| name.parse().ok());
        // SAFETY: the descriptor is only inspected. If it was closed in the meantime, the system reports an error; if
        // its number was reused, the other socket is inspected.
        let descriptor = unsafe { BorrowedFd::borrow_raw(number.expect("a number")) };
        let socket = SockRef::from(&descriptor);
        let names = [socket.local_addr(), socket.peer_addr()];
        let names = names.map(|name| name.ok().and_then(|name| name.as_socket()));
        if names == [Some(local), Some(remote)] {
            return told(&socket).expect("its options");
        }
    }
    panic!("no socket of this process connects {local} with {remote}")
}

fn told(socket: &SockRef<'_>) -> std::io::Result<KeepAlive> {
    Ok(KeepAlive {
        on: socket.keepalive()?,
        idle: socket.tcp_keepalive_time()?,
        interval: socket.tcp_keepalive_interval()?,
        count: socket.tcp_keepalive_retries()?,
    })
}

#[test]
fn keep_alive_is_set_as_in_the_options() {
    is_set(Program::new("keep_alive"));
}

#[test]
fn keep_alive_of_a_linked_program() {
    is_set(Program::linked("keep_alive"));
}

fn is_set(program: Program) {
    let (arrived, arrivals) = mpsc::channel();
    let peer = Peer::start(move |mut conn| {
        let names = (conn.stream().peer_addr(), conn.stream().local_addr());
        let names = (names.0.expect("its name"), names.1.expect("our name"));
        arrived.send(names).expect("the test");
        conn.ending();
    });
    let mut program = program.args([peer.port()]).stdin().start(In::Concurrent);
    let next = |program: &mut asyncio_streams_tests::Running, name: &str| {
        assert_eq!(program.line(), name);
        let (local, remote) = arrivals.recv_timeout(PATIENCE).expect("a connection");
        let found = keep_alive(local, remote);
        program.write_stdin(b"go on\n");
        found
    };
    let all = KeepAlive {
        on: true,
        idle: Duration::from_secs(5000),
        interval: Duration::from_secs(77),
        count: 9,
    };
    // The system's default times.
    let off = next(&mut program, "off");
    assert!(!off.on);
    assert_eq!(next(&mut program, "all"), all);
    let some = KeepAlive {
        on: true,
        count: 11,
        ..off
    };
    assert_eq!(next(&mut program, "some"), some);

    let port: u16 = program.line().parse().expect("a port");
    let client = Conn::connect(SocketAddr::from(([127, 0, 0, 1], port)));
    assert_eq!(program.line(), "accepted");
    let names = [client.stream().peer_addr(), client.stream().local_addr()];
    let [local, remote] = names.map(|name| name.expect("a name"));
    assert_eq!(keep_alive(local, remote), all);
    program.write_stdin(b"go on\n");
    program.wait().assert_success();
    peer.finish();
}

/// A program of WASI 0.2, which has both ends of its connection.
#[test]
fn keep_alive_of_calls_that_block() {
    let program = Program::blocking("blocking").args(["1", "kept_alive"]);
    let mut program = program.stdin().start(In::CallAsync);
    let ports = program.line();
    let (left, right) = ports.split_once(' ').expect("two ports");
    let [left, right] = [left, right].map(|port| {
        let port = port.parse().expect("a port");
        SocketAddr::from(([127, 0, 0, 1], port))
    });
    let at_left = KeepAlive {
        on: true,
        idle: Duration::from_secs(60),
        interval: Duration::from_secs(5),
        count: 4,
    };
    assert_eq!(keep_alive(left, right), at_left);
    let at_right = keep_alive(right, left);
    assert!(at_right.on);
    assert_eq!(at_right.idle, Duration::from_secs(70));
    // The system's default.
    assert_ne!(at_right.interval, at_left.interval);
    program.write_stdin(b"go on\n");
    program.wait().assert_success();
}
