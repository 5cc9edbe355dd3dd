//! Third-party programs at the other end: servers of guest programs, and clients of our servers.
//!
//! They come from Debian's packages: see [`Found`].

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use asyncio_streams_tests::debian::Found;
use asyncio_streams_tests::native::{NativeServer, output};
use asyncio_streams_tests::peers::pattern;
use asyncio_streams_tests::{Exit, In, Program, Running};
use tempfile::TempDir;

const DEADLINE: Duration = Duration::from_secs(60);

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn put(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> String {
    let file = folder.join(name);
    fs::create_dir_all(file.parent().expect("a folder")).expect("the folder");
    fs::write(&file, content).expect("a file");
    file.display().to_string()
}

fn serve(program: Program) -> (Running, SocketAddr) {
    let mut server = program.args(["127.0.0.1:0"]).start(In::Concurrent);
    let address = server.listens();
    (server, address)
}

#[test]
fn redis() {
    let Some(redis) = Found::get("redis-server", "redis-server") else {
        return;
    };
    let folder = folder();
    let server = redis.serve_redis(folder.path());
    for (program, place) in Program::everywhere("peer_redis") {
        program.args([server.port()]).run(place).assert_success();
    }
}

#[test]
fn nginx() {
    let Some(nginx) = Found::get("nginx", "nginx") else {
        return;
    };
    let folder = folder();
    let place = folder.path().display();
    put(folder.path(), "files/small", pattern(1000));
    put(folder.path(), "files/large", pattern(20 << 20));
    // In one process, which is ended by its process id.
    let configuration = |port| {
        format!(
            "daemon off; master_process off; pid {place}/pid; error_log stderr;
            events {{ worker_connections 100; }}
            http {{
                access_log off;
                client_body_temp_path {place}/client; proxy_temp_path {place}/proxy;
                fastcgi_temp_path {place}/fastcgi; uwsgi_temp_path {place}/uwsgi; scgi_temp_path {place}/scgi;
                keepalive_requests 10000; client_max_body_size 100m;
                server {{
                    listen 127.0.0.1:{port}; root {place}/files;
                    location /upload/ {{ dav_methods PUT; create_full_put_path on; }}
                    location /filtered/ {{
                        alias {place}/files/;
                        sub_filter_types *; sub_filter 'what is in no file of the test' '';
                    }}
                }}
            }}"
        )
    };
    let server = NativeServer::start(|port| {
        let file = put(folder.path(), "nginx.conf", configuration(port));
        let mut command = nginx.command();
        command
            .args(["-e", "stderr", "-c", &file, "-p"])
            .arg(folder.path());
        command
    });
    for (program, place) in Program::everywhere("peer_nginx") {
        let outcome = program.args([server.port()]).run(place);
        assert!(
            outcome.exit == Exit::Success,
            "{outcome}\n--- nginx\n{}",
            server.said()
        );
        let uploaded = folder.path().join("files/upload/file");
        assert!(fs::read(&uploaded).expect("what was uploaded") == pattern(5_000_000));
        fs::remove_file(uploaded).expect("no file for the next run");
    }
    for (program, place) in Program::composed_and_linked("peer_nginx_stream") {
        program.args([server.port()]).run(place).assert_success();
    }
}

#[test]
fn smtp() {
    let Some(python) = Found::python("python3-aiosmtpd", "aiosmtpd") else {
        return;
    };
    let message = message();
    for (program, place) in Program::everywhere("peer_smtp") {
        let folder = folder();
        let server = NativeServer::start(|port| {
            let mut command = python.command();
            command.args([
                "-m",
                "aiosmtpd",
                "--nosetuid",
                "--listen",
                &format!("127.0.0.1:{port}"),
            ]);
            command
                .args(["--class", "aiosmtpd.handlers.Mailbox"])
                .arg(folder.path().join("mail"));
            command
        });
        let mut program = program.args([server.port()]).stdin().start(place);
        program.write_stdin(message.as_bytes());
        program.close_stdin();
        let outcome = program.wait();
        assert!(
            outcome.exit == Exit::Success,
            "{outcome}\n--- smtpd\n{}",
            server.said()
        );
        // One mail: the refused one does not exist.
        let mails: Vec<_> = fs::read_dir(folder.path().join("mail/new"))
            .expect("the mailbox")
            .collect();
        let [Ok(mail)] = mails.as_slice() else {
            panic!("not one mail: {mails:?}")
        };
        let mail = fs::read_to_string(mail.path()).expect("the mail");
        // The server adds headers before the empty line.
        let body = |mail: &str| {
            mail.split_once("\n\n")
                .map(|(_, body)| body.to_owned())
                .expect("a body")
        };
        assert!(
            body(&mail) == body(&message),
            "another body arrived than was sent"
        );
    }
}

/// Three megabytes of lines of every length that mail allows, up to 998 bytes; many begin with dots.
fn message() -> String {
    let mut message = String::from(
        "From: sender@example.org\nTo: reader@example.org\nSubject: long\n\n.\n..\n...dots\n\n",
    );
    for number in 0..6000_usize {
        let start = [".", "", "..", "x", ". "][number % 5];
        let length = number * 7 % 999;
        message.push_str(
            &format!("{start}{}", "the body ".repeat(120))
                .chars()
                .take(length)
                .collect::<String>(),
        );
        message.push('\n');
    }
    message
}

#[test]
fn curl() {
    let Some(curl) = Found::get("curl", "curl") else {
        return;
    };
    let (server, address) = serve(Program::handler("peer_http"));
    requests(&curl, &server, address);
    // The same handler in a program of WASI 0.2.
    for (program, place) in Program::blocking_everywhere("peer_http") {
        let mut server = program.start(place);
        let address = server.listens();
        requests(&curl, &server, address);
    }
}

/// Every kind of request that curl makes.
fn requests(curl: &Found, server: &Running, address: SocketAddr) {
    let folder = folder();
    let sent = pattern(5_000_000);
    let file = put(folder.path(), "sent", &sent);
    let received = folder.path().join("received");
    let url = format!("http://{address}/");
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
            "--output",
        ]);
        command
            .arg(&received)
            .args(["--write-out", "%{num_connects} %{response_code}\n"])
            .args(arguments);
        let said = output(command.arg(&url).stdin(Stdio::null()), DEADLINE)
            .unwrap_or_else(|error| panic!("{error}"));
        (said, fs::read(&received).unwrap_or_default())
    };
    assert_eq!(run(&[]), ("1 200\n".into(), b"Hello World!\n".into()));
    assert_eq!(run(&["--head"]).0, "1 200\n");
    assert_eq!(run(&["--header", "Connection: close"]).0, "1 200\n");
    // It keeps the connection for the second transfer.
    let (said, _) = run(&["--output", &received.display().to_string(), &url]);
    assert_eq!(said, "1 200\n0 200\n");
    let data = format!("@{file}");
    // With the length, after a `100 Continue`, and in chunks.
    for how in [
        &["--data-binary", &data][..],
        &[
            "--upload-file",
            &file,
            "--header",
            "Transfer-Encoding: chunked",
        ],
    ] {
        let (said, body) = run(how);
        assert_eq!(said, "1 200\n");
        assert!(body == sent, "{how:?}: {} bytes came back", body.len());
    }
    assert!(server.is_running());
    assert_eq!(server.stderr().text(), "");
}

