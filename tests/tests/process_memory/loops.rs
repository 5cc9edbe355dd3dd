//! One operation of a program, repeated.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread;

use asyncio_streams_tests::certificates::Authority;
use asyncio_streams_tests::peers::{Conn, Nobody};
use asyncio_streams_tests::{Program, Running, tls};

use super::{Growth, Runner, source, take_turn};

/// A loop of the program `memory_loops`.
struct Loop {
    name: &'static str,
    /// Measured iterations. A third of that number runs before, as a warm-up.
    count: u64,
    /// Bytes that each iteration may leave.
    allowed: u64,
    peer: Peer,
}

/// The peer of the program.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Peer {
    /// Itself.
    Own,
    /// A port that does not listen.
    Nobody,
    /// A server that ends first, so that the connection stays in TIME_WAIT on the server's port.
    Server,
    /// Clients that connect, send a byte, receive it back, and leave.
    Clients,
}

const fn of(name: &'static str, count: u64, peer: Peer) -> Loop {
    Loop {
        name,
        count,
        // Loops with connections are shorter, and sockets vary more.
        allowed: if count >= 10_000 { 16 } else { 32 },
        peer,
    }
}

const LOOPS: &[Loop] = &[
    of("open-refused", 4000, Peer::Nobody),
    of("open", 4000, Peer::Server),
    of("accept", 4000, Peer::Clients),
    of("accept-dropped", 4000, Peer::Clients),
    of("server", 4000, Peer::Own),
    of("tcp-pair", 3000, Peer::Own),
    of("deadline", 3000, Peer::Own),
    of("into-stream", 3000, Peer::Own),
    of("into-stream-dropped", 3000, Peer::Own),
    of("echo", 10_000, Peer::Own),
    of("memory-echo", 10_000, Peer::Own),
    of("read-ready", 10_000, Peer::Own),
    of("wait-ready", 20_000, Peer::Own),
    of("read-cancel", 20_000, Peer::Own),
    of("wait-cancel", 20_000, Peer::Own),
    of("read-dropped", 20_000, Peer::Own),
    of("wait-dropped", 20_000, Peer::Own),
    of("drain", 20_000, Peer::Own),
    of("flush", 10_000, Peer::Own),
    of("wait-closed-cancel", 20_000, Peer::Own),
    of("write-stream", 10_000, Peer::Own),
    of("from-stream", 10_000, Peer::Own),
    of("sleep", 10_000, Peer::Own),
];

const PROTECTED: &[Loop] = &[
    of("tls-echo", 10_000, Peer::Own),
    of("tls-pair", 300, Peer::Own),
    of("start-tls", 300, Peer::Own),
];

#[test]
fn no_operation_leaves_anything() {
    let _turn = take_turn();
    check(&Program::new("memory_loops").stdin(), LOOPS);
}

#[test]
fn no_operation_of_tls_leaves_anything() {
    if !tls() {
        return;
    }
    let _turn = take_turn();
    let authority = Authority::new();
    let identity = authority.server("server.test");
    let given = [&authority.pem, &identity.chain, &identity.key];
    let program = Program::new("memory_loops").tls().args(given).stdin();
    check(&program, PROTECTED);
}

fn check(program: &Program, loops: &[Loop]) {
    let mut failed = Vec::new();
    for runner in Runner::all() {
        let mut running = runner.start(program.clone());
        for one in loops {
            run(&mut running, one, one.count / 3);
            let id = running.process_id().expect("a process of its own");
            let growth = Growth::of(id, one.count, one.allowed, || {
                run(&mut running, one, one.count);
            });
            let line = format!("{runner:?}, {}: an iteration leaves {growth}", one.name);
            println!("{line}");
            if !growth.is_within(one.allowed) {
                failed.push(line);
            }
        }
        running.close_stdin();
        running.wait().assert_success();
    }
    assert!(failed.is_empty(), "that is too much: {failed:#?}");
}

fn run(program: &mut Running, one: &Loop, count: u64) {
    let nobody = Nobody::new();
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = match one.peer {
        Peer::Own | Peer::Clients => 0,
        Peer::Nobody => nobody.port(),
        Peer::Server => server.local_addr().expect("its address").port(),
    };
    program.write_stdin(format!("{} {count} {port}\n", one.name).as_bytes());
    match one.peer {
        Peer::Own | Peer::Nobody => {}
        Peer::Server => {
            thread::spawn(move || {
                for _ in 0..count {
                    let (stream, _) = server.accept().expect("a client");
                    let mut conn = Conn::of(stream).expect("its socket");
                    conn.end_output();
                    conn.expect_end();
                }
            });
        }
        Peer::Clients => {
            let port = program.line().parse().expect("a port");
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            for number in 0..count {
                let mut conn = Conn::connect_from(source(number), address);
                conn.send("x");
                conn.expect("x");
            }
        }
    }
    assert_eq!(program.line(), "done", "{}", one.name);
}
