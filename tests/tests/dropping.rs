//! Dropping, in any order and at any moment that the canonical ABI permits: all queued bytes still arrive.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use asyncio_streams_tests::peers::pattern;
use asyncio_streams_tests::{In, Program};

asyncio_streams_tests::programs! {
    embedded: [drop_pending],
    under_wasmtime_too: [drop_sides],
}

const MEGABYTE: usize = 1 << 20;

/// The client receives all bytes and the end, even with unread input of its own. The system would answer that with a
/// reset if the socket were just closed.
#[test]
fn a_handler_that_writes_and_returns() {
    for place in In::every_place() {
        let mut server = Program::handler("drop_handler")
            .args(["127.0.0.1:0"])
            .start(place);
        let address = server.listens();
        for unread in [0, 1, 100_000] {
            for slow in [false, true] {
                let mut client = TcpStream::connect(address).expect("a connection");
                client
                    .set_read_timeout(Some(Duration::from_secs(30)))
                    .expect("a deadline");
                client
                    .write_all(&vec![b'?'; unread])
                    .expect("the question sent");
                if slow {
                    client
                        .shutdown(Shutdown::Write)
                        .expect("the end of the question");
                }
                let mut answer = Vec::new();
                let end = client.read_to_end(&mut answer);
                assert!(
                    end.is_ok(),
                    "after {} bytes: {end:?} ({server})",
                    answer.len()
                );
                assert!(
                    answer == pattern(MEGABYTE),
                    "{} bytes, others than expected",
                    answer.len()
                );
            }
        }
        server.stop();
    }
}