#[test]
fn netcat() {
    let Some(netcat) = Found::get("netcat-openbsd", "nc.openbsd") else {
        return;
    };
    let folder = folder();
    let run = |address: SocketAddr, input: &[u8]| {
        let file = put(folder.path(), "input", input);
        let mut command: Command = netcat.command();
        // -N: the output ends with the input, while answers are still on their way.
        command.args(["-N", "127.0.0.1", &address.port().to_string()]);
        let input = fs::File::open(file).expect("the input");
        output(command.stdin(input), DEADLINE).unwrap_or_else(|error| panic!("{error}"))
    };
    let (server, address) = serve(Program::example_handler("echo-server"));
    let text = "some text\n".repeat(20_000);
    assert!(run(address, text.as_bytes()) == text);
    assert!(server.is_running());

    let (server, address) = serve(Program::example_handler("key-value-server"));
    let answers = run(
        address,
        b"set color 3\nred\nget color\ncount\nquit\nget color\n",
    );
    assert_eq!(answers, "stored\r\nvalue 3\r\nred\r\ncount 1\r\n");
    assert_eq!(
        run(address, b"get color\r\nget\x20colo"),
        "value 3\r\nred\r\n"
    );
    assert!(server.is_running());
    assert_eq!(server.stderr().text(), "");
}

/// The commands of a client of the key-value server, and the expected answers.
#[derive(Default)]
struct Script {
    commands: Vec<u8>,
    answers: Vec<u8>,
}

impl Script {
    fn say(&mut self, command: impl AsRef<[u8]>, answer: impl AsRef<[u8]>) {
        self.commands.extend_from_slice(command.as_ref());
        self.answers.extend_from_slice(answer.as_ref());
    }

