//! The headers of C and C++, tested against a server that echoes lines.

use asyncio_streams_tests::{In, Program};

use crate::{Client, serve};

/// Runs a program that checks itself.
fn checks_itself(name: &str) {
    for place in In::every_place() {
        let (Some(program), Some(server)) = (
            Program::foreign(name),
            Program::foreign_handler("c/line_server"),
        ) else {
            return;
        };
        let (server, address) = serve(server, place);
        let program = program
            .args([address.ip().to_string()])
            .args([address.port()]);
        assert_eq!(program.run(place).assert_success().stdout, "all well\n");
        assert!(server.is_running());
    }
}

#[test]
fn loops_deadlines_cancelling_and_mistakes() {
    checks_itself("c/behaviour");
}

#[test]
fn coroutines() {
    checks_itself("c/coroutines");
}

#[test]
fn two_clients_in_cpp() {
    let (Some(program), Some(server)) = (
        Program::foreign("c/two_clients"),
        Program::foreign_handler("c/line_server"),
    ) else {
        return;
    };
    let (_server, address) = serve(server, In::Concurrent);
    let program = program
        .args([address.ip().to_string()])
        .args([address.port()]);
    let said = program.run(In::Concurrent).assert_success().stdout;
    let mut lines: Vec<&str> = said.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["Received: one", "Received: two"]);
}

#[test]
fn a_handler_that_blocks_or_has_no_pending_call_gets_an_error() {
    let Some(handler) = Program::foreign_handler("c/impatient") else {
        return;
    };
    let (mut server, address) = serve(handler, In::Concurrent);
    let mut silent = Client::connect(address);
    assert_eq!(silent.hear(), "a handler must not block: use STREAMS_AWAIT");
    assert_eq!(silent.hear(), "late");
    assert_eq!(silent.hear(), "");

    // A line that arrives before the handler waits, or in time.
    for (line, log) in [
        (
            "nothing",
            "the handler waits for nothing: no call of its loop is pending",
        ),
        ("fail", "as the client wished"),
    ] {
        // On a busy machine the 50 ms may pass first; then the client tries again.
        loop {
            let mut client = Client::connect(address);
            client.say(line);
            let mut heard = client.hear();
            if heard.starts_with("a handler must not block") {
                heard = client.hear();
            }
            if heard != "late" {
                break;
            }
        }
        let logged = server.stderr_line();
        assert!(logged.contains(log), "{logged}");
    }
    assert!(server.is_running());
}
