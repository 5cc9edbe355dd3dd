//! How much all connections of a component may hold together: peers and callers that never stop get so far, and the
//! others go on.

use std::io::Write as _;

use asyncio_streams_tests::peers::{Pattern, Peer};
use asyncio_streams_tests::{In, Program};

const MEGABYTE: usize = 1 << 20;

/// Linear memory at the most, of all components: what may be held is 768 MiB, and a queue or a buffer that grows takes
/// twice its size for a moment.
const MOST: usize = 1536 * MEGABYTE;

#[test]
fn bound_of_the_component() {
    let peer = Peer::start(|conn| {
        let mut pattern = Pattern::default();
        // Until the other side is gone.
        while conn.stream().write_all(&pattern.next(MEGABYTE)).is_ok() {}
    });
    let program = Program::new("memory_bound").args([peer.port()]);
    let mut program = program.stdin().start(In::Concurrent);
    assert_eq!(program.line(), "done");
    let peak = program.linear_memory().expect("a program in this process");
    program.close_stdin();
    program.wait().assert_success();
    peer.finish();
    println!("{} MiB of linear memory", peak / MEGABYTE);
    assert!(peak < MOST, "{} MiB of linear memory", peak / MEGABYTE);
}
