//! Clients that misbehave, and a server that continues to serve the others.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use asyncio_streams_tests::peers::{Conn, Crowd, End, PATIENCE, pattern};
use asyncio_streams_tests::{In, Program, Running};

/// The number of clients of each kind, one after the other.
const ROUNDS: usize = 20;

/// Sends a line and waits for it to come back.
fn talk(conn: &mut Conn, line: &str) {
    conn.send(line);
    conn.expect(line);
}

/// Checks that a new client is served.
fn serves(address: SocketAddr) {
    let mut conn = Conn::connect(address);
    for round in 0..10 {
        talk(&mut conn, &format!("line {round}\n"));
    }
    conn.end_output();
    conn.expect_end();
}

fn start(place: In) -> (Running, SocketAddr) {
    let mut server = Program::handler("serve_echo")
        .args(["127.0.0.1:0"])
        .start(place);
    let address = server.listens();
    (server, address)
}

/// In this process, and under the program `wasmtime`.
fn everywhere(test: impl Fn(Running, SocketAddr)) {
    for place in In::each_host() {
        let (server, address) = start(place);
        test(server, address);
    }
}

#[test]
fn clients_that_leave_in_any_order() {
    everywhere(|_server, address| {
        // The call for the first client runs the handlers of all others, also after its own has ended.
        for leaving in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [0, 2, 1]] {
            let mut clients = [0, 1, 2].map(|_| Some(Conn::connect(address)));
            for index in leaving {
                for client in clients.iter_mut().flatten() {
                    talk(client, "hello\n");
                }
                let mut client = clients[index].take().expect("a client");
                client.end_output();
                client.expect_end();
            }
        }
        serves(address);
    });
}

#[test]
fn clients_that_reset_at_every_stage() {
    everywhere(|server, address| {
        let mut faithful = Conn::connect(address);
        for _ in 0..ROUNDS {
            // Before it is accepted, where possible; after some bytes; with an answer on its way, read or not.
            Conn::connect(address).reset();
            let mut conn = Conn::connect(address);
            conn.send(pattern(10_000));
            conn.reset();
            let mut conn = Conn::connect(address);
            talk(&mut conn, "something\n");
            conn.reset();
            let mut conn = Conn::connect(address);
            conn.send(pattern(1000));
            conn.expect(pattern(10));
            conn.reset();
            talk(&mut faithful, "still here\n");
        }
        serves(address);
        assert!(server.is_running());
    });
}

#[test]
fn clients_that_had_reset_before_they_were_accepted() {
    // A program of WASI 0.3 needs an event loop for its standard input.
    let programs = Program::on_each_host("fault_reset_accepting");
    let blocking = Program::blocking_everywhere("fault_reset_accepting");
    let mut servers: Vec<_> = programs
        .into_iter()
        .chain(blocking)
        .map(|(program, place)| program.stdin().start(place))
        .collect();
    let blocking = Program::blocking("blocking_clients").args(["fault_reset_accepting"]);
    let streams = Path::new(env!("CARGO_BIN_EXE_streams-of-the-tests"));
    servers.push(blocking.stdin().start_by(streams));
    for mut server in servers {
        let port: u16 = server.line().parse().expect("a port");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        // In turns: a client that resets, one that resets with bytes in flight, one that stays.
        let good: Vec<_> = (0..3)
            .map(|_| {
                Conn::connect(address).reset();
                let mut conn = Conn::connect(address);
                conn.send("bye");
                conn.reset();
                let mut conn = Conn::connect(address);
                conn.send("hello\n");
                conn
            })
            .collect();
        server.write_stdin(b"go on\n");
        for mut conn in good {
            conn.expect("hello\n");
            conn.expect_end();
        }
        server.wait().assert_success();
    }
}

#[test]
fn flood_of_connects_that_die_at_once() {
    everywhere(|server, address| {
        let mut faithful = Conn::connect(address);
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..2000 {
                    Conn::connect(address).reset();
                }
                over.store(true, Ordering::SeqCst);
            });
            while !over.load(Ordering::SeqCst) {
                talk(&mut faithful, "still here\n");
                serves(address);
            }
        });
        serves(address);
        assert!(server.is_running());
    });
}

#[test]
fn client_that_ends_its_output_is_still_answered() {
    everywhere(|_server, address| {
        let mut conn = Conn::connect(address);
        conn.send(pattern(100_000));
        conn.end_output();
        conn.expect_pattern(100_000);
        conn.expect_end();
    });
}

#[test]
fn client_that_never_reads_delays_no_other() {
    everywhere(|server, address| {
        let mut greedy = Conn::connect(address);
        // The client never reads the echo, so the server stops reading: its buffers are bounded.
        let sent = greedy.send_until_stuck(Duration::from_millis(500));
        assert!(sent < 64 << 20, "{sent} bytes were taken");
        serves(address);
        greedy.reset();
        serves(address);
        assert!(server.is_running());
    });
}

#[test]
fn client_that_sends_byte_by_byte() {
    everywhere(|_server, address| {
        let mut conn = Conn::connect(address);
        let bytes = pattern(2000);
        conn.send_one_by_one(&bytes);
        conn.expect(&bytes);
        conn.end_output();
        conn.expect_end();
    });
}

/// All kinds at once, beside well-behaved clients: none of their answers is lost or late.
#[test]
fn mixture() {
    everywhere(|server, address| {
        let over = AtomicBool::new(false);
        let slowest = thread::scope(|scope| {
            let misbehave: [fn(SocketAddr); 5] = [
                |address| Conn::connect(address).reset(),
                |address| {
                    let mut conn = Conn::connect(address);
                    conn.send_until_stuck(Duration::from_millis(50));
                    conn.reset();
                },
                |address| {
                    let mut conn = Conn::connect(address);
                    conn.send_one_by_one(pattern(100));
                    conn.end_output();
                    assert_eq!(conn.ending(), End::Fin);
                },
                |address| {
                    let mut conn = Conn::connect(address);
                    conn.send(pattern(100_000));
                    conn.reset();
                },
                |address| drop(Conn::connect(address)),
            ];
            for act in misbehave {
                let over = &over;
                scope.spawn(move || {
                    while !over.load(Ordering::SeqCst) {
                        act(address);
                    }
                });
            }
            let slowest = Crowd::run(4, |_| work(address));
            over.store(true, Ordering::SeqCst);
            slowest.into_iter().max().unwrap_or_default()
        });
        println!("the slowest of the fast clients' answers took {slowest:?}");
        assert!(slowest < PATIENCE / 20, "an answer took {slowest:?}");
        serves(address);
        assert!(server.is_running());
    });
}

/// A well-behaved client; returns how long the slowest answer took.
fn work(address: SocketAddr) -> Duration {
    let mut conn = Conn::connect(address);
    let bytes = pattern(5000);
    let mut slowest = Duration::ZERO;
    for _ in 0..300 {
        let asked = Instant::now();
        conn.send(&bytes);
        conn.expect(&bytes);
        slowest = slowest.max(asked.elapsed());
    }
    conn.end_output();
    conn.expect_end();
    slowest
}
