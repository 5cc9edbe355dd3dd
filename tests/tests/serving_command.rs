//! The command `serve.wasm`: its addresses, its options, and the clients of a handler.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use asyncio_streams_tests::peers::{Conn, Crowd, End};
use asyncio_streams_tests::{Exit, In, Program};

const MEGABYTE: usize = 1 << 20;

fn orders(arguments: &[&str]) -> Program {
    Program::handler("serve_orders").args(arguments)
}

/// Sends a line and waits for it to come back.
fn talk(conn: &mut Conn, line: &str) {
    conn.send(line);
    conn.expect(line);
}

/// Connects a client that sends an action to the handler.
fn ordering(address: SocketAddr, order: &str) -> Conn {
    let mut conn = Conn::connect(address);
    conn.send(format!("{order}\n"));
    conn
}

#[test]
fn clients_are_served_at_once() {
    for place in In::every_place() {
        let mut server = orders(&["127.0.0.1:0"]).start(place);
        let address = server.listens();
        Crowd::run(50, |number| {
            let mut conn = ordering(address, "echo");
            for round in 0..20 {
                talk(&mut conn, &format!("{number}: {round}\n"));
            }
            conn.end_output();
            conn.expect_end();
        });
        assert!(server.is_running());
        assert_eq!(server.stderr().text(), "");
    }
}

#[test]
fn handler_that_fails_is_one_line_of_log() {
    for place in In::every_place() {
        let mut server = orders(&["127.0.0.1:0"]).start(place);
        let address = server.listens();
        let mut other = ordering(address, "echo");
        talk(&mut other, "before\n");

        let mut conn = ordering(address, "fail");
        let who = conn.stream().local_addr().expect("its address");
        conn.expect_end();
        assert_eq!(
            server.stderr_line(),
            format!("serve: client {who}: failed, as the client wished")
        );

        // Its written bytes are sent first.
        let mut conn = ordering(address, "fail after a megabyte");
        let who = conn.stream().local_addr().expect("its address");
        conn.expect_pattern(MEGABYTE);
        conn.expect_end();
        assert_eq!(
            server.stderr_line(),
            format!("serve: client {who}: failed after a megabyte")
        );

        talk(&mut other, "after\n");
        assert!(server.is_running());
    }
}

/// A client can neither forge lines of the log nor move a terminal's cursor; ordinary letters are unchanged.
#[test]
fn text_of_a_client_is_escaped_in_the_log() {
    for place in In::every_place() {
        let mut server = orders(&["127.0.0.1:0"]).start(place);
        let address = server.listens();
        for (text, shown) in [
            (
                "one\nserve: client forged\r\n",
                r"one\nserve: client forged\r\n",
            ),
            ("\u{1b}[2J\u{7}\u{9b}K", r"\u{1b}[2J\u{7}\u{9b}K"),
            ("\u{202e}txt.exe\u{2066}", r"\u{202e}txt.exe\u{2066}"),
            ("bücher, 日本語, \"quoted\"", "bücher, 日本語, \"quoted\""),
        ] {
            let mut conn = ordering(address, "fail with the rest");
            let who = conn.stream().local_addr().expect("its address");
            conn.send(text);
            conn.end_output();
            conn.expect_end();
            assert_eq!(
                server.stderr_line(),
                format!("serve: client {who}: {shown}")
            );
        }
        assert!(server.is_running());
    }
}

#[test]
fn connection_that_a_handler_leaves_is_closed() {
    for place in In::every_place() {
        let mut server = orders(&["127.0.0.1:0"]).start(place);
        let address = server.listens();
        for _ in 0..10 {
            ordering(address, "leave").expect_end();
            // Unread input does not turn the end into a reset.
            let mut conn = ordering(address, "leave");
            conn.send(vec![b'x'; 100_000]);
            conn.expect_end();
        }
        assert_eq!(server.stderr().text(), "");
    }
}

