//! Third-party programs: OpenSSL's client and server, curl, nginx, redis, and Python's asyncio.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use asyncio_streams_tests::certificates::{Authority, Identity};
use asyncio_streams_tests::debian::Found;
use asyncio_streams_tests::native::{NativeServer, output};
use asyncio_streams_tests::{In, Program, tls};
use tempfile::TempDir;

use super::SERVER;
use super::server::{Server, Way};

const DEADLINE: Duration = Duration::from_secs(60);

/// Every suite that the component offers, by the names of OpenSSL and IANA.
const SUITES_13: [&str; 3] = [
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
];
const SUITES_12: [(&str, &str); 3] = [
    (
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    ),
    (
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    ),
    (
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    ),
];

/// Certificates in files, as most programs need them.
struct Files {
    folder: TempDir,
    authority: Authority,
}

impl Files {
    fn new() -> Self {
        let files = Files {
            folder: tempfile::tempdir().expect("a temporary folder"),
            authority: Authority::new(),
        };
        let Identity { chain, key } = files.authority.server(SERVER);
        files.put("root.pem", &files.authority.pem);
        files.put("chain.pem", &chain);
        files.put("key.pem", &key);
        files
    }

    fn put(&self, name: &str, content: &str) -> String {
        let file = self.folder.path().join(name);
        fs::write(&file, content).expect("a file");
        file.display().to_string()
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Returns the output of the program `tls_client` for a server.
    fn client(&self, port: impl ToString) -> String {
        self.client_with(port, "", Program::new("tls_client"), In::Concurrent)
    }

    /// The same in a place; `close` selects how it closes.
    fn client_with(&self, port: impl ToString, close: &str, program: Program, place: In) -> String {
        let port = port.to_string();
        let outcome = program
            .tls()
            .args([&port, SERVER, &self.authority.pem, "", "", close])
            .run(place)
            .assert_success();
        outcome.stdout.trim_end().to_owned()
    }
}

#[test]
fn openssl_as_a_client() {
    let Some(openssl) = Found::get("openssl", "openssl").filter(|_| tls()) else {
        return;
    };
    let mut server = Server::start(Way::Accept);
    let files = Files::new();
    let root = files.put("server-root.pem", &server.authority.pem);
    let port = server.port;
    let run = |arguments: &[&str], input: &str| {
        let input = fs::File::open(files.put("input", input)).expect("the input");
        let mut command = openssl.command();
        command.args(["s_client", "-connect", &format!("127.0.0.1:{port}")]);
        command.args(["-servername", SERVER, "-verify_hostname", SERVER]);
        command.args([
            "-verify_return_error",
            "-CAfile",
            &root,
            "-quiet",
            "-no_ign_eof",
        ]);
        // At the end of its input it would end before the answer; the line with Q ends it instead.
        output(command.args(arguments).stdin(input), DEADLINE)
    };
    for suite in SUITES_13 {
        run(&["-tls1_3", "-ciphersuites", suite], "one\n")
            .unwrap_or_else(|error| panic!("{suite}: {error}"));
        let agreed = server.program.line();
        assert_eq!(agreed, format!("TlsVersion::Tls13 {suite}  {SERVER} 0"));
        assert_eq!(server.program.line(), "end");
    }
    for (name, suite) in SUITES_12 {
        run(&["-tls1_2", "-cipher", name, "-alpn", "h2,line"], "one\n")
            .unwrap_or_else(|error| panic!("{suite}: {error}"));
        let agreed = server.program.line();
        assert_eq!(agreed, format!("TlsVersion::Tls12 {suite} line {SERVER} 0"));
        assert_eq!(server.program.line(), "end");
    }
    // By default, the server's order decides.
    run(&[], "one\n").unwrap_or_else(|error| panic!("{error}"));
    assert!(
        server
            .program
            .line()
            .contains("TLS_CHACHA20_POLY1305_SHA256")
    );
    assert_eq!(server.program.line(), "end");
    // A version that is too old, and no common protocol.
    for arguments in [&["-tls1_1"][..], &["-alpn", "h2"]] {
        assert!(run(arguments, "one\n").is_err(), "{arguments:?}");
    }
    server.serves();
}

#[test]
fn openssl_that_renegotiates() {
    let Some(openssl) = Found::get("openssl", "openssl").filter(|_| tls()) else {
        return;
    };
    let mut server = Server::start(Way::Accept);
    let files = Files::new();
    // A line with an R requests a new handshake, which this server refuses (RFC 5746 explains the danger).
    let input = fs::File::open(files.put("input", "R\n")).expect("the input");
    let mut command = openssl.command();
    command.args([
        "s_client",
        "-connect",
        &format!("127.0.0.1:{}", server.port),
    ]);
    let _ = output(command.args(["-tls1_2"]).stdin(input), DEADLINE);
    assert!(server.program.line().contains("TlsVersion::Tls12"));
    let end = server.program.line();
    assert!(
        [
            "end",
            "TlsFailure::Protocol",
            "TlsFailure::Truncated",
            "TlsFailure::Handshake"
        ]
        .contains(&end.as_str()),
        "{end}"
    );
    server.serves();
}

#[test]
fn openssl_as_a_server() {
    let Some(openssl) = Found::get("openssl", "openssl").filter(|_| tls()) else {
        return;
    };
    let files = Files::new();
    let serve = |arguments: &[&str]| {
        NativeServer::start(|port| {
            let mut command = openssl.command();
            command.args(["s_server", "-accept", &format!("127.0.0.1:{port}")]);
            command.args([
                "-cert",
                &files.path("chain.pem"),
                "-key",
                &files.path("key.pem"),
            ]);
            // It echoes lines, reversed.
            command.args(["-rev", "-alpn", "line"]).args(arguments);
            command
        })
    };
    for suite in SUITES_13 {
        let server = serve(&["-tls1_3", "-ciphersuites", suite]);
        assert_eq!(
            files.client(server.port()),
            format!("1.3 {suite} line olleh")
        );
    }
    for (name, suite) in SUITES_12 {
        let server = serve(&["-tls1_2", "-cipher", name]);
        assert_eq!(
            files.client(server.port()),
            format!("1.2 {suite} line olleh")
        );
    }
    let server = serve(&["-no_tls1_3", "-no_tls1_2"]);
    assert_eq!(files.client(server.port()), "TlsFailure::Handshake");
}

#[test]
fn nginx_and_redis() {
    if !tls() {
        return;
    }
    let files = Files::new();
    if let Some(nginx) = Found::get("nginx", "nginx") {
        let place = files.folder.path().display().to_string();
        let server = NativeServer::start(|port| {
            let configuration = format!(
                "daemon off; master_process off; pid {place}/pid; error_log stderr;
                events {{ worker_connections 100; }}
                http {{
                    access_log off;
                    client_body_temp_path {place}/client; proxy_temp_path {place}/proxy;
                    fastcgi_temp_path {place}/fastcgi; uwsgi_temp_path {place}/uwsgi;
                    scgi_temp_path {place}/scgi;
                    server {{
                        listen 127.0.0.1:{port} ssl;
                        ssl_certificate {place}/chain.pem; ssl_certificate_key {place}/key.pem;
                    }}
                }}"
            );
            let file = files.put("nginx.conf", &configuration);
            let mut command = nginx.command();
            command.args(["-e", "stderr", "-c", &file, "-p", &place]);
            command
        });
        // A greeting is not a request, and gets an answer.
        let said = files.client(server.port());
        assert!(
            said.contains(" TLS_") && said.contains("http/1.1 HTTP/1.1 400"),
            "{said}"
        );
    }
    if let Some(redis) = Found::get("redis-server", "redis-server") {
        let server = NativeServer::start(|port| {
            let mut command = redis.command();
            command.args([
                "--bind",
                "127.0.0.1",
                "--port",
                "0",
                "--tls-port",
                &port.to_string(),
            ]);
            command.args([
                "--tls-cert-file",
                &files.path("chain.pem"),
                "--tls-key-file",
                &files.path("key.pem"),
            ]);
            command.args([
                "--tls-ca-cert-file",
                &files.path("root.pem"),
                "--tls-auth-clients",
                "no",
            ]);
            command
                .args(["--save", "", "--dir"])
                .arg(files.folder.path());
            command
        });
        // HELLO is a command, and its answer a list.
        let said = files.client(server.port());
        assert!(
            said.starts_with("1.3 TLS_") && said.contains(" *"),
            "{said}"
        );
    }
}

#[test]
fn curl() {
    let Some(curl) = Found::get("curl", "curl").filter(|_| tls()) else {
        return;
    };
    let files = Files::new();
    let mut server = Program::handler("peer_http")
        .tls()
        .args([
            "--tls-cert",
            "CHAIN",
            "--tls-key",
            "KEY",
            "--tls-alpn",
            "http/1.1",
            "127.0.0.1:0",
        ])
        .variable(
            "CHAIN",
            &fs::read_to_string(files.path("chain.pem")).expect("the chain"),
        )
        .variable(
            "KEY",
            &fs::read_to_string(files.path("key.pem")).expect("the key"),
        )
        .start(In::Concurrent);
    let line = server.line();
    let port = line.rsplit(':').next().expect("a port").to_owned();
    let run = |arguments: &[&str]| {
        let mut command = curl.command();
        command.args([
            "--silent",
            "--show-error",
            "--fail",
            "--noproxy",
            "*",
            "--max-time",
            "50",
        ]);
        command.args(["--resolve", &format!("{SERVER}:{port}:127.0.0.1")]);
        command.args(["--cacert", &files.path("root.pem"), "--http1.1"]);
        command
            .args(arguments)
            .arg(format!("https://{SERVER}:{port}/"));
        output(command.stdin(Stdio::null()), DEADLINE)
    };
    assert_eq!(run(&[]).expect("an answer"), "Hello World!\n");
    assert_eq!(
        run(&["--tls-max", "1.2"]).expect("an answer"),
        "Hello World!\n"
    );
    let large = "x".repeat(3_000_000);
    let data = format!("@{}", files.put("data", &large));
    assert!(run(&["--data-binary", &data]).expect("an answer") == large);
    // It does not know the authority.
    let other = Authority::new();
    let other = files.put("other.pem", &other.pem);
    assert!(run(&["--cacert", &other]).is_err());
    assert_eq!(run(&[]).expect("an answer"), "Hello World!\n");
    assert!(server.is_running());
    assert_eq!(server.stderr().text(), "");
}

/// asyncio on either side; its module `ssl` is OpenSSL.
#[test]
fn asyncio() {
    let Some(python) = Found::python("python3", "ssl").filter(|_| tls()) else {
        return;
    };
    let files = Files::new();
    let script = |text: &str| {
        let file = files.put("peer.py", text);
        let mut command: Command = python.command();
        command.arg(file).arg(files.folder.path());
        command
    };
    let server = NativeServer::start(|port| {
        let mut command = script(PYTHON_SERVER);
        command.arg(port.to_string());
        command
    });
    let said = files.client(server.port());
    assert!(
        said.starts_with("1.3 TLS_") && said.ends_with(" line hello"),
        "{said}\n{}",
        server.said()
    );

    let mut ours = Server::start(Way::Accept);
    fs::write(
        files.folder.path().join("server-root.pem"),
        &ours.authority.pem,
    )
    .expect("the root");
    let mut command = script(&format!(
        "
import asyncio, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[1] + '/server-root.pem')
async def main():
    reader, writer = await asyncio.open_connection('127.0.0.1', {}, ssl=context, server_hostname='{SERVER}')
    for number in range(100):
        writer.write(b'x' * number * 600 + b'\\n')
        await writer.drain()
        assert await reader.readexactly(number * 600 + 1) == b'x' * number * 600 + b'\\n'
    writer.close()
    await writer.wait_closed()
    print('done')
asyncio.run(main())
",
        ours.port
    ));
    let said = output(&mut command, DEADLINE).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(said, "done\n");
    assert!(ours.program.line().contains("TLS_CHACHA20_POLY1305_SHA256"));
    assert_eq!(ours.program.line(), "end");
    ours.serves();
}

