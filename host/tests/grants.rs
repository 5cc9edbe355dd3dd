//! The options of `streams run` that grant, and the hints that name them, used as a user uses them.

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};

use support::{built, streams};

/// More runs than any program here needs.
const ROUNDS: usize = 4;

/// Returns the options in the hints of a program's standard error output; of alternatives, the first.
fn hints(output: &Output) -> Vec<String> {
    let error = String::from_utf8_lossy(&output.stderr);
    let hints = error
        .lines()
        .filter_map(|line| line.strip_prefix("streams: "))
        .filter_map(|line| line.split_once(" denied; grant it with "))
        .map(|(_, hint)| hint.split(" or ").next().unwrap_or_default().to_owned());
    hints.collect()
}

/// The clients of both versions of WASI, each after its streams component.
const CLIENTS: [[&str; 2]; 2] = [
    ["streams", "examples/echo-client"],
    ["streams-p2", "examples/blocking-echo-client"],
];

/// Runs `program` after `part` by a shell, with the options of the hints copied into its command, until there are no more hints.
#[track_caller]
fn run_as_hinted([part, program]: [&str; 2], arg: &str) -> Output {
    let mut options = String::new();
    for _ in 0..ROUNDS {
        let mut command = Command::new("sh");
        let script = format!("exec \"$0\" run {options} --with \"$@\"");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_streams")]);
        let output = command
            .arg(built(part))
            .arg(built(program))
            .arg(arg)
            .stdin(Stdio::null());
        let output = output.output().expect("a shell");
        let hints = hints(&output);
        if hints.is_empty() {
            return output;
        }
        for hint in hints {
            options += &format!(" {hint}");
        }
    }
    panic!("still denied with {options}");
}

/// Echoes the first message of each connection, in a thread that ends with the test.
fn echo_peer(listener: TcpListener) {
    std::thread::spawn(move || {
        while let Ok((mut socket, _)) = listener.accept() {
            let mut message = [0; 1024];
            let count = socket.read(&mut message).unwrap_or(0);
            // The test checks the program's reaction to a failure.
            let _ = socket.write_all(&message[..count]);
        }
    });
}

#[test]
fn every_hint_is_accepted_and_grants() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    echo_peer(listener);
    let hosts = [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "::ffff:127.0.0.1",
        "[::ffff:127.0.0.1]",
        "localhost",
        "LocalHost",
    ];
    for client in CLIENTS {
        for host in hosts {
            let output = run_as_hinted(client, &format!("{host}:{port}"));
            assert!(output.status.success(), "{client:?} {host}: {output:?}");
        }
    }
}

#[test]
fn hints_for_ipv6_addresses_grant() {
    let Ok(listener) = TcpListener::bind("[::1]:0") else {
        eprintln!("LEFT OUT: this machine has no IPv6");
        return;
    };
    let port = listener.local_addr().expect("an address").port();
    echo_peer(listener);
    for client in CLIENTS {
        for host in ["::1", "[::1]", "0:0:0:0:0:0:0:1"] {
            let output = run_as_hinted(client, &format!("{host}:{port}"));
            assert!(output.status.success(), "{client:?} {host}: {output:?}");
        }
    }
}

#[test]
fn names_that_no_name_service_knows_are_denied_by_no_grant() {
    for client in CLIENTS {
        for host in ["bücher.invalid", "XN--BCHER-KVA.invalid.", "a_b.invalid"] {
            let output = run_as_hinted(client, &format!("{host}:80"));
            assert!(!output.status.success(), "{client:?} {host}: {output:?}");
        }
    }
}

/// A grant to listen on a name grants its look-up, to programs of WASI 0.2 too.
#[test]
fn programs_that_block_listen_on_granted_names() {
    for grants in [
        &["--allow-listen", "localhost:0"][..],
        &["--allow-listen", "*:*"],
    ] {
        let mut server = streams(["run"]);
        server
            .args(grants)
            .arg("--with")
            .arg(built("streams-p2"))
            .arg(built("examples/blocking-line-server"))
            .arg("localhost:0");
        let server = server.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut server = server.stderr(Stdio::piped()).spawn().expect("it starts");
        let line = first_line(&mut server);
        assert!(line.starts_with("listening on "), "{grants:?}: {line}");
        server.kill().expect("ended");
        server.wait().expect("gone");
    }
}

