//! Calls that block: `streams-p2.wasm` under a program of WASI 0.2, on every host at hand.

#[path = "blocking/lines.rs"]
mod lines;
#[path = "blocking/peer.rs"]
mod peer;
#[path = "blocking/protected.rs"]
mod protected;
#[path = "blocking/tables.rs"]
mod tables;

use std::io::{self, Write as _};
use std::net::TcpListener;
use std::path::Path;

use asyncio_streams_tests::{Exit, In, Network, Program, Running, tls, wasmtime};

use lines::answers_lines;
use peer::Peer;

/// Runs every check at once: one program to compile, and one to start.
fn all(start: impl FnOnce(Program) -> Running) {
    let peer = Peer::start();
    let program = Program::blocking("blocking").args([peer.port]);
    start(program).wait().assert_success();
}

/// Runs the checks of ends, which need no peer.
fn ends(start: impl FnOnce(Program) -> Running) {
    let program = Program::blocking("blocking").args(["1", "ends"]);
    start(program).wait().assert_success();
}

/// Returns how each host at hand starts a program.
fn hosts() -> Vec<fn(Program) -> Running> {
    let mut hosts: Vec<fn(Program) -> Running> =
        vec![|program| program.start(In::CallAsync), |program| {
            program.start_by(Path::new(env!("CARGO_BIN_EXE_streams-of-the-tests")))
        }];
    if wasmtime().is_some() {
        hosts.push(|program| program.start(In::Wasmtime));
        hosts.push(|program| program.without_concurrency().start(In::Wasmtime));
    }
    hosts
}

#[test]
fn ends_everywhere() {
    for start in hosts() {
        ends(start);
    }
}

/// The peer of a closed connection still sends when the program ends, and gets everything.
#[test]
fn a_peer_gets_everything_after_linger() {
    for start in hosts() {
        let peer = Peer::start();
        let program =
            Program::blocking("blocking").args([&peer.port.to_string(), "ends_lingering"]);
        start(program).wait().assert_success();
        assert_eq!(peer.ask("talked"), "300000 and an end");
    }
}

/// A writer that the program neither drops nor closes loses its queue when the program ends.
#[test]
fn a_forgotten_writer_loses_its_queue() {
    for start in hosts() {
        let peer = Peer::start();
        let program = Program::blocking("blocking").args([&peer.port.to_string(), "forgotten"]);
        start(program).wait().assert_success();
        let arrived: usize = peer.ask("was").parse().expect("a number of bytes");
        assert!(arrived < 20_000_000, "{arrived} bytes arrived");
    }
}

#[test]
fn embedded() {
    all(|program| program.start(In::CallAsync));
}

#[test]
fn under_wasmtime() {
    if wasmtime().is_some() {
        all(|program| program.start(In::Wasmtime));
    }
}

/// As in hosts that know nothing of WASI 0.3.
#[test]
fn under_wasmtime_without_concurrency() {
    if wasmtime().is_some() {
        all(|program| program.without_concurrency().start(In::Wasmtime));
    }
}

/// A wasmtime from before WASI 0.3, if `OLDER_WASMTIME` names one (36.0.9 was tried).
#[test]
fn ends_under_an_older_wasmtime() {
    match std::env::var_os("OLDER_WASMTIME") {
        Some(wasmtime) => ends(|program| program.start_by_older(Path::new(&wasmtime))),
        // The test runner hides the output of the printing macros when a test passes.
        None => writeln!(
            io::stderr(),
            "LEFT OUT, since OLDER_WASMTIME names none: a wasmtime from before WASI 0.3"
        )
        .expect("standard error"),
    }
}

#[test]
fn by_the_command_of_the_host() {
    all(|program| program.start_by(Path::new(env!("CARGO_BIN_EXE_streams-of-the-tests"))));
}

/// Programs that have both ends of a connection, of which WASI 0.3 has the same.
#[test]
fn programs_of_both_versions() {
    for name in [
        "buffer",
        "close",
        "limit_overrun",
        "read",
        "readexactly",
        "readline",
        "readuntil",
        "write_eof",
    ] {
        for (program, place) in Program::blocking_everywhere(name) {
            program.run(place).assert_success();
        }
    }
}

/// Without a grant, connecting and listening are refused, and nothing traps.
#[test]
fn without_the_network() {
    Program::blocking("blocking")
        .network(Network::Nothing)
        .args(["1", "denied"])
        .run(In::CallAsync)
        .assert_success();
}

/// The host holds bytes for a peer that never reads. A wait that nothing can end is reported nevertheless.
#[test]
fn a_wait_that_nothing_can_end_is_reported_beside_an_abandoned_write() {
    let peer = Peer::start();
    Program::blocking("blocking")
        .args([
            peer.port.to_string(),
            "wait_beside_an_abandoned_write".to_owned(),
        ])
        .run(In::CallAsync)
        .assert_success();
}

/// A pollable is a child of the reader's stream. The host ends a program that drops the reader first.
#[test]
fn a_reader_dropped_before_its_pollable() {
    let program = || Program::blocking("blocking").args(["1", "reader_first"]);
    let mut outcomes = vec![program().run(In::CallAsync)];
    if wasmtime().is_some() {
        outcomes.push(program().run(In::Wasmtime));
        outcomes.push(program().without_concurrency().run(In::Wasmtime));
    }
    for outcome in outcomes {
        let Exit::Trap(reason) = &outcome.exit else {
            panic!("it went on: {outcome}");
        };
        let said = format!("{reason}{}", outcome.stderr);
        assert!(said.contains("resource has children"), "{outcome}");
    }
}

#[test]
fn protected() {
    if tls() {
        hosts().into_iter().for_each(protected::talk);
    }
}

#[test]
fn the_client_of_the_examples() {
    let peer = Peer::start();
    let outcome = Program::blocking_example("blocking-echo-client")
        .args([format!("127.0.0.1:{}", peer.echo_port())])
        .run(In::CallAsync)
        .assert_success();
    assert!(
        outcome.stdout.contains("Received: Hello World!"),
        "{outcome:?}"
    );
}

#[test]
fn the_server_of_the_examples() {
    let server = Program::blocking_example("blocking-line-server").args(["127.0.0.1:0"]);
    answers_lines(server.start(In::CallAsync));
}

/// It prints an IPv6 address with brackets, as clients take it.
#[test]
fn the_server_of_the_examples_on_ipv6() {
    if TcpListener::bind("[::1]:0").is_err() {
        eprintln!("LEFT OUT: this machine has no IPv6");
        return;
    }
    let server = Program::blocking_example("blocking-line-server").args(["[::1]:0"]);
    answers_lines(server.start(In::CallAsync));
}

#[test]
fn the_server_in_c() {
    if let Some(server) = Program::foreign_blocking("c/line_server_p2") {
        answers_lines(server.args(["127.0.0.1", "0"]).start(In::CallAsync));
    }
}
