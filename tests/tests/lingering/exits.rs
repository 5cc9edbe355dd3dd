//! How long a program takes to end when its peer keeps its side open: as long as the peer could lose bytes, and no
//! longer.

use std::time::{Duration, Instant};

use asyncio_streams_tests::peers::Conn;
use asyncio_streams_tests::{In, Program};

use super::{accept, listener};

/// The bounds of `linger`, and slack for a busy machine.
const SILENCE: Duration = Duration::from_secs(5);
const SILENCE_ANSWERED: Duration = Duration::from_secs(1);
const SLACK: Duration = Duration::from_secs(20);

/// How long the program runs after it has reported the close.
fn exit_takes(program: Program, place: In, what: &str, script: impl FnOnce(&mut Conn)) -> Duration {
    let (listener, port) = listener();
    let args = [port.to_string().as_str(), what, "plain"].map(str::to_owned);
    let mut program = program.args(args).start(place);
    let mut conn = accept(&listener);
    script(&mut conn);
    assert_eq!(program.line(), "closed");
    let since = Instant::now();
    program.wait().assert_success();
    let took = since.elapsed();
    drop(conn);
    took
}

#[test]
fn with_nothing_to_lose_it_ends_at_once() {
    for (program, place) in Program::composed_and_linked("linger") {
        for what in ["nothing", "abort"] {
            let took = exit_takes(program.clone(), place, what, |_| {});
            assert!(
                took < SILENCE - SILENCE_ANSWERED,
                "{what}: {took:?} ({place:?})"
            );
        }
    }
}

#[test]
fn after_an_answer_it_waits_a_second() {
    for (program, place) in Program::composed_and_linked("linger") {
        let took = exit_takes(program, place, "ask", |conn| {
            conn.expect("question\n");
            conn.send("answer\n");
        });
        assert!(
            (SILENCE_ANSWERED / 2..SILENCE).contains(&took),
            "{took:?} ({place:?})"
        );
    }
}

#[test]
fn without_an_answer_it_waits_longer() {
    let took = exit_takes(Program::new("linger"), In::Concurrent, "upload", |conn| {
        conn.expect_pattern(400_000);
    });
    assert!(
        (SILENCE - SILENCE_ANSWERED..SILENCE + SLACK).contains(&took),
        "{took:?}"
    );
}

#[test]
fn when_the_peer_has_ended_it_ends() {
    for (program, place) in Program::composed_and_linked("linger") {
        let took = exit_takes(program, place, "upload", |conn| {
            conn.end_output();
            conn.expect_pattern(400_000);
        });
        assert!(took < SILENCE - SILENCE_ANSWERED, "{took:?} ({place:?})");
    }
}
