//! The examples and servers under the program `wasmtime`, as the README runs them: their output, and their end.

use std::thread;
use std::time::{Duration, Instant};

use asyncio_streams_tests::peers::{Conn, End, Nobody, PATIENCE, Peer};
use asyncio_streams_tests::{In, Network, Program, wasmtime};

#[test]
fn hello() {
    for place in In::each_host() {
        let outcome = Program::example("hello").run(place);
        assert_eq!(outcome.assert_success().stdout, "Hello World!\n");
    }
}

#[test]
fn echo_client_and_server() {
    for place in In::each_host() {
        let server = Program::example_handler("echo-server").args(["127.0.0.1:0"]);
        let mut server = server.network(Network::Addresses).start(place);
        let address = server.listens().to_string();
        let client = Program::example("echo-client").args([&address, "Hello there!"]);
        let outcome = client.network(Network::Addresses).run(place);
        assert_eq!(
            outcome.assert_success().stdout,
            "Send: 'Hello there!'\nReceived: 'Hello there!'\nClose the connection\n"
        );
        let received = server.line();
        assert!(
            received.starts_with("Received 'Hello there!' from 127.0.0.1:"),
            "{received}"
        );
        assert_eq!(server.line(), "Send: 'Hello there!'");
        assert_eq!(server.line(), "Close the connection");
        assert!(server.is_running());
    }
}

/// Neither the examples nor `run!` let the text of others control a terminal or forge a log.
#[test]
fn text_of_peers_is_escaped() {
    for place in In::each_host() {
        let server = Program::example_handler("echo-server").args(["127.0.0.1:0"]);
        let mut server = server.start(place);
        let address = server.listens().to_string();
        let client = Program::example("echo-client").args([&address, "ü\n\u{1b}[2J"]);
        let outcome = client.run(place).assert_success();
        let shown = r"'ü\n\u{1b}[2J'";
        assert_eq!(
            outcome.stdout,
            format!("Send: {shown}\nReceived: {shown}\nClose the connection\n")
        );
        let received = server.line();
        assert!(
            received.starts_with(&format!("Received {shown} from 127.0.0.1:")),
            "{received}"
        );
        // A name that appears in the error of `main`.
        let url = "http://no\u{1b}[2J\nsuch.invalid/";
        let outcome = Program::example("http-headers").args([url]).run(place);
        let outcome = outcome.assert_failure();
        let lines: Vec<_> = outcome.stderr.lines().collect();
        assert!(
            matches!(lines.as_slice(), [line] if line.starts_with("error: ") && !line.contains('\u{1b}')),
            "{outcome}"
        );
    }
}

#[test]
fn http_headers() {
    const ANSWER: &str = "HTTP/1.0 200 OK\r\nServer: a test\r\nContent-Length: 0\r\n\r\nno header";
    for place in In::each_host() {
        let peer = Peer::start(|mut conn| {
            let request = conn.line();
            assert_eq!(request, "HEAD /some/page HTTP/1.0\r");
            while conn.line() != "\r" {}
            conn.send(ANSWER);
            assert_eq!(conn.ending(), End::Fin);
        });
        let url = format!("http://localhost:{}/some/page", peer.port());
        let outcome = Program::example("http-headers").args([url]).run(place);
        assert_eq!(
            outcome.assert_success().stdout,
            "HTTP header> HTTP/1.0 200 OK\nHTTP header> Server: a test\nHTTP header> Content-Length: 0\n"
        );
        peer.finish();
    }
}

/// Each example, and `serve.wasm`, reports the missing grant, and exits with 1.
#[test]
fn network_that_is_not_granted() {
    for place in In::each_host() {
        let server = Program::example_handler("echo-server").args(["127.0.0.1:0"]);
        let outcome = server.network(Network::Nothing).run(place).assert_failure();
        let lines: Vec<_> = outcome.stderr.lines().collect();
        assert!(
            matches!(lines.as_slice(), [line] if line.starts_with("serve: cannot listen on 127.0.0.1:0: ")
                && line.contains("not permitted")),
            "{outcome}"
        );

        let client = Program::example("echo-client").args(["127.0.0.1:8888"]);
        let outcome = client.network(Network::Nothing).run(place).assert_failure();
        let [line] = outcome.stderr.lines().collect::<Vec<_>>()[..] else {
            panic!("not one line: {outcome}");
        };
        assert!(
            line.starts_with("error: ")
                && line.contains("127.0.0.1:8888")
                && line.contains("not permitted"),
            "{outcome}"
        );
    }
}

#[test]
fn names_that_may_not_be_looked_up() {
    for place in In::each_host() {
        let client = Program::example("echo-client").args(["localhost:8888"]);
        let outcome = client
            .network(Network::Addresses)
            .run(place)
            .assert_failure();
        let error = outcome.stderr.strip_prefix("error: ").unwrap_or_default();
        assert!(
            error.contains("localhost") && error.contains("not granted"),
            "{outcome}"
        );
    }
}

#[test]
fn refused_connections() {
    for place in In::each_host() {
        let nobody = Nobody::new();
        let address = nobody.address().to_string();
        let outcome = Program::example("echo-client")
            .args([&address])
            .run(place)
            .assert_failure();
        assert!(outcome.stderr.contains("connection refused"), "{outcome}");
        assert_eq!(outcome.stderr.lines().count(), 1, "{outcome}");
    }
}

/// Runs the test `signal` again, in a process that a script started in the background: such processes ignore the
/// signals.
#[test]
#[cfg(unix)]
fn signal_where_the_tests_were_started_in_the_background() {
    let tests = std::env::current_exe().expect("the tests");
    let mut again = std::process::Command::new("sh");
    again.args(["-c", "trap '' HUP INT TERM; exec \"$0\" --exact signal"]);
    let output = again.arg(tests).output().expect("the shell runs");
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("1 passed"), "{said}");
}

/// A server that a signal ends: all its clients end with it at once.
#[test]
#[cfg(unix)]
fn signal() {
    use rustix::process::{Pid, Signal, kill_process};

    if wasmtime().is_none() {
        return;
    }
    for signal in [Signal::INT, Signal::TERM] {
        let server = Program::handler("serve_echo").args(["127.0.0.1:0"]);
        let mut server = server.start(In::Wasmtime);
        let address = server.listens();
        let mut conn = Conn::connect(address);
        conn.send("hello\n");
        conn.expect("hello\n");
        let process = server
            .process_id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let asked = Instant::now();
        kill_process(process.expect("a process"), signal).expect("a signal, sent");
        conn.ending();
        while Conn::try_connect(address).is_ok() {
            assert!(asked.elapsed() < PATIENCE, "{address} still listens");
            thread::sleep(Duration::from_millis(5));
        }
    }
}
