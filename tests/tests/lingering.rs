//! The end of connections and of programs: a peer that reads and sends late still receives every byte.

#[path = "lingering/exits.rs"]
mod exits;
#[path = "lingering/given.rs"]
mod given;
#[path = "lingering/late.rs"]
mod late;
#[path = "tls/rustls_peer.rs"]
mod rustls_peer;

use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use asyncio_streams_tests::peers::{Conn, PATIENCE};

/// A listening socket of this process; `accept` has a deadline.
fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listening socket");
    let deadline = socket2::SockRef::from(&listener).set_read_timeout(Some(PATIENCE));
    deadline.expect("a deadline");
    let port = listener.local_addr().expect("its address").port();
    (listener, port)
}

fn accept(listener: &TcpListener) -> Conn {
    let (stream, _) = listener.accept().expect("a connection");
    Conn::of(stream).expect("a socket with timeouts")
}

/// Waits long enough for a wrong program to end too early. A correct one does not need it.
fn a_while() {
    thread::sleep(Duration::from_millis(200));
}
