//! Node as a host of WASI 0.2, by jco; and programs in JavaScript, by componentize-js, which take minutes to build and to compile:
//! `cargo xtask javascript` runs them.

#[path = "blocking/lines.rs"]
mod lines;
#[path = "blocking/peer.rs"]
mod peer;
#[path = "blocking/protected.rs"]
mod protected;

use std::time::Duration;

use asyncio_streams_tests::{Exit, In, Outcome, Program, node_script, tls, wasmtime};

use lines::answers_lines;
use peer::Peer;

/// Compiling a program in JavaScript takes half a minute, the slow checks take minutes, and this machine may be busy.
const DEADLINE: Duration = Duration::from_secs(900);

/// Runs checks of `tests/blocking` on Node, if it is there: a group of them, or one by its name. `tests/blocking/src/checks.rs`
/// has the groups.
fn checks(name: &str) -> Option<Outcome> {
    let script = node_script()?;
    let peer = Peer::start();
    let program = Program::blocking("blocking")
        .args([&peer.port.to_string(), name])
        .deadline(DEADLINE);
    Some(program.start_on_node(&script).wait())
}

/// Returns the names of a group.
fn names(group: &str) -> Vec<String> {
    let program = Program::blocking("blocking").args(["names", group]);
    let names = program.run(In::CallAsync).assert_success().stdout;
    assert!(!names.is_empty(), "the group {group} has no checks");
    names.lines().map(str::to_owned).collect()
}

#[test]
fn on_node() {
    if let Some(outcome) = checks("node-quick") {
        let outcome = outcome.assert_success();
        assert!(!outcome.stderr.contains("TimeoutOverflow"), "{outcome}");
    }
}

#[test]
#[ignore = "takes minutes: `cargo xtask javascript` runs it"]
fn on_node_slowly() {
    if let Some(outcome) = checks("node-slow") {
        outcome.assert_success();
    }
}

#[test]
#[ignore = "takes minutes: `cargo xtask javascript` runs it"]
fn each_alone_on_node() {
    for name in names("node-alone") {
        if let Some(outcome) = checks(&name) {
            outcome.assert_success();
        }
    }
}

/// As on wasmtime, a pollable is a child of the reader's stream.
#[test]
fn a_reader_dropped_before_its_pollable() {
    if let Some(outcome) = checks("reader_first") {
        assert!(matches!(outcome.exit, Exit::Trap(_)), "{outcome}");
        assert!(outcome.stderr.contains("child poll"), "{outcome}");
    }
}

#[test]
fn protected_on_node() {
    if let Some(script) = node_script()
        && tls()
    {
        protected::talk(|program| program.deadline(DEADLINE).start_on_node(&script));
    }
}

/// The differences that docs/wasi-0.2.md lists. When this fails, that page needs a change.
#[test]
fn what_differs_on_node() {
    for name in names("node-differs") {
        if let Some(outcome) = checks(&name) {
            let outcome = outcome.assert_failure();
            assert!(
                outcome.stderr.starts_with(&format!("{name}: ")),
                "{outcome}"
            );
        }
    }
}

#[test]
fn examples_in_rust_and_c_on_node() {
    let Some(script) = node_script() else {
        return;
    };
    let server = Program::blocking_example("blocking-line-server").args(["127.0.0.1:0"]);
    answers_lines(server.start_on_node(&script));
    let peer = Peer::start();
    let Some(client) = Program::foreign_blocking("c/echo_p2") else {
        return;
    };
    let client = client.args(["127.0.0.1".to_owned(), peer.echo_port().to_string()]);
    received(client.start_on_node(&script).wait());
}

/// Runs a program in JavaScript in this process, under `wasmtime`, and on Node.
fn everywhere(name: &str, run: impl Fn(Program, Host)) {
    let Some(program) = Program::foreign_blocking(name) else {
        return;
    };
    let program = program.deadline(DEADLINE);
    run(program.clone(), Host::Here);
    if wasmtime().is_some() {
        run(program.clone(), Host::Wasmtime);
    }
    if node_script().is_some() {
        run(program, Host::Node);
    }
}

enum Host {
    Here,
    Wasmtime,
    Node,
}

impl Host {
    fn start(&self, program: Program) -> asyncio_streams_tests::Running {
        match self {
            Host::Here => program.start(In::CallAsync),
            Host::Wasmtime => program.start(In::Wasmtime),
            Host::Node => program.start_on_node(&node_script().expect("the script of before")),
        }
    }
}

#[test]
#[ignore = "compiles for half a minute: `cargo xtask javascript` runs it"]
fn the_client_in_javascript() {
    everywhere("js/echo_client", |program, host| {
        let peer = Peer::start();
        let address = ["127.0.0.1".to_owned(), peer.echo_port().to_string()];
        received(host.start(program.clone().args(address)).wait());
        // An error of WIT is an exception with a payload.
        let refused = host.start(program.clone().args(["127.0.0.1", "1"])).wait();
        let refused = refused.assert_failure();
        assert!(
            refused.stderr.contains("127.0.0.1:1: {\"tag\":\"connect\""),
            "{refused}"
        );
        for port in ["99999", "-1", "8o", ""] {
            let program = program.clone().args(["127.0.0.1", port]);
            let outcome = host.start(program).wait().assert_failure();
            assert!(outcome.stderr.starts_with("usage: "), "{outcome}");
        }
    });
}

#[test]
#[ignore = "compiles for half a minute: `cargo xtask javascript` runs it"]
fn the_client_in_javascript_escapes() {
    everywhere("js/echo_client", |program, host| {
        let peer = Peer::start();
        let port = peer.echo_port().to_string();
        let program = program.args([
            "127.0.0.1",
            &port,
            "Grüße \u{1b}[2J \u{202e}\u{fffa}\u{e0041}\\",
        ]);
        let outcome = host.start(program).wait().assert_success();
        let expected = r"Received: 'Grüße \u{1b}[2J \u{202e}\u{fffa}\u{e0041}\u{5c}'";
        assert!(outcome.stdout.contains(expected), "{outcome}");
    });
}

#[test]
#[ignore = "compiles for half a minute: `cargo xtask javascript` runs it"]
fn the_client_in_javascript_lingers() {
    everywhere("js/echo_client", |program, host| {
        let peer = Peer::start();
        let program = program.args(["127.0.0.1", &peer.port.to_string(), "talks-late"]);
        let outcome = host.start(program).wait().assert_success();
        assert!(outcome.stdout.contains("'an answer'"), "{outcome}");
        assert_eq!(peer.ask("talked"), "an end");
    });
}

#[test]
#[ignore = "compiles for half a minute: `cargo xtask javascript` runs it"]
fn the_server_in_javascript() {
    everywhere("js/line_server", |program, host| {
        answers_lines(host.start(program.args(["127.0.0.1", "0"])));
    });
}

fn received(client: Outcome) {
    let said = client.assert_success().stdout;
    assert_eq!(
        said,
        "Send: 'Hello World!'\nReceived: 'Hello World!'\nClose the connection\n"
    );
}
