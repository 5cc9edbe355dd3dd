//! Peers that reset a protected connection while this side writes: every call returns the same reason.

use std::net::{TcpListener, TcpStream};

use asyncio_streams_tests::certificates::Authority;
use asyncio_streams_tests::peers::{Conn, PATIENCE};
use asyncio_streams_tests::{In, Program, tls};

use super::SERVER;
use super::rustls_peer::{Peer, shake_hands};

#[test]
fn have_one_reason() {
    if !tls() {
        return;
    }
    let authority = Authority::new();
    let identity = authority.server(SERVER);
    let peer = Peer::new(&authority, &identity);
    for (of, place) in Program::composed_and_linked("tls_lost") {
        for version in ["1.3", "1.2"] {
            for reads in ["later", "meanwhile", "stream"] {
                for serves in [true, false] {
                    // A reset on purpose, and one because of unread input.
                    for unread in [false, true] {
                        // Where each run compiles the program, half of the cases suffice.
                        if place == In::Wasmtime && unread == serves {
                            continue;
                        }
                        let program = |port: u16| {
                            let port = port.to_string();
                            let certificates = [&authority.pem, &identity.chain, &identity.key];
                            of.clone()
                                .tls()
                                .args([port.as_str(), reads, version])
                                .args(certificates)
                                .start(place)
                        };
                        let (program, stream) = if serves {
                            let mut program = program(0);
                            let port: u16 = program.line().parse().expect("a port");
                            let stream = TcpStream::connect(("127.0.0.1", port));
                            (program, stream.expect("a connection"))
                        } else {
                            let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
                            let deadline =
                                socket2::SockRef::from(&listener).set_read_timeout(Some(PATIENCE));
                            deadline.expect("a deadline");
                            let port = listener.local_addr().expect("its address").port();
                            let program = program(port);
                            (program, listener.accept().expect("a connection").0)
                        };
                        let conn = Conn::of(stream).expect("a socket with timeouts");
                        shake_hands(&mut peer.connection(!serves, version), conn.stream());
                        // The program is writing by then.
                        conn.stream().peek(&mut [0]).expect("a byte");
                        if unread {
                            drop(conn);
                        } else {
                            conn.reset();
                        }
                        program.wait().assert_success();
                    }
                }
            }
        }
    }
}
