//! The writes of one turn leave as one segment. WASI has no `TCP_NODELAY`, so a second small segment would wait for
//! the peer's acknowledgement of the first (RFC 896), which the peer delays for 40 ms or more. The peer asks its
//! system how many segments arrived; the tests do not depend on time.
#![cfg(target_os = "linux")]

use asyncio_streams_tests::peers::{Conn, Peer};
use asyncio_streams_tests::{In, Program};

/// Questions on each connection; the program has the same constant.
const QUESTIONS: u32 = 15;

/// Connections at once.
const CONNECTIONS: usize = 20;

#[test]
fn writes_of_one_turn() {
    for (program, place) in Program::composed_and_linked("segments") {
        let peer = Peer::start(|mut conn| {
            for number in 1..=QUESTIONS {
                conn.expect("ask now\n");
                assert_eq!(conn.segments_in(), number);
                conn.send(".");
            }
            conn.expect_end();
        });
        let arguments = [
            peer.port().to_string(),
            QUESTIONS.to_string(),
            CONNECTIONS.to_string(),
        ];
        program.args(arguments).run(place).assert_success();
        peer.finish();
    }
}

/// The other side: a handler whose answer has three parts, to several clients at once.
#[test]
fn answers_of_a_handler() {
    for place in In::every_place() {
        let mut server = Program::example_handler("key-value-server")
            .args(["127.0.0.1:0"])
            .start(place);
        let address = server.listens();
        let mut clients: Vec<_> = (0..CONNECTIONS).map(|_| Conn::connect(address)).collect();
        for (number, client) in clients.iter_mut().enumerate() {
            client.send(format!("set {number} 5\r\nvalue\r\n"));
            client.expect("stored\r\n");
        }
        for number in 2..=QUESTIONS {
            for (key, client) in clients.iter_mut().enumerate() {
                client.send(format!("get {key}\r\n"));
            }
            for client in &mut clients {
                client.expect("value 5\r\nvalue\r\n");
                assert_eq!(client.segments_in(), number);
            }
        }
        assert!(server.is_running());
    }
}

/// The count can exceed one for each question: separate sends are counted separately.
#[test]
fn separate_sends_are_counted_separately() {
    let peer = Peer::start(|mut conn| {
        conn.send("a");
        conn.expect("-");
        conn.send("b");
        conn.expect("-");
    });
    let mut conn = Conn::connect(peer.address());
    conn.expect("a");
    conn.send("-");
    conn.expect("b");
    conn.send("-");
    assert_eq!(conn.segments_in(), 2);
    peer.finish();
}