/// Closes that wait for the peer's end, against peers that end properly after this side's end.
#[test]
fn closes_that_wait() {
    let openssl = Found::get("openssl", "openssl").filter(|_| tls());
    let python = Found::python("python3", "ssl").filter(|_| tls());
    let files = Files::new();
    let programs = Program::on_each_host("tls_client");
    for version in ["1.2", "1.3"] {
        if let Some(openssl) = &openssl {
            let server = NativeServer::start(|port| {
                let mut command = openssl.command();
                command.args(["s_server", "-accept", &format!("127.0.0.1:{port}"), "-rev"]);
                command.args(["-cert", &files.path("chain.pem")]);
                command.args(["-key", &files.path("key.pem")]);
                command.arg(if version == "1.2" {
                    "-tls1_2"
                } else {
                    "-tls1_3"
                });
                command
            });
            for (program, place) in programs.clone() {
                let said = files.client_with(server.port(), "wait", program, place);
                assert!(
                    said.starts_with(version) && said.ends_with("olleh"),
                    "{said} ({place:?})"
                );
            }
        }
        if let Some(python) = &python {
            let file = files.put("echo.py", PYTHON_SERVER);
            let server = NativeServer::start(|port| {
                let mut command = python.command();
                command.arg(&file).arg(files.folder.path());
                command.args([port.to_string().as_str(), version]);
                command
            });
            for (program, place) in programs.clone() {
                let said = files.client_with(server.port(), "wait", program, place);
                assert!(
                    said.starts_with(version) && said.ends_with("hello"),
                    "{said} ({place:?})\n{}",
                    server.said()
                );
            }
        }
    }
    let mut ours = super::server::Server::waiting();
    let root = files.put("server-root.pem", &ours.authority.pem);
    let port = ours.port;
    for version in ["1.2", "1.3"] {
        if let Some(openssl) = &openssl {
            let input = fs::File::open(files.put("input", "one\n")).expect("the input");
            let mut command = openssl.command();
            command.args(["s_client", "-connect", &format!("127.0.0.1:{port}")]);
            command.args(["-servername", SERVER, "-CAfile", &root]);
            command.args(["-quiet", "-no_ign_eof"]);
            command.arg(if version == "1.2" {
                "-tls1_2"
            } else {
                "-tls1_3"
            });
            output(command.stdin(input), DEADLINE).unwrap_or_else(|error| panic!("{error}"));
            assert!(ours.program.line().contains("TLS_"));
            assert_eq!(ours.program.line(), "end", "s_client, {version}");
        }
        if let Some(python) = &python {
            let mut command = python.command();
            command.arg(files.put("client.py", PYTHON_CLIENT));
            command.args([root.as_str(), &port.to_string(), version]);
            output(&mut command, DEADLINE).unwrap_or_else(|error| panic!("{error}"));
            assert!(ours.program.line().contains("TLS_"));
            assert_eq!(ours.program.line(), "end", "asyncio, {version}");
        }
    }
}

