//! Dropping: in any order, at any moment that the canonical ABI permits; everything queued still arrives.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use asyncio_streams_tests::peers::pattern;
use asyncio_streams_tests::{In, Program, wasmtime};

asyncio_streams_tests::programs! {
    embedded: [drop_pending],
    under_wasmtime_too: [drop_sides],
}

const MEGABYTE: usize = 1 << 20;

/// The client gets all of it and the end, also when it had sent what nobody read, which the system would answer with a
/// reset if the connection were just dropped.
#[test]
fn a_handler_that_writes_and_returns() {
    let embedded = [In::Concurrent, In::CallAsync];
    for place in embedded.into_iter().chain(wasmtime().map(|_| In::Wasmtime)) {
        let mut server = Program::handler("drop_handler")
            .args(["127.0.0.1:0"])
            .start(place);
        let line = server.line();
        let address = line
            .strip_prefix("listening on ")
            .expect("where it listens");
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
