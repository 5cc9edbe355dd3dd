//! Peers that read and write only after the program has nothing more to do.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use asyncio_streams_tests::certificates::{Authority, Identity};
use asyncio_streams_tests::peers::{Conn, Pattern};
use asyncio_streams_tests::{In, Program, Running, tls};
use rustls::Connection;

use super::rustls_peer::{Peer, SERVER, shake_hands, step, write};
use super::{a_while, accept, listener};

const MUCH: usize = 400_000;

/// Less than the silence after which a program ends: an earlier end follows the peer's.
const AT_ONCE: Duration = Duration::from_secs(4);

struct Given {
    authority: Authority,
    identity: Identity,
}

impl Given {
    fn new() -> Self {
        let authority = Authority::new();
        let identity = authority.server(SERVER);
        Given {
            authority,
            identity,
        }
    }

    /// The other end, before the handshake.
    fn peer(&self, server: bool, version: &str) -> Connection {
        Peer::new(&self.authority, &self.identity).connection(server, version)
    }

    /// Adds the arguments for a port, an action and a version of TLS.
    fn set(&self, program: Program, port: u16, what: &str, version: &str) -> Program {
        let (port, Identity { chain, key }) = (port.to_string(), &self.identity);
        program.args([&port, what, version, &self.authority.pem, chain, key])
    }
}

/// Starts the program and connects it, from either side.
fn start(
    given: &Given,
    (program, place): (Program, In),
    what: &str,
    version: &str,
    serves: bool,
) -> (Running, Conn) {
    if serves {
        let mut program = given.set(program, 0, what, version).start(place);
        let port: u16 = program.line().parse().expect("a port");
        let conn = Conn::connect(([127, 0, 0, 1], port).into());
        return (program, conn);
    }
    let (listener, port) = listener();
    let program = given.set(program, port, what, version).start(place);
    (program, accept(&listener))
}

/// The program ends at once after its peer.
fn ended(program: Running) {
    let since = Instant::now();
    program.wait().assert_success();
    let took = since.elapsed();
    assert!(took < AT_ONCE, "it ended {took:?} after its peer");
}

#[test]
fn over_tcp() {
    let given = Given::new();
    for (of, place) in Program::composed_and_linked("linger") {
        for serves in [false, true] {
            for what in ["upload", "drop"] {
                let of = (of.clone(), place);
                let (mut program, mut conn) = start(&given, of, what, "plain", serves);
                assert_eq!(program.line(), "closed");
                let mut pattern = Pattern::default();
                let mut buffer = vec![0; 10_000];
                while pattern.position() < MUCH {
                    // Without the socket, each of these bytes would be answered by a reset.
                    if pattern.position() % 100_000 == 0 {
                        a_while();
                        conn.send("late");
                        a_while();
                    }
                    let most = 10_000 - pattern.position() % 10_000;
                    match conn.stream().read(&mut buffer[..most]) {
                        Ok(n @ 1..) => pattern.check(&buffer[..n]),
                        other => panic!(
                            "{other:?} after {} bytes ({what}, {place:?}, serves: {serves})",
                            pattern.position()
                        ),
                    }
                }
                conn.send("later still");
                conn.expect_end();
                drop(conn);
                ended(program);
            }
        }
    }
}

#[test]
fn over_tls() {
    if !tls() {
        return;
    }
    let given = Given::new();
    for (of, place) in Program::composed_and_linked("linger") {
        for version in ["1.3", "1.2"] {
            for serves in [false, true] {
                let of = (of.clone().tls(), place);
                let (mut program, conn) = start(&given, of, "upload", version, serves);
                let mut tls = given.peer(!serves, version);
                let stream = conn.stream();
                // A server of TLS 1.3 sends its tickets after the client's last handshake message, which it reads
                // late here.
                if !serves && version == "1.3" {
                    shake_hands_late(&mut tls, stream);
                } else {
                    shake_hands(&mut tls, stream);
                }
                assert_eq!(program.line(), "closed");
                a_while();
                let read = read_late(&mut tls, stream);
                assert_eq!(
                    read, MUCH,
                    "bytes ({version}, {place:?}, serves: {serves}, {program})"
                );
                tls.send_close_notify();
                write(&mut tls, stream);
                drop(conn);
                ended(program);
            }
        }
    }
}

/// Performs the handshake of a server of TLS 1.3 up to its own last message; the client's last one stays unread.
fn shake_hands_late(tls: &mut Connection, stream: &TcpStream) {
    while !tls.wants_write() {
        step(tls, stream);
    }
    write(tls, stream);
}

/// Reads to the clean end, and sends in between; returns how many bytes of the pattern arrived.
fn read_late(tls: &mut Connection, mut stream: &TcpStream) -> usize {
    let mut pattern = Pattern::default();
    let mut buffer = vec![0; 20_000];
    let mut reads = 0;
    loop {
        match tls.read_tls(&mut stream) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => panic!("{error} after {} bytes", pattern.position()),
        }
        let state = tls.process_new_packets().expect("records that are right");
        reads += 1;
        if reads % 20 == 1 {
            tls.writer().write_all(b"late").expect("room");
        }
        // This sends the tickets, too.
        write(tls, stream);
        if reads == 1 {
            a_while();
        }
        loop {
            match tls.reader().read(&mut buffer) {
                Ok(n @ 1..) => pattern.check(&buffer[..n]),
                Ok(0) => break,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error} after {} bytes", pattern.position()),
            }
        }
        if state.peer_has_closed() {
            break;
        }
    }
    pattern.position()
}
