//! Names with several addresses: which of them is connected to, and what happens to the others (RFC 8305). The
//! addresses are loopback's; the test provides the name service.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::Read;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use asyncio_streams_tests::peers::{BlackHole, Conn, Nobody, PATIENCE, Peer};
use asyncio_streams_tests::{In, Program, Running};

/// A kind of program, and its place. The name service is in this process, so the program must be too.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Concurrent,
    CallAsync,
    /// Linked.
    Linked,
    /// One of WASI 0.2.
    Blocking,
}

const PLACES: [Place; 4] = [
    Place::Concurrent,
    Place::CallAsync,
    Place::Linked,
    Place::Blocking,
];

/// A port of several addresses of 127/8 that no other test uses.
struct Port(Nobody);

impl Port {
    fn new() -> Self {
        // While this is bound, the system does not assign the port to others.
        Port(Nobody::new())
    }

    fn of(&self, last: u8) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, last], self.0.port()))
    }

    fn black_hole(&self, last: u8) -> BlackHole {
        BlackHole::at(self.of(last)).expect("a listening socket")
    }

    fn echo(&self, last: u8) -> Echo {
        let listener = TcpListener::bind(self.of(last)).expect("a listening socket");
        let (connected, spoken) = (Arc::default(), Arc::default());
        Echo {
            connected: Arc::clone(&connected),
            spoken: Arc::clone(&spoken),
            peer: Peer::start_on(listener, move |number, conn| {
                connected.fetch_max(number + 1, Ordering::SeqCst);
                answer(conn, &spoken);
            }),
        }
    }

    /// Starts the program, for which the name has these addresses.
    fn start(&self, place: Place, case: &str, addresses: &[&str]) -> Running {
        let addresses = addresses
            .iter()
            .map(|address| address.parse::<IpAddr>().expect("an address"));
        let port = self.0.port().to_string();
        let program = match place {
            Place::Blocking => Program::blocking("blocking")
                .args([&port, &format!("name_{}", case.replace(' ', "_"))]),
            Place::Linked => Program::linked("happy_eyeballs").args([case, &port]),
            Place::Concurrent | Place::CallAsync => {
                Program::new("happy_eyeballs").args([case, &port])
            }
        };
        let program = program.name("many.example", addresses).stdin();
        program.start(match place {
            Place::Concurrent => In::Concurrent,
            Place::CallAsync | Place::Linked | Place::Blocking => In::CallAsync,
        })
    }
}

/// A peer that answers, and counts connections.
struct Echo {
    peer: Peer,
    connected: Arc<AtomicUsize>,
    spoken: Arc<AtomicUsize>,
}

impl Echo {
    /// Returns how many connections there were, and how many of them sent data.
    fn finish(self) -> (usize, usize) {
        // Connections are accepted in order: once a further one is answered, all earlier ones were counted.
        let mut last = Conn::connect(self.peer.address());
        last.send("hello\n");
        last.expect("hello\n");
        drop(last);
        self.peer.finish();
        let [connected, spoken] = [self.connected, self.spoken].map(|n| n.load(Ordering::SeqCst));
        (connected - 1, spoken - 1)
    }
}

fn answer(mut conn: Conn, spoken: &AtomicUsize) {
    let mut line = [0; 6];
    // A connection that was not chosen ends without data.
    match conn.stream().read(&mut line) {
        Ok(0) => {}
        Ok(n) => {
            assert_eq!(&line[..n], b"hello\n");
            spoken.fetch_add(1, Ordering::SeqCst);
            conn.send(line);
            conn.expect_end();
        }
        Err(error) => panic!("{error}"),
    }
}

/// Waits for this line of the program, and lets the program continue.
fn at(program: &mut Running, point: &str) {
    assert_eq!(program.line(), point);
}

fn go_on(program: &mut Running) {
    program.write_stdin(b"go on\n");
}

