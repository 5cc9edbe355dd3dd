//! Three programs of some size: a chat, a proxy, a client of redis.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use asyncio_streams_tests::debian::Found;
use asyncio_streams_tests::native::{NativeServer, output};
use asyncio_streams_tests::peers::pattern;
use asyncio_streams_tests::python::{Side, serving_on, sides};

use crate::{DEADLINE, assert_same, without_ports};

fn serve(side: &Side, name: &str) -> NativeServer {
    let mut command = side.command(name);
    NativeServer::start_telling(command.args(["127.0.0.1", "0"]), serving_on)
}

/// A user who types and reads lines.
struct Guest {
    lines: BufReader<TcpStream>,
}

impl Guest {
    fn comes(address: SocketAddr, name: &str) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .expect("a deadline");
        let mut guest = Self {
            lines: BufReader::new(stream),
        };
        guest.says(name);
        guest
    }

    fn says(&mut self, line: &str) {
        writeln!(self.lines.get_mut(), "{line}").expect("a line sent");
    }

    /// Returns the next line, without its end. Empty at the end.
    fn hears(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    /// Waits until the server has ended the connection: by a reset, if there was unread input.
    fn waits_for_the_end(mut self) {
        if let Err(error) = self.lines.read_to_end(&mut Vec::new()) {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
        }
    }
}

#[test]
fn a_chat() {
    let Some(sides) = sides() else { return };
    let given = sides.map(|side| {
        let server = serve(&side, "chat-server");
        let address = server.address();
        let mut heard = Vec::new();
        let mut ann = Guest::comes(address, "ann");
        heard.push(ann.hears());
        let mut bob = Guest::comes(address, "bob");
        heard.extend([bob.hears(), ann.hears()]);
        // The name is in use.
        let mut other = Guest::comes(address, "bob");
        heard.extend([other.hears(), other.hears()]);
        let mut eve = Guest::comes(address, "eve");
        heard.extend([eve.hears(), ann.hears(), bob.hears()]);
        for n in 0..200 {
            ann.says(&format!("line {n}"));
        }
        for guest in [&mut bob, &mut eve] {
            for _ in 0..200 {
                heard.push(guest.hears());
            }
        }
        bob.says("ann, héllo");
        heard.extend([ann.hears(), eve.hears()]);
        // Longer than the server's limit: that guest is disconnected, and the others are notified.
        bob.says(&"x".repeat(5000));
        heard.extend([ann.hears(), eve.hears()]);
        bob.waits_for_the_end();
        drop(eve);
        heard.push(ann.hears());
        ann.says("/stop");
        heard.extend([ann.hears(), ann.hears()]);
        let port = address.port();
        let said = server.finish();
        heard.push(without_ports(&said, &[port]));
        heard.join("\n")
    });
    for line in [
        "ann: line 199",
        "bob: ann, héllo",
        "lost: ValueError",
        "* the end",
        "stopped",
    ] {
        assert!(
            given[0].lines().any(|of| of == line),
            "{line}: {}",
            given[0]
        );
    }
    assert_same("chat-server", given);
}

#[test]
fn a_proxy() {
    let Some(sides) = sides() else { return };
    let Some(curl) = Found::get("curl", "curl") else {
        return;
    };
    let [Side::Stock(python), _] = &sides else {
        unreachable!("asyncio's own first")
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (page, large) = (b"A page".to_vec(), pattern(3_000_000));
    fs::write(folder.path().join("page"), &page).expect("a page");
    fs::write(folder.path().join("large"), &large).expect("a large page");
    let origin = NativeServer::start(|port| {
        let mut command = Command::new(python);
        command.args([
            "-m",
            "http.server",
            "--bind",
            "127.0.0.1",
            "--protocol",
            "HTTP/1.1",
        ]);
        command.arg(port.to_string()).current_dir(folder.path());
        command
    });
    let url = |path: &str| format!("http://127.0.0.1:{}/{path}", origin.port());
    // A port that no longer listens.
    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|of| of.local_addr())
        .expect("a port");
    let given = sides.clone().map(|side| {
        let server = serve(&side, "http-proxy");
        let proxy = format!("http://{}", server.address());
        let fetch = |arguments: &[&str]| {
            let mut command = curl.command();
            command.args([
                "--silent",
                "--show-error",
                "--max-time",
                "60",
                "--proxy",
                &proxy,
            ]);
            command
                .args(["--write-out", "\n%{http_code} %{num_connects}"])
                .args(arguments);
            output(&mut command, DEADLINE).unwrap_or_else(|error| panic!("{side:?}: {error}"))
        };
        // Two requests on one connection.
        let mut got = vec![fetch(&[&url("page"), &url("page")])];
        let file = folder.path().join("got");
        let into = file.display().to_string();
        got.push(fetch(&["--output", &into, &url("large")]));
        assert!(
            fs::read(&file).expect("the large page") == large,
            "{side:?}: another page"
        );
        got.push(fetch(&["--proxytunnel", "--output", &into, &url("large")]));
        assert!(
            fs::read(&file).expect("the large page") == large,
            "{side:?}: another page"
        );
        got.push(fetch(&["--head", "--output", &into, &url("page")]));
        got.push(fetch(&["--output", &into, &url("nothing")]));
        got.push(fetch(&[&format!("http://{gone}/")]));
        got.push(without_ports(&server.stop(), &[port_of(&proxy)]));
        got.join("\n")
    });
    assert!(
        given[0].contains("A page") && given[0].contains("200 0"),
        "{}",
        given[0]
    );
    assert!(
        given[0].contains("502") && given[0].contains("CONNECT"),
        "{}",
        given[0]
    );
    assert_same("http-proxy", given);
}

fn port_of(url: &str) -> u16 {
    url.rsplit_once(':')
        .and_then(|(_, port)| port.parse().ok())
        .expect("a port")
}

#[test]
fn a_client_of_redis() {
    let Some(sides) = sides() else { return };
    let Some(redis) = Found::get("redis-server", "redis-server") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = redis.serve_redis(folder.path());
    let given = sides.map(|side| {
        let mut command = side.command("redis-client");
        command.args(["127.0.0.1", &server.port().to_string()]);
        output(&mut command, DEADLINE).unwrap_or_else(|error| panic!("{side:?}: {error}"))
    });
    assert!(given[0].contains("GET 4194304 True"), "{}", given[0]);
    assert_same("redis-client", given);
}