/// Echoes a line, and closes after its client. It uses one version, if given, and one protocol of ALPN.
const PYTHON_SERVER: &str = "
import asyncio, ssl, sys
folder, port, *versions = sys.argv[1:]
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(folder + '/chain.pem', folder + '/key.pem')
context.set_alpn_protocols(['line'])
for version in versions:
    context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, 'TLSv' + version.replace('.', '_'))
async def serve(reader, writer):
    writer.write(await reader.readline())
    await writer.drain()
    # The peer ends first, with a close_notify: an end of the stream.
    assert await reader.read() == b''
    writer.close()
async def main():
    server = await asyncio.start_server(serve, '127.0.0.1', int(port), ssl=context)
    await server.serve_forever()
asyncio.run(main())
";

/// Sends a line, waits for it to come back, and closes.
const PYTHON_CLIENT: &str = "
import asyncio, ssl, sys
root, port, version = sys.argv[1:]
context = ssl.create_default_context(cafile=root)
context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, 'TLSv' + version.replace('.', '_'))
async def main():
    reader, writer = await asyncio.open_connection('127.0.0.1', int(port), ssl=context, server_hostname='server.test')
    writer.write(b'line\\n')
    assert await reader.readline() == b'line\\n'
    writer.close()
    await writer.wait_closed()
asyncio.run(main())
";