#[test]
fn a_megabyte_of_a_returning_handler_arrives() {
    for place in In::every_place() {
        let mut server = orders(&["127.0.0.1:0"]).start(place);
        let address = server.listens();
        for order in ["megabyte", "only write"] {
            let mut conn = ordering(address, order);
            conn.expect_pattern(MEGABYTE);
            conn.expect_end();

            // With unread input, sent before and meanwhile.
            let mut conn = ordering(address, order);
            conn.send(vec![b'x'; 300_000]);
            conn.expect_pattern(MEGABYTE / 2);
            conn.send(vec![b'x'; 300_000]);
            let rest = conn.read_to_end();
            assert_eq!(rest.len(), MEGABYTE / 2);
        }
        // A client that reads late, long after the handler has returned.
        let mut late = ordering(address, "megabyte");
        ordering(address, "leave").expect_end();
        late.expect_pattern(MEGABYTE);
        late.expect_end();
    }
}

#[test]
fn max_connections() {
    for place in In::every_place() {
        let mut server = orders(&["--max-connections", "3", "127.0.0.1:0"]).start(place);
        let address = server.listens();
        // Two clients that are served, and a silent one.
        let mut served = [ordering(address, "echo"), ordering(address, "echo")];
        for conn in &mut served {
            talk(conn, "hello\n");
        }
        let silent = Conn::connect(address);

        // The next one waits in the backlog, and is accepted as soon as one leaves.
        let mut next = ordering(address, "echo");
        next.send("hello\n");
        let waits = next
            .stream()
            .set_read_timeout(Some(Duration::from_millis(200)));
        waits.expect("a timeout");
        let found = next.stream().peek(&mut [0]).map_err(|error| error.kind());
        assert!(
            matches!(found, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)),
            "{found:?}"
        );
        drop(silent);
        let mut next = Conn::of(next.stream().try_clone().expect("the same connection"))
            .expect("a connection");
        next.expect("hello\n");
        talk(&mut served[0], "still here\n");
        assert!(server.is_running());
    }
}

#[test]
fn every_given_address_is_served() {
    let ipv6 = TcpListener::bind((IpAddr::V6(Ipv6Addr::LOCALHOST), 0)).is_ok();
    for place in In::every_place() {
        let mut arguments = vec!["127.0.0.1:0", "127.0.0.1:0"];
        if ipv6 {
            arguments.push("[::1]:0");
        } else {
            eprintln!("LEFT OUT, since this machine has none: IPv6");
        }
        let mut server = orders(&arguments).start(place);
        let addresses: Vec<_> = arguments.iter().map(|_| server.listens()).collect();
        let mut conns: Vec<_> = addresses
            .iter()
            .map(|address| ordering(*address, "echo"))
            .collect();
        for conn in &mut conns {
            talk(conn, "hello\n");
        }
        assert!(addresses[0] != addresses[1]);
        assert_eq!(addresses.get(2).is_some_and(SocketAddr::is_ipv6), ipv6);
    }
}

#[test]
fn ends_with_standard_input() {
    for place in In::every_place() {
        let mut server = orders(&["--until-stdin-closes", "127.0.0.1:0"])
            .stdin()
            .start(place);
        let address = server.listens();
        let mut conn = ordering(address, "echo");
        talk(&mut conn, "hello\n");
        // The text on it is ignored.
        server.write_stdin(b"some text\n");
        talk(&mut conn, "still here\n");

        server.close_stdin();
        refuses(address);
        // The client is served until it ends, which ends the server.
        talk(&mut conn, "and still\n");
        conn.end_output();
        conn.expect_end();
        let outcome = server.wait().assert_success();
        assert_eq!(outcome.stderr, "");
    }
}

#[test]
fn one_client_on_standard_input_and_output() {
    for place in In::every_place() {
        let mut server = orders(&["--stdio"]).stdin().start(place);
        server.write_stdin(b"echo\n");
        for line in ["hello", "again"] {
            server.write_stdin(format!("{line}\n").as_bytes());
            assert_eq!(server.line(), line);
        }
        server.close_stdin();
        assert_eq!(server.wait().assert_success().stderr, "");

        // The command ends with the handler, although the client could send more.
        let mut server = orders(&["--stdio"]).stdin().start(place);
        server.write_stdin(b"leave\n");
        let outcome = server.wait().assert_success();
        assert_eq!((outcome.stdout, outcome.stderr), Default::default());

        // A failed handler's output is sent too.
        let mut server = orders(&["--stdio"]).stdin().start(place);
        server.write_stdin(b"echo\nbefore\n");
        assert_eq!(server.line(), "before");
        server.write_stdin(&[b'x'; 100_000]);
        server.close_stdin();
        let outcome = server.wait().assert_failure();
        assert!(outcome.stderr.starts_with("serve: client: "), "{outcome}");
    }
}