    /// Sends all commands, reads at the same time, and compares.
    fn run(&self, address: SocketAddr) {
        let mut receiving = connect(address);
        let mut sending = receiving.try_clone().expect("the same connection");
        thread::scope(|scope| {
            scope.spawn(move || {
                sending
                    .write_all(&self.commands)
                    .expect("all commands, sent");
                sending.shutdown(Shutdown::Write).expect("the end");
            });
            let mut answers = Vec::new();
            receiving.read_to_end(&mut answers).expect("all answers");
            assert!(
                answers == self.answers,
                "{} bytes came, {} were expected",
                answers.len(),
                self.answers.len()
            );
        });
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    stream
        .set_write_timeout(Some(DEADLINE))
        .expect("a deadline");
    stream
}

/// Values that are stored and requested, repeatedly under the same hundred keys.
fn load(client: usize, commands: usize) -> Script {
    let mut script = Script::default();
    for number in 0..commands {
        let value = pattern(number % 300);
        let key = format!("{client}:{}", number % 100);
        script.say(format!("set {key} {}\r\n", value.len()), "stored\r\n");
        script.say(&value, "");
        script.say("\r\n", "");
        script.say(
            format!("get {key}\r\n"),
            format!("value {}\r\n", value.len()),
        );
        script.say("", &value);
        script.say("", "\r\n");
    }
    script
}

#[test]
fn pipelined_load() {
    const CLIENTS: usize = 20;
    const COMMANDS: usize = 2000;
    let (server, address) = serve(Program::example_handler("key-value-server"));
    let begun = Instant::now();
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || load(client, COMMANDS).run(address));
        }
    });
    let rate = (2 * CLIENTS * COMMANDS) as f64 / begun.elapsed().as_secs_f64();
    println!("{rate:.0} commands per second of {CLIENTS} clients");
    let mut script = Script::default();
    script.say("count\r\n", format!("count {}\r\n", CLIENTS * 100));
    script.run(address);
    assert!(server.is_running());
}

#[test]
fn key_value_server_bounds() {
    let (server, address) = serve(Program::example_handler("key-value-server"));
    let mut script = Script::default();
    script.say([b'x'; 300_000], "");
    script.say("\r\n", "error the line is too long\r\n");
    let large = pattern(1 << 20);
    script.say(format!("set large {}\r\n", large.len()), "stored\r\n");
    script.say(&large, "");
    script.say("\r\n", "");
    script.say("get large\r\n", format!("value {}\r\n", large.len()));
    script.say("", &large);
    script.say("", "\r\n");
    // A value that contains commands, none of which is executed.
    script.say(
        "set larger 2000000\r\n",
        "error the key or the value is too long\r\n",
    );
    script.say(
        "delete large\r\n"
            .repeat(142_858)
            .as_bytes()
            .split_at(2_000_000)
            .0,
        "",
    );
    script.say("\r\n", "");
    script.say(
        format!("set {} 3\r\nabc\r\n", "k".repeat(251)),
        "error the key or the value is too long\r\n",
    );
    script.say(
        "set short 3\r\nabcd\r\n",
        "error the value is longer than its length\r\n",
    );
    script.say("get short\r\n", "none\r\n");
    script.say("\r\n", "error no such command\r\n");
    script.say("delete large\r\ndelete large\r\n", "deleted\r\nnone\r\n");
    script.say("set last many\r\n", "error the length is not a number\r\n");
    script.run(address);

    // Clients that vanish: in a line, in a value, and with unread answers, which makes it a reset.
    let mut kept = connect(address);
    for cut in [
        "set a",
        "set a 10\r\n12345",
        "count\r\n",
        "get a\r\nset a 10\r\n",
    ] {
        let mut vanishing = connect(address);
        vanishing.write_all(cut.as_bytes()).expect("a part");
        drop(vanishing);
        let mut vanishing = connect(address);
        vanishing.write_all(b"count\r\n").expect("a command");
        vanishing.write_all(cut.as_bytes()).expect("a part");
        vanishing
            .read_exact(&mut [0])
            .expect("the start of an answer");
        drop(vanishing);
    }
    kept.write_all(b"get a\r\ncount\r\nquit\r\n")
        .expect("the commands, sent");
    let mut answers = String::new();
    kept.read_to_string(&mut answers).expect("the answers");
    assert_eq!(answers, "none\r\ncount 0\r\n");
    assert!(server.is_running());
    assert_eq!(server.stderr().text(), "");
}
