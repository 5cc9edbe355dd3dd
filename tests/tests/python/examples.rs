//! The programs of asyncio's documentation of streams.

use std::process::Command;

use asyncio_streams_tests::native::{NativeServer, output};
use asyncio_streams_tests::python::{Side, serving_on, sides, source};

use crate::{DEADLINE, assert_same, without_ports};

fn run(command: &mut Command) -> String {
    output(command, DEADLINE).unwrap_or_else(|error| panic!("{error}"))
}

/// The server on one side, the client on the other: all four pairs.
#[test]
fn the_echo_pair_talks_by_every_pair_of_sides() {
    let Some(sides) = sides() else { return };
    let mut all = Vec::new();
    for serving in &sides {
        for asking in &sides {
            let mut command = serving.command("echo-server");
            let server = NativeServer::start_telling(command.args(["127.0.0.1", "0"]), serving_on);
            let port = server.port();
            let mut client = asking.command("echo-client");
            let said = run(client.args(["127.0.0.1", &port.to_string(), "Hello World!"]));
            assert_eq!(
                said,
                "Send: 'Hello World!'\nReceived: 'Hello World!'\nClose the connection\n"
            );
            server.wait_for("Close the connection");
            all.push(without_client(&without_ports(&server.stop(), &[port])));
        }
    }
    assert!(
        all[0].contains("Received 'Hello World!' from ('127.0.0.1', PORT)"),
        "{}",
        all[0]
    );
    for other in &all[1..] {
        assert_eq!(other, &all[0]);
    }
}

/// Only the server knows the client's port.
fn without_client(said: &str) -> String {
    let lines = said
        .lines()
        .map(|line| match line.split_once(" from ('127.0.0.1', ") {
            Some((before, _)) => format!("{before} from ('127.0.0.1', PORT)\n"),
            None => format!("{line}\n"),
        });
    lines.collect()
}

#[test]
fn http_headers_of_a_server_in_python() {
    let Some(sides) = sides() else { return };
    let [Side::Stock(python), _] = &sides else {
        unreachable!("asyncio's own first")
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("page"), "A page").expect("a page");
    let server = NativeServer::start(|port| {
        let mut command = Command::new(python);
        command.args(["-m", "http.server", "--bind", "127.0.0.1"]);
        command.arg(port.to_string()).current_dir(folder.path());
        command
    });
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{}/page", server.port());
        let given = sides.clone().map(|side| {
            let said = run(side.command("http-headers").arg(&url));
            // Seconds may pass between the two runs.
            let lines = said
                .lines()
                .filter(|line| !line.starts_with("HTTP header> Date:"));
            lines.collect::<Vec<_>>().join("\n")
        });
        assert!(
            given[0].contains("HTTP header> HTTP/1.0 200 OK"),
            "{}",
            given[0]
        );
        assert_same("http-headers", given);
    }
}

#[test]
fn waiting_for_data_on_a_socket_that_is_open() {
    let Some(sides) = sides() else { return };
    let given = sides.map(|side| run(&mut side.command("wait-for-data")));
    assert_eq!(given[0], "Received: abc\n");
    assert_same("wait-for-data", given);
}

/// An example without a test would look like one that works.
#[test]
fn every_example_has_its_test() {
    for name in [
        "echo-client",
        "echo-server",
        // The lines of the README run it.
        "hello",
        "http-headers",
        "wait-for-data",
    ] {
        assert!(source(name).is_file());
    }
    let folder = source("echo-client").with_file_name("");
    let files = std::fs::read_dir(folder).expect("the examples").flatten();
    let programs = files.filter(|file| file.path().extension().is_some_and(|of| of == "py"));
    assert_eq!(programs.count(), 5);
}
