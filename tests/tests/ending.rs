//! The end of the stream, at any moment, and the end of a task while others wait.

use std::net::SocketAddr;

use asyncio_streams_tests::peers::Conn;
use asyncio_streams_tests::{In, Program};

asyncio_streams_tests::programs! {
    embedded: [],
    under_wasmtime_too: [end_while_cancelling],
}

fn begin(address: SocketAddr, order: &str, answer: &str) -> Conn {
    let mut conn = Conn::connect(address);
    conn.send(order);
    conn.expect(answer);
    conn
}

/// The task that has waited for all of them ends. Another one goes on, though the first connection has no task at all.
#[test]
fn a_task_that_ends_while_others_wait() {
    for place in In::every_place() {
        let mut server = Program::handler("serve_leaving")
            .args(["127.0.0.1:0"])
            .start(place);
        let address = server.listens();
        let _idle = begin(address, "idle\n", "idle\n");
        let mut later = begin(address, "later\n", "begun\n");
        let mut other = begin(address, "echo\n", "begun\n");
        for round in 0..3 {
            let line = format!("{round}\n");
            later.send(&line);
            later.expect(&line);
        }
        later.end_output();
        later.expect_end();
        other.send("still there\n");
        other.expect("still there\n");
        server.stop();
    }
}