/// Returns the number of sockets of this process' network that wait for an answer from an address: in the state SYN-SENT, 2 of
/// proc_net_tcp(5).
fn connecting_to(address: SocketAddr) -> usize {
    let SocketAddr::V4(address) = address else {
        panic!("{address} is not of IPv4")
    };
    // The address in the machine's byte order, in hexadecimal.
    let ip = u32::from_ne_bytes(address.ip().octets());
    let wanted = format!("{ip:08X}:{:04X}", address.port());
    let table = fs::read_to_string("/proc/self/net/tcp").expect("the table of connections");
    let waiting = table.lines().filter(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        fields.get(2) == Some(&wanted.as_str()) && fields.get(3) == Some(&"02")
    });
    waiting.count()
}

/// Waits until this many sockets are connecting: the runtime may close sockets later.
fn wait_until_connecting(address: SocketAddr, wanted: usize) {
    let give_up = Instant::now() + PATIENCE;
    loop {
        let found = connecting_to(address);
        if found == wanted {
            return;
        }
        assert!(
            Instant::now() < give_up,
            "{found} sockets still connect to {address}, {wanted} should"
        );
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_next_attempt_follows_a_refusal() {
    for place in PLACES {
        let port = Port::new();
        let good = port.echo(4);
        port.start(place, "refused", &["127.0.0.2", "127.0.0.3", "127.0.0.4"])
            .wait()
            .assert_success();
        assert_eq!(good.finish(), (2, 0));
    }
}

#[test]
fn the_next_attempt_runs_beside_a_black_hole() {
    for place in PLACES {
        let port = Port::new();
        let (hole, good) = (port.black_hole(2), port.echo(4));
        let mut program = port.start(place, "black hole", &["127.0.0.2", "127.0.0.4"]);
        for _ in 0..2 {
            at(&mut program, "connected");
            // The other attempt's socket is closed, while this connection continues.
            wait_until_connecting(hole.address(), 0);
            go_on(&mut program);
        }
        program.wait().assert_success();
        assert_eq!(good.finish(), (2, 0));
    }
}

#[test]
fn one_after_another() {
    for place in PLACES {
        let port = Port::new();
        let (hole, good) = (port.black_hole(2), port.echo(4));
        let mut program = port.start(place, "one after another", &["127.0.0.2", "127.0.0.4"]);
        at(&mut program, "late");
        wait_until_connecting(hole.address(), 0);
        go_on(&mut program);
        // A call that blocks cannot be dropped.
        if place != Place::Blocking {
            at(&mut program, "waiting");
            wait_until_connecting(hole.address(), 1);
            go_on(&mut program);
            at(&mut program, "given up");
            wait_until_connecting(hole.address(), 0);
            go_on(&mut program);
        }
        program.wait().assert_success();
        assert_eq!(good.finish(), (0, 0));
    }
}

#[test]
fn all_at_once() {
    for place in PLACES {
        let port = Port::new();
        let (hole, one, other) = (port.black_hole(2), port.echo(3), port.echo(4));
        let addresses = ["127.0.0.2", "127.0.0.3", "127.0.0.4"];
        let mut program = port.start(place, "all at once", &addresses);
        at(&mut program, "done");
        wait_until_connecting(hole.address(), 0);
        // Every connection must have ended by now, or these calls hang.
        let (one, other) = (one.finish(), other.finish());
        assert_eq!(one.1 + other.1, 20);
        go_on(&mut program);
        program.wait().assert_success();
    }
}

#[test]
fn all_fail() {
    for place in PLACES {
        let port = Port::new();
        let addresses = ["127.0.0.2", "0.0.0.0", "127.0.0.3", "::1"];
        port.start(place, "all fail", &addresses)
            .wait()
            .assert_success();
    }
}

#[test]
fn local_addresses_in_turn() {
    for place in PLACES {
        let port = Port::new();
        let good = port.echo(4);
        port.start(place, "local addresses", &["127.0.0.2", "127.0.0.4"])
            .wait()
            .assert_success();
        assert_eq!(good.finish(), (1, 0));
    }
}

/// A name that is not in the table, over WASI 0.2.
#[test]
fn an_unknown_name() {
    let port = Port::new();
    port.start(Place::Blocking, "unknown", &["127.0.0.2"])
        .wait()
        .assert_success();
}