/// A name that was not granted is reported, and its look-up fails.
#[test]
fn programs_that_block_look_up_no_other_name() {
    let mut client = streams(["run", "--allow-connect", "example.org:80", "--with"]);
    client
        .arg(built("streams-p2"))
        .arg(built("examples/blocking-echo-client"));
    let output = client.arg("localhost:80").output().expect("it runs");
    assert!(!output.status.success(), "{output:?}");
    assert_eq!(
        hints(&output),
        ["--allow-connect 'localhost:*'"],
        "{output:?}"
    );
}

#[test]
fn text_of_a_program_is_escaped_in_hints() {
    let mut command = streams(["run", "--with"]);
    command
        .arg(built("streams"))
        .arg(built("examples/echo-client"));
    let forged = "streams: connect to everything denied; grant it with --allow-network";
    let host = format!("x\n{forged}\n\u{1b}[2J\u{202e}:80");
    let output = command.arg(host).output().expect("the program runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{error}");
    assert!(!error.contains(['\u{1b}', '\u{202e}']), "{error:?}");
    assert!(error.lines().all(|line| line != forged), "{error:?}");
}

/// Starts the echo server, after a command of the shell.
fn serve(before: &[&str], options: &[&str], args: &[&str]) -> Command {
    let mut command = match before {
        [] => Command::new(env!("CARGO_BIN_EXE_streams")),
        [first, rest @ ..] => {
            let mut command = Command::new(first);
            command.args(rest).arg(env!("CARGO_BIN_EXE_streams"));
            command
        }
    };
    command
        .arg("run")
        .args(options)
        .arg("--with")
        .arg(built("streams"));
    command.arg("--with").arg(built("examples/echo-server"));
    command.arg(built("serve")).args(args).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn listening_is_hinted_with_port_0_when_the_system_chooses() {
    for (address, hint) in [
        ("127.0.0.1:0", "--allow-listen 127.0.0.1:0"),
        ("0.0.0.0:0", "--allow-listen 0.0.0.0:0"),
        ("127.0.0.1:54321", "--allow-listen 127.0.0.1:54321"),
    ] {
        let denied = serve(&[], &[], &[address]).output().expect("it runs");
        assert!(!denied.status.success());
        assert_eq!(hints(&denied), [hint], "{denied:?}");
    }
}

/// Returns the first line that a program prints.
///
/// # Panics
/// With its standard error output, if it ends before.
fn first_line(process: &mut Child) -> String {
    let mut line = String::new();
    let mut output = BufReader::new(process.stdout.as_mut().expect("piped"));
    output.read_line(&mut line).expect("a line");
    if line.is_empty() {
        let mut error = String::new();
        let errors = process.stderr.as_mut().expect("piped");
        errors.read_to_string(&mut error).expect("text");
        panic!("it ended: {error}");
    }
    line.trim_end().to_owned()
}

/// Runs in a separate network namespace, whose free ports are few and low.
const LOW_PORTS: &str = "ip link set lo up && echo '10000 10999' >/proc/sys/net/ipv4/ip_local_port_range && exec \"$@\"";

#[cfg(target_os = "linux")]
#[test]
fn free_ports_may_be_in_any_range() {
    let before = [
        "unshare",
        "--map-root-user",
        "--net",
        "sh",
        "-c",
        LOW_PORTS,
        "sh",
    ];
    let [first, rest @ ..] = before;
    let possible = Command::new(first).args(rest).arg("true").output();
    if !possible.is_ok_and(|output| output.status.success()) {
        eprintln!(
            "LEFT OUT: no network namespace can be made here; a test of the checks does it too"
        );
        return;
    }
    let both = ["--allow-listen", "127.0.0.1:0", "--allow-listen", "[::1]:0"];
    let any = ["--allow-listen", "*:0"];
    let cases: [(&[&str], &[&str]); 3] = [
        (&both, &["127.0.0.1:0"]),
        (&both, &["localhost:0"]),
        (&any, &["localhost:0"]),
    ];
    for (grants, args) in cases {
        let mut grants = grants.to_vec();
        grants.extend(["--allow-listen", "localhost:0"]);
        let mut server = serve(&before, &grants, args).spawn().expect("it starts");
        let line = first_line(&mut server);
        let port = line.rsplit(':').next().and_then(|port| port.parse().ok());
        assert!(matches!(port, Some(10000..=10999u16)), "{args:?}: {line}");
        server.kill().expect("ended");
        server.wait().expect("gone");
    }
}