#[test]
fn grace_is_over_for_clients_that_stay() {
    for place in In::every_place() {
        let grace = Duration::from_millis(1500);
        let arguments = ["--until-stdin-closes", "--grace", "1.5", "127.0.0.1:0"];
        let mut server = orders(&arguments).stdin().start(place);
        let address = server.listens();
        let mut stays = [ordering(address, "stay"), ordering(address, "stay")];
        let mut leaves = ordering(address, "echo");
        talk(&mut leaves, "hello\n");

        let begun = Instant::now();
        server.close_stdin();
        leaves.end_output();
        leaves.expect_end();
        refuses(address);
        let outcome = server.wait();
        assert!(begun.elapsed() >= grace);
        assert_eq!(outcome.exit, Exit::Failure, "{outcome}");
        assert!(
            outcome.stderr.contains("aborted 2 clients"),
            "{place:?}: {outcome}"
        );
        for conn in &mut stays {
            assert!(matches!(conn.ending(), End::Fin | End::Reset));
        }
    }
}

#[test]
fn no_grace_at_all() {
    let arguments = ["--until-stdin-closes", "--grace=0", "127.0.0.1:0"];
    let mut server = orders(&arguments).stdin().start(In::Concurrent);
    let mut conn = ordering(server.listens(), "echo");
    talk(&mut conn, "hello\n");
    server.close_stdin();
    let outcome = server.wait().assert_failure();
    assert!(outcome.stderr.contains("aborted 1 client"), "{outcome}");
}

#[test]
fn without_clients_the_grace_ends_at_once() {
    for place in In::every_place() {
        // Without a standard input, it has ended from the start.
        let mut server = orders(&["--until-stdin-closes", "127.0.0.1:0"]).start(place);
        server.listens();
        server.wait().assert_success();
    }
}

/// Each error is one line that names the option, its value and the expectation; a hint follows.
#[test]
fn wrong_arguments() {
    const N: &str = "expected a whole number from 1 to 4294967295";
    const SECONDS: &str = "expected a number of seconds, such as 10 or 0.5";
    const ADDRESS: &str = "expected HOST:PORT, with a port from 0 to 65535, or unix:PATH";
    let cases: [(&[&str], String); 12] = [
        (
            &[],
            "no address to listen on: expected HOST:PORT or unix:PATH as an argument or in STREAMS_SERVE, or --stdio".into(),
        ),
        (&["127.0.0.1"], format!("127.0.0.1: {ADDRESS}")),
        (&["127.0.0.1:http"], format!("127.0.0.1:http: {ADDRESS}")),
        (&["a\n:x"], format!(r"a\n:x: {ADDRESS}")),
        (
            &["::1:0"],
            "::1:0: expected the IPv6 address in brackets: [::1]:0".into(),
        ),
        (
            &["--max-connections", "0", ":0"],
            format!("--max-connections 0: {N}"),
        ),
        (
            &["--max-connections", "abc", ":0"],
            format!("--max-connections abc: {N}"),
        ),
        (&["--grace", "-1", ":0"], format!("--grace -1: {SECONDS}")),
        (&["--grace=soon", ":0"], format!("--grace soon: {SECONDS}")),
        (
            &["--tls-cert", "CERT", ":0"],
            "--tls-cert CERT: expected --tls-key too".into(),
        ),
        (
            &["--stdio", "--idle-timeout", "3"],
            "--idle-timeout: expected no --stdio, which serves one client on standard input and output, for any time".into(),
        ),
        (
            &["--no-such-option", ":0"],
            "--no-such-option: no such option".into(),
        ),
    ];
    for (arguments, message) in cases {
        let outcome = orders(arguments).run(In::Concurrent).assert_failure();
        let lines: Vec<_> = outcome.stderr.lines().collect();
        assert_eq!(
            lines,
            [
                &format!("serve: {message}"),
                "Usage: serve [OPTIONS] HOST:PORT|unix:PATH... | --stdio",
                "The option --help describes them."
            ],
            "{arguments:?}"
        );
        assert_eq!(outcome.stdout, "");
    }
}

