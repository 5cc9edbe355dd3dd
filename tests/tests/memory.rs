//! The bound of the memory of all connections of a component: peers and callers that never stop reach it, and the
//! others continue.

use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use asyncio_streams_tests::peers::{Pattern, Peer};
use asyncio_streams_tests::{In, Program};

const MEGABYTE: usize = 1 << 20;

/// The most linear memory of all components: the bound is 768 MiB, and a queue or a buffer that grows takes twice its
/// size for a moment.
const MOST: usize = 1536 * MEGABYTE;

#[test]
fn the_memory_of_a_component_is_bounded() {
    is_bounded(Program::new("memory_bound"));
}

#[test]
fn the_memory_of_a_linked_program_is_bounded() {
    is_bounded(Program::linked("memory_bound"));
}

/// One at a time: each takes most of a gigabyte.
fn is_bounded(program: Program) {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let peer = Peer::start(|conn| {
        let mut pattern = Pattern::default();
        // Until the other side is gone.
        while conn.stream().write_all(&pattern.next(MEGABYTE)).is_ok() {}
    });
    let mut program = program.args([peer.port()]).stdin().start(In::Concurrent);
    assert_eq!(program.line(), "done");
    let peak = program.linear_memory().expect("a program in this process");
    program.close_stdin();
    program.wait().assert_success();
    peer.finish();
    println!("{} MiB of linear memory", peak / MEGABYTE);
    assert!(peak < MOST, "{} MiB of linear memory", peak / MEGABYTE);
}
