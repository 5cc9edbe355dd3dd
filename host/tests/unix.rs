//! Unix sockets that the host grants: embedded and by `streams run`, composed and linked, towards Python's asyncio.
#![cfg(unix)]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use asyncio_streams_host::compose::{Part, compose};
use asyncio_streams_host::{Engine, Network, Program, UnixPath};
use support::{built, streams};

const DEADLINE: Duration = Duration::from_secs(60);

/// The program `unix_orders`, composed and linked.
const ORDERS: [&str; 2] = ["tests/unix_orders", "linked/unix_orders"];

/// Prepares `streams run` with these options, and one of [`ORDERS`] with these arguments.
fn orders(program: &str, options: &[String], args: &[&str]) -> Command {
    let mut command = streams(["run"]);
    if program.starts_with("tests") {
        command.arg("--with").arg(built("streams-unix"));
    }
    command.args(options).arg(built(program)).args(args);
    command
}

fn connects(path: impl std::fmt::Display) -> Vec<String> {
    vec!["--allow-unix-connect".into(), path.to_string()]
}

fn listens(path: impl std::fmt::Display) -> Vec<String> {
    vec!["--allow-unix-listen".into(), path.to_string()]
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Waits for the end of a process until the deadline.
fn ended(child: &mut Child) -> ExitStatus {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(status) = child.try_wait().expect("a process") {
            return status;
        }
        if Instant::now() > end {
            let _ = child.kill();
            panic!("it does not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs a command to its end, and returns its output, which has to fit into a pipe.
fn output(mut command: Command) -> Output {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    ended(&mut child);
    child.wait_with_output().expect("its output")
}

/// Runs a command that succeeds, and returns its output.
fn printed(command: Command) -> (String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = output(command);
    let (stdout, stderr) = (text(&stdout), text(&stderr));
    assert!(status.success(), "{stdout}{stderr}");
    (stdout, stderr)
}

/// A program that listens, ended with the test.
struct Serving(Child);

impl Serving {
    fn start(program: &str, path: &str, mode: &[&str], grant: Vec<String>) -> Self {
        let args = [&["serve", path], mode].concat();
        let mut child = orders(program, &grant, &args)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let stdout = child.stdout.as_mut().expect("its output");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        assert_eq!(line, "listening\n");
        Self(child)
    }

    fn end(mut self) {
        let status = ended(&mut self.0);
        assert!(status.success(), "{status}");
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It has ended where the test has passed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn python(script: &str, args: &[&str]) -> Command {
    let mut command = Command::new("python3");
    command.args(["-c", script]).args(args);
    command
}

#[test]
fn a_server_and_its_clients_in_one_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().display();
    for program in ["tests/unix_pair", "linked/unix_pair"] {
        let mut command = streams(["run"]);
        if program.starts_with("tests") {
            command.arg("--with").arg(built("streams-unix"));
        }
        for option in ["--allow-unix-connect", "--allow-unix-listen"] {
            command.args([
                option,
                &format!("{place}/"),
                option,
                "@asyncio-streams-test",
            ]);
        }
        command.arg(built(program)).arg(folder.path());
        let output = output(command);
        assert!(
            output.status.success(),
            "{program}: {}",
            text(&output.stderr)
        );
        assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    }
    let left: Vec<_> = fs::read_dir(folder.path()).expect("a folder").collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn the_same_embedded() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().to_str().expect("text").to_owned();
    let parts = ["tests/unix_pair", "streams-unix"].map(|name| Part::read(built(name)));
    let parts = parts.map(|part| part.expect("a component"));
    let composed = compose(parts).expect("they fit");
    let engine = Engine::new().expect("an engine");
    let program = Program::from_bytes(&engine, "unix_pair", composed.bytes()).expect("it loads");
    let Ok(granted) = format!("{place}/").parse::<UnixPath>();
    let network = Network::none()
        .allow_unix_connect(granted.clone())
        .allow_unix_listen(granted);
    let running = program.command().arg(&place).network(network).output();
    let output = tokio::time::timeout(DEADLINE, running).await;
    let output = output.expect("in time").expect("it ends");
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn a_client_of_pythons_asyncio() {
    const SERVER: &str = r#"
import asyncio, sys
async def echo(reader, writer):
    async for line in reader:
        writer.write(b"python says " + line)
    writer.close()
    await writer.wait_closed()
    stop.set()
async def main():
    global stop
    stop = asyncio.Event()
    server = await asyncio.start_unix_server(echo, sys.argv[1])
    print("listening", flush=True)
    await asyncio.wait_for(stop.wait(), 60)
    server.close()
asyncio.run(main())
"#;
    for program in ORDERS {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("python.sock");
        let path = path.to_str().expect("text");
        let mut server = python(SERVER, &[path]);
        let mut server = server.stdout(Stdio::piped()).spawn().expect("Python");
        let mut line = String::new();
        let stdout = server.stdout.as_mut().expect("its output");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let (stdout, _) = printed(orders(program, &connects(path), &["connect", path]));
        assert_eq!(stdout, "python says hello\n", "{program}");
        assert!(ended(&mut server).success());
    }
}

#[test]
fn a_server_of_pythons_asyncio() {
    const CLIENT: &str = r#"
import asyncio, os, sys
async def main():
    reader, writer = await asyncio.open_unix_connection(sys.argv[1])
    assert writer.get_extra_info("peername") == sys.argv[1], writer.get_extra_info("peername")
    block = b"x" * 60_000 + b"\n"
    writer.write(block)
    assert await reader.readexactly(len(block)) == block
    writer.write(b"who\n")
    assert int(await reader.readline()) == os.getpid()
    writer.write(b"quit\n")
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
asyncio.run(asyncio.wait_for(main(), 60))
"#;
    for program in ORDERS {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ours.sock");
        let path = path.to_str().expect("text");
        let server = Serving::start(program, path, &["620"], listens(path));
        let about = fs::symlink_metadata(path).expect("the file");
        assert!(about.file_type().is_socket());
        assert_eq!(about.permissions().mode() & 0o7777, 0o620);
        printed(python(CLIENT, &[path]));
        server.end();
        assert!(!Path::new(path).exists(), "{program} leaves the file");
    }
}

#[test]
fn tls_over_a_unix_socket() {
    let component = built("streams-unix").with_file_name("streams-unix-tls.wasm");
    if !component.is_file() {
        eprintln!("LEFT OUT: there is no streams-unix-tls.wasm, which takes clang to build");
        return;
    }
    let made = rcgen::generate_simple_self_signed(["server.test".to_owned()]);
    let made = made.expect("a certificate");
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tls.sock");
    let path = path.to_str().expect("text");
    let mut command = streams(["run", "--with"]);
    command.arg(component);
    command.args(connects(path)).args(listens(path));
    command.arg(built("tests/unix_tls"));
    command.args([path, &certificate, &certificate, &key]);
    printed(command);
}

#[cfg(target_os = "linux")]
#[test]
fn abstract_names_reach_other_processes() {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::SocketAddr;

    let name = format!("asyncio-streams-{}", std::process::id());
    let server = Serving::start(
        ORDERS[0],
        &format!("@{name}"),
        &[],
        listens(format!("@{name}")),
    );
    let address = SocketAddr::from_abstract_name(&name).expect("a name");
    let mut client = UnixStream::connect_addr(&address).expect("it connects");
    client.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    client.write_all(b"quit\n").expect("it takes a line");
    assert_eq!(client.read(&mut [0]).expect("an end"), 0);
    server.end();
}

#[test]
fn a_path_that_is_not_granted_is_denied_with_a_hint() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().canonicalize().expect("its name");
    let path = folder.join("a.sock");
    let path = path.to_str().expect("text");
    let _listener = UnixListener::bind(path).expect("a socket");
    for (program, order, option, did) in ORDERS.into_iter().flat_map(|program| {
        [
            (program, "connect", "--allow-unix-connect", "connect to"),
            (program, "serve", "--allow-unix-listen", "listen on"),
        ]
    }) {
        let (stdout, stderr) = printed(orders(program, &[], &[order, path]));
        assert!(stdout.contains("AccessDenied: "), "{stdout}");
        assert!(stdout.contains("the host does not grant it"), "{stdout}");
        let hint =
            format!("streams: {did} Unix socket {path} denied; grant it with {option} {path}\n");
        assert_eq!(stderr, hint);
    }
    // The whole network includes none.
    let (stdout, _) = printed(orders(
        ORDERS[0],
        &["--allow-network".into()],
        &["connect", path],
    ));
    assert!(stdout.contains("AccessDenied: "), "{stdout}");
}

#[test]
fn each_bad_path_has_its_own_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().canonicalize().expect("its name");
    fs::create_dir(folder.join("in")).expect("a folder");
    fs::write(folder.join("in/file"), "").expect("a file");
    fs::write(folder.join("secret"), "").expect("a file");
    symlink(folder.join("secret"), folder.join("in/link")).expect("a link");
    drop(UnixListener::bind(folder.join("in/stale.sock")).expect("a socket"));
    let place = folder.join("in");
    let place = place.to_str().expect("text");
    let at = |name: &str| format!("{place}/{name}");
    let long = at(&"x".repeat(200));
    let grants = [connects(at("")), listens(at(""))].concat();
    for (order, path, expected) in [
        ("connect", at("none"), "NoSuchFile: "),
        ("connect", at("none/a"), "NoSuchFile: "),
        ("connect", at("stale.sock"), "ConnectionRefused: "),
        ("connect", at("file"), "a file is there, no socket"),
        ("connect", place.to_owned(), "a folder is there, no socket"),
        ("connect", at("link"), "AccessDenied: "),
        ("connect", at("../secret"), "AccessDenied: "),
        (
            "connect",
            long.clone(),
            "it is longer than the system allows",
        ),
        ("connect", "a.sock".to_owned(), "it is relative"),
        ("connect", at("a/.."), "it names a folder"),
        ("connect", String::new(), "path: empty"),
        ("connect", "@name".to_owned(), "AccessDenied: "),
        ("serve", at("file"), "a file is there, no socket"),
        ("serve", at("none/a"), "NoSuchFile: "),
        ("serve", at("../b"), "AccessDenied: "),
        ("serve", at("link"), "AddressInUse: "),
        ("serve", long, "it is longer than the system allows"),
        ("serve", "./a.sock".to_owned(), "it is relative"),
    ] {
        for program in ORDERS {
            let (stdout, _) = printed(orders(program, &grants, &[order, &path]));
            assert!(
                stdout.contains(expected),
                "{program} {order} {path}: {stdout}"
            );
            assert_eq!(stdout.lines().count(), 1, "{stdout}");
        }
    }
    assert!(folder.join("in/file").exists() && folder.join("secret").exists());
}

#[test]
fn serve_wasm_listens_on_unix_sockets() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("served.sock");
    let path = path.to_str().expect("text");
    let mut command = streams(["run", "--with"]);
    command.arg(built("streams-unix")).arg("--with");
    command.arg(built("examples/echo-server"));
    command.args(listens(path)).arg(built("serve"));
    command.args([&format!("unix:{path}"), "--until-stdin-closes"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    let stdout = child.stdout.as_mut().expect("its output");
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    let server = Serving(child);
    assert_eq!(line, format!("listening on unix:{path}\n"));
    let mut client = UnixStream::connect(path).expect("it connects");
    client.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    client.write_all(b"hello\n").expect("it takes a line");
    let mut answer = [0; 6];
    client.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"hello\n");
    drop(client);
    let mut server = server;
    drop(server.0.stdin.take());
    server.end();
    assert!(!Path::new(path).exists(), "the file is left");
}

#[test]
fn a_component_without_unix_sockets_runs_here_too() {
    let mut command = streams(["run", "--allow-network", "--with"]);
    command
        .arg(built("streams"))
        .arg(built("tests/unix_absent"));
    printed(command);
}

#[test]
fn more_listeners_than_handles_are_a_trap_and_leave_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.sock");
    let path = path.to_str().expect("text");
    let mut options = listens(path);
    options.extend(["--max-handles".into(), "5".into()]);
    let output = output(orders(ORDERS[0], &options, &["serve", path]));
    let error = text(&output.stderr);
    assert!(!output.status.success());
    assert!(error.contains("raise --max-handles"), "{error}");
    assert!(!Path::new(path).exists());
}