/// For hosts that pass no arguments.
#[test]
fn options_from_the_environment() {
    for place in In::every_place() {
        let variable = "--until-stdin-closes --grace 0.1\t127.0.0.1:0 127.0.0.1:0";
        let program = orders(&[]).variable("STREAMS_SERVE", variable).stdin();
        let mut server = program.start(place);
        let addresses = [server.listens(), server.listens()];
        assert!(addresses[0] != addresses[1]);
        let _stays = ordering(addresses[1], "stay");
        // It was accepted before this one, which is served.
        let mut leaves = ordering(addresses[1], "echo");
        talk(&mut leaves, "hello\n");
        leaves.end_output();
        leaves.expect_end();
        server.close_stdin();
        let outcome = server.wait().assert_failure();
        assert!(outcome.stderr.contains("aborted 1 clients"), "{outcome}");

        // The command line takes precedence.
        let program = orders(&["--grace=5", "127.0.0.1:0"]).stdin();
        let mut server = program.variable("STREAMS_SERVE", variable).start(place);
        let mut conn = ordering(server.listens(), "echo");
        talk(&mut conn, "hello\n");
        server.close_stdin();
        conn.end_output();
        conn.expect_end();
        let outcome = server.wait().assert_success();
        assert_eq!(outcome.stdout.lines().count(), 1, "{outcome}");

        let wrong = orders(&[]).variable("STREAMS_SERVE", "--grace soon :0");
        let outcome = wrong.run(place).assert_failure();
        assert!(
            outcome.stderr.starts_with(
                "serve: STREAMS_SERVE: --grace soon: expected a number of seconds, such as 10 or 0.5\n"
            ),
            "{outcome}"
        );
    }
}

#[test]
fn tls_that_the_program_cannot_have_is_refused() {
    let tls = ["--tls-cert", "CERT", "--tls-key", "KEY", "127.0.0.1:0"];
    for place in In::every_place() {
        let outcome = orders(&tls).run(place).assert_failure();
        assert_eq!(
            outcome.stderr,
            "serve: --tls-cert CERT: expected a variable CERT in the environment, with the certificates as PEM text\n"
        );
        let program = orders(&tls).variable("CERT", "x").variable("KEY", "y");
        let outcome = program.run(place).assert_failure();
        assert_eq!(
            outcome.stderr,
            "serve: --tls-cert CERT --tls-key KEY: expected a program with TLS: \
             compose it with streams-tls.wasm in place of streams.wasm\n"
        );
    }
}

#[test]
fn help_goes_to_standard_output() {
    for argument in ["--help", "-h"] {
        let outcome = orders(&[argument]).run(In::Concurrent).assert_success();
        assert!(outcome.stdout.starts_with("Usage: serve"), "{outcome}");
        assert!(outcome.stdout.contains("STREAMS_SERVE"), "{outcome}");
        assert!(outcome.stdout.contains("Exit status"), "{outcome}");
        assert_eq!(outcome.stderr, "");
    }
}

#[test]
fn an_address_that_cannot_be_listened_on_ends_the_program() {
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = other.local_addr().expect("its address");
    let cases = [
        (taken.to_string(), "address in use"),
        ("192.0.2.1:0".to_owned(), "address not available"),
        ("no-such-host.invalid:0".to_owned(), "no-such-host.invalid"),
    ];
    for (address, message) in cases {
        // A second, possible address does not help.
        let outcome = orders(&["127.0.0.1:0", &address])
            .run(In::Concurrent)
            .assert_failure();
        let lines: Vec<_> = outcome.stderr.lines().collect();
        let [line] = lines.as_slice() else {
            panic!("not one line: {outcome}")
        };
        assert!(
            line.starts_with(&format!("serve: cannot listen on {address}: ")),
            "{line}"
        );
        assert!(line.contains(message), "{line}");
    }
}

/// Waits until the address refuses connections. The program may not have closed it yet.
fn refuses(address: SocketAddr) {
    let give_up = Instant::now() + asyncio_streams_tests::peers::PATIENCE;
    while Conn::try_connect(address).is_ok() {
        assert!(Instant::now() < give_up, "{address} still listens");
        thread::sleep(Duration::from_millis(5));
    }
}
