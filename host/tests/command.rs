//! The program `streams`, run as a user does.

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use support::{built, streams};

/// Longer than any test here takes.
const DEADLINE: Duration = Duration::from_secs(60);

fn output<A: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = A>) -> Output {
    streams(args).output().expect("the program runs")
}

/// Checks that `streams` fails, and returns its exit code and its standard error output.
#[track_caller]
fn assert_fails<A: AsRef<std::ffi::OsStr>>(
    args: impl IntoIterator<Item = A>,
    code: i32,
    said: &str,
) {
    let output = output(args);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{error}");
    assert_eq!(error, format!("{said}\n"));
}

/// A component from text, in its own file.
fn made(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let file = folder.path().join(name);
    std::fs::write(&file, wat::parse_str(text).expect("a component")).expect("written");
    file
}

/// A command with this code as its `run`.
fn command(folder: &tempfile::TempDir, body: &str) -> PathBuf {
    let text = format!(
        r#"(component
            (core module $m (func $inner (result i32) {body}) (func (export "run") (result i32) call $inner))
            (core instance $i (instantiate $m))
            (func $run async (result (result)) (canon lift (core func $i "run")))
            (instance $r (export "run" (func $run)))
            (export "wasi:cli/run@0.3.0" (instance $r)))"#
    );
    made(folder, "app.wasm", &text)
}

/// A server in the background, which ends with the test.
struct Server {
    process: Child,
    output: BufReader<std::process::ChildStdout>,
    port: u16,
}

impl Server {
    /// The echo server of the examples, composed in memory, on a free port.
    fn start(serve_args: &[&str]) -> Self {
        let mut command = streams(["run", "--allow-listen", "127.0.0.1:0", "--with"]);
        command
            .arg(built("streams"))
            .arg("--with")
            .arg(built("examples/echo-server"));
        command
            .arg(built("serve"))
            .args(serve_args)
            .arg("127.0.0.1:0");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut process = command.spawn().expect("the program runs");
        let mut output = BufReader::new(process.stdout.take().expect("piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("a line");
        let port = line
            .trim_end()
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok());
        let Some(port) = port else {
            let mut error = String::new();
            let _ = process
                .stderr
                .take()
                .expect("piped")
                .read_to_string(&mut error);
            panic!("no port in {line:?}: {error}");
        };
        Self {
            process,
            output,
            port,
        }
    }

    fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(("127.0.0.1", self.port)).expect("connected");
        socket.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        socket
    }

    #[cfg(unix)]
    fn signal(&self, signal: &str) {
        let kill = Command::new("kill")
            .arg(format!("-{signal}"))
            .arg(self.process.id().to_string())
            .status();
        assert!(kill.expect("kill runs").success());
    }

    /// Returns the exit code and the rest of the output.
    fn end(mut self) -> (Option<i32>, String) {
        let end = Instant::now() + DEADLINE;
        while self.process.try_wait().expect("a process").is_none() {
            assert!(Instant::now() < end, "it does not end");
            pause();
        }
        let mut error = String::new();
        self.process
            .stderr
            .take()
            .expect("piped")
            .read_to_string(&mut error)
            .expect("text");
        (self.process.wait().expect("a process").code(), error)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = self.output.read_to_end(&mut Vec::new());
    }
}

/// The pause between two checks of another process's state.
fn pause() {
    std::thread::sleep(Duration::from_millis(5));
}

fn echo(socket: &mut TcpStream) {
    socket.write_all(b"hello\n").expect("sent");
    let mut answer = [0; 6];
    socket.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"hello\n");
}

#[test]
fn an_exit_status_is_passed_on() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(
        output(["run".as_ref(), command(&folder, "i32.const 0").as_os_str()])
            .status
            .code(),
        Some(0)
    );
    assert_eq!(
        output(["run".as_ref(), command(&folder, "i32.const 1").as_os_str()])
            .status
            .code(),
        Some(1)
    );
}

#[test]
fn a_trap_is_one_line_and_verbose_adds_the_calls() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = command(&folder, "unreachable");
    let line = format!(
        "streams: {} trapped: wasm trap: wasm `unreachable` instruction executed",
        app.display()
    );
    assert_fails(["run".as_ref(), app.as_os_str()], 1, &line);
    let verbose = output(["run".as_ref(), "-v".as_ref(), app.as_os_str()]);
    let error = String::from_utf8_lossy(&verbose.stderr);
    assert!(error.starts_with(&line), "{error}");
    assert!(error.contains("inner"), "{error}");
}

#[test]
fn text_of_components_and_file_names_is_escaped() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = r#"(component
        (core module $m
            (func $"\1b[2J\nstreams: forged" (result i32) unreachable)
            (func (export "run") (result i32) call $"\1b[2J\nstreams: forged"))
        (core instance $i (instantiate $m))
        (func $run async (result (result)) (canon lift (core func $i "run")))
        (instance $r (export "run" (func $run)))
        (export "wasi:cli/run@0.3.0" (instance $r)))"#;
    let app = made(&folder, "app\n\u{1b}[2J.wasm", text);
    for (option, escaped) in [
        (None, "wasm` unreachable"),
        (Some("-v"), r"\u{1b}[2J\nstreams: forged"),
    ] {
        let args = ["run"].into_iter().chain(option).map(std::ffi::OsStr::new);
        let output = output(args.chain([app.as_os_str()]));
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{error:?}");
        assert!(error.contains(r"app\n\u{1b}[2J.wasm trapped"), "{error:?}");
        assert!(option.is_none() || error.contains(escaped), "{error:?}");
        assert!(!error.contains('\u{1b}'), "{error:?}");
        assert!(
            !error
                .lines()
                .any(|line| line.starts_with("streams: forged")),
            "{error:?}"
        );
    }
    for file in ["no\n\u{1b}such.wasm", "app\n\u{1b}[2J.wasm"] {
        let output = output(["compose", "-o", "never.wasm", file]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{error:?}");
        assert!(
            error.lines().count() == 1 && !error.contains('\u{1b}'),
            "{error:?}"
        );
    }
}

/// A command that fails unless it has exactly one folder, whose name has three bytes.
const FOLDERS: &str = r#"(component
    (import "wasi:filesystem/types@0.3.0" (instance $types (export "descriptor" (type (sub resource)))))
    (alias export $types "descriptor" (type $descriptor))
    (import "wasi:filesystem/preopens@0.3.0" (instance $preopens
        (export "descriptor" (type $d (eq $descriptor)))
        (export "get-directories" (func (result (list (tuple (own $d) string)))))))
    (core module $memory
        (memory (export "memory") 1)
        (global $next (mut i32) (i32.const 1024))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            global.get $next
            (global.set $next (i32.and (i32.add (global.get $next) (i32.add (local.get 3) (i32.const 7))) (i32.const -8)))))
    (core instance $m (instantiate $memory))
    (core func $get (canon lower (func $preopens "get-directories")
        (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
    (core module $main
        (import "" "memory" (memory 1))
        (import "" "get" (func $get (param i32)))
        (func (export "run") (result i32)
            (call $get (i32.const 8))
            (if (i32.ne (i32.load (i32.const 12)) (i32.const 1)) (then (return (i32.const 1))))
            (i32.ne (i32.load offset=8 (i32.load (i32.const 8))) (i32.const 3))))
    (core instance $i (instantiate $main (with "" (instance
        (export "memory" (memory $m "memory")) (export "get" (func $get))))))
    (func $run async (result (result)) (canon lift (core func $i "run")))
    (instance $r (export "run" (func $run)))
    (export "wasi:cli/run@0.3.0" (instance $r)))"#;

#[test]
fn a_program_has_only_the_granted_folders() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = made(&folder, "folders.wasm", FOLDERS);
    let app = app.as_os_str();
    let granted = format!("{}::dir", folder.path().display());
    let code = |args: &[&std::ffi::OsStr]| output(args).status.code();
    assert_eq!(code(&["run".as_ref(), app]), Some(1), "none by default");
    assert_eq!(
        code(&["run".as_ref(), "--dir".as_ref(), granted.as_ref(), app]),
        Some(0)
    );
    let missing = output([
        "run".as_ref(),
        "--dir".as_ref(),
        "no/such::dir".as_ref(),
        app,
    ]);
    let error = String::from_utf8_lossy(&missing.stderr);
    assert_eq!(missing.status.code(), Some(1), "{error}");
    assert!(
        error.starts_with("streams: cannot open the folder no/such: "),
        "{error}"
    );
}

#[test]
fn a_compiled_program_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let compiled = folder.path().join("app.cwasm");
    for (body, code) in [("i32.const 0", 0), ("i32.const 1", 1)] {
        let app = command(&folder, body);
        let compile = [
            "compile".as_ref(),
            app.as_os_str(),
            "-o".as_ref(),
            compiled.as_os_str(),
        ];
        assert!(output(compile).status.success());
        let run = output(["run".as_ref(), compiled.as_os_str()]);
        assert_eq!(run.status.code(), Some(code), "{run:?}");
    }
    let traps = command(&folder, "unreachable");
    assert_fails(
        [
            "compile".as_ref(),
            "-o".as_ref(),
            "no/such/app.cwasm".as_ref(),
            traps.as_os_str(),
        ],
        1,
        "streams: cannot write no/such/app.cwasm: No such file or directory (os error 2)",
    );
}

#[test]
fn a_program_is_compiled_once_for_a_cache() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = command(&folder, "i32.const 0");
    let cache = folder.path().join("new/cache");
    let run = || {
        let args = [
            "run".as_ref(),
            "--cache".as_ref(),
            cache.as_os_str(),
            app.as_os_str(),
        ];
        output(args).status.code()
    };
    let files = || {
        fn below(folder: &Path) -> usize {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries
                .map(|entry| match entry.path() {
                    path if path.is_dir() => below(&path),
                    path => usize::from(path.extension().is_none()),
                })
                .sum()
        }
        below(&cache)
    };
    assert_eq!(run(), Some(0));
    let kept = files();
    assert!(kept > 0, "nothing is kept");
    assert_eq!(run(), Some(0));
    assert_eq!(files(), kept);
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("written");
    let args = [
        "run".as_ref(),
        "--cache".as_ref(),
        file.as_os_str(),
        app.as_os_str(),
    ];
    let error = String::from_utf8_lossy(&output(args).stderr).into_owned();
    assert!(
        error.starts_with("streams: cannot use the cache "),
        "{error}"
    );
}

/// Documents and help name the same number of handles for each kind of connection.
#[test]
fn the_handles_of_a_connection_are_the_same_everywhere() {
    use asyncio_streams_host::Limits;

    let (opened, accepted) = (Limits::HANDLES_PER_OPENED, Limits::HANDLES_PER_ACCEPTED);
    let help = output(["run", "--help"]);
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let read = |file: &str| {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
        std::fs::read_to_string(file).expect("a text")
    };
    for (place, text, expected) in [
        (
            "streams run --help",
            help,
            format!(
                "up to {opened} handles if the program opened it, {accepted} if a server accepted it"
            ),
        ),
        (
            "README.md",
            read("README.md"),
            format!("{accepted} handles each"),
        ),
        (
            "wit/README.md",
            read("wit/README.md"),
            format!(
                "{opened} handles for one that `open-connection` or `wrap` made, {accepted} for one that a server gave out"
            ),
        ),
        (
            "wit/streams.wit",
            read("wit/streams.wit"),
            format!("{accepted} for each connection"),
        ),
    ] {
        let words: Vec<&str> = text.split_whitespace().collect();
        assert!(
            words.join(" ").contains(&expected),
            "{place} lacks {expected:?}"
        );
    }
}

/// `--help` names the option for a local address that the program chooses.
#[test]
fn the_help_names_the_grant_of_a_local_address() {
    let help = output(["run", "--help"]);
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let words: Vec<&str> = help.split_whitespace().collect();
    let expected = "This option also grants a local address or port to connect from";
    assert!(words.join(" ").contains(expected), "{help}");
}

#[test]
fn wrong_usage_exits_with_2() {
    for args in [
        &["run"][..],
        &["compose", "x.wasm"],
        &["serve", "x.wasm"],
        &["compile", "x.wasm"],
        &["nonsense"],
        &[],
    ] {
        assert_eq!(output(args).status.code(), Some(2), "{args:?}");
    }
    for (option, value, said) in [
        (
            "--allow-connect",
            "localhost",
            "`localhost` is not HOST:PORT: the port is missing",
        ),
        (
            "--allow-listen",
            "::1:80",
            "an IPv6 address stands in brackets",
        ),
        (
            "--allow-connect",
            "10.0.0.0/8:80",
            "there are no networks such as `10.0.0.0/8`",
        ),
        (
            "--allow-listen",
            "*.example.org:443",
            "there are no patterns",
        ),
        ("--env", "novalue", "it is not NAME=VALUE"),
        ("--dir", "::guest", "it is not HOST::GUEST"),
        ("--max-handles", "many", "invalid digit"),
    ] {
        let output = output(["run", option, value, "app.wasm"]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn files_that_are_not_programs_are_reported_in_one_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = folder.path().join("text.wasm");
    std::fs::write(&text, "hello").expect("written");
    let said = format!(
        "streams: {} is not a component: it is not WebAssembly",
        text.display()
    );
    assert_fails(["run".as_ref(), text.as_os_str()], 1, &said);

    let missing = output(["run", "no/such.wasm"]);
    assert_eq!(missing.status.code(), Some(1));
    let error = String::from_utf8_lossy(&missing.stderr);
    assert!(
        error.starts_with("streams: cannot read no/such.wasm: "),
        "{error}"
    );
    assert_eq!(error.lines().count(), 1);

    let streams = built("streams");
    let missing = output(["run".as_ref(), streams.as_os_str()]);
    assert_eq!(missing.status.code(), Some(1));
    let error = String::from_utf8_lossy(&missing.stderr);
    assert!(
        error.contains("does not export wasi:cli/run: it exports asyncio:streams/types@0.1.0"),
        "{error}"
    );
}

#[test]
fn an_incomplete_program_names_the_missing_part() {
    let client = built("examples/echo-client");
    let said = output(["run".as_ref(), client.as_os_str()]);
    let error = String::from_utf8_lossy(&said.stderr);
    assert_eq!(said.status.code(), Some(1));
    assert!(
        error.contains("is not complete: it imports asyncio:streams/"),
        "{error}"
    );
    assert!(
        error.ends_with("compose it with the streams component (streams.wasm)\n"),
        "{error}"
    );
}

#[test]
fn parts_are_composed_in_any_order_and_missing_ones_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out.wasm");
    let [serve, handler, streams] = ["serve", "examples/echo-server", "streams"].map(built);
    let composed = output(
        ["compose", "-o"]
            .map(PathBuf::from)
            .iter()
            .chain([&out, &streams, &handler, &serve]),
    );
    assert!(
        composed.status.success(),
        "{}",
        String::from_utf8_lossy(&composed.stderr)
    );
    let said = String::from_utf8_lossy(&composed.stdout);
    let [serve, handler, streams] =
        [&serve, &handler, &streams].map(|part| part.display().to_string());
    assert!(
        said.starts_with(&format!("{} is {serve}\n", out.display())),
        "{said}"
    );
    for line in [
        format!("  {serve} uses {handler} for asyncio:streams/handler@0.1.0\n"),
        format!(
            "  {serve} uses {streams} for asyncio:streams/types@0.1.0, asyncio:streams/tls@0.1.0, asyncio:streams/streams@0.1.0\n"
        ),
    ] {
        assert!(said.contains(&line), "{said}");
    }
    let help = output(["run".as_ref(), out.as_os_str(), "--help".as_ref()]);
    assert!(help.status.success());
    assert!(
        String::from_utf8_lossy(&help.stdout).starts_with("Usage: serve"),
        "{help:?}"
    );

    let missing = output(["compose", &serve, &handler, "-o", "never.wasm"]);
    assert_eq!(missing.status.code(), Some(1));
    let error = String::from_utf8_lossy(&missing.stderr);
    assert!(
        error.contains("which no part exports: add the streams component (streams.wasm)"),
        "{error}"
    );
    assert!(!Path::new("never.wasm").exists());
}

#[test]
fn a_denial_names_the_option() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let client = |option: &str, grant: &str| {
        let mut command = streams(["run", "--with"]);
        command
            .arg(built("streams"))
            .args([option, grant])
            .arg(built("examples/echo-client"))
            .arg(&address);
        command
    };
    let denied = client("--allow-connect", "127.0.0.1:1")
        .output()
        .expect("the program runs");
    let error = String::from_utf8_lossy(&denied.stderr);
    assert!(!denied.status.success());
    let note =
        format!("streams: connect to {address} denied; grant it with --allow-connect {address}\n");
    assert!(error.contains(&note), "{error}");

    let granted = client("--allow-connect", &address)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let (mut socket, _) = listener.accept().expect("a connection");
    let mut message = vec![0; 1024];
    let count = socket.read(&mut message).expect("a message");
    socket.write_all(&message[..count]).expect("sent");
    drop(socket);
    let granted = granted.wait_with_output().expect("it ends");
    assert!(
        granted.status.success(),
        "{}",
        String::from_utf8_lossy(&granted.stdout)
    );
}

#[test]
fn a_server_serves() {
    let server = Server::start(&[]);
    let mut sockets: Vec<_> = (0..10).map(|_| server.connect()).collect();
    sockets.iter_mut().for_each(echo);
}

#[cfg(unix)]
#[test]
fn the_first_signal_asks_a_server_to_finish() {
    let server = Server::start(&["--until-stdin-closes", "--grace", "60"]);
    let mut socket = server.connect();
    echo(&mut socket);
    server.signal("TERM");
    // The listening sockets are closed, and the client continues.
    let end = Instant::now() + DEADLINE;
    while TcpStream::connect(("127.0.0.1", server.port)).is_ok() {
        assert!(Instant::now() < end, "it still listens");
        pause();
    }
    echo(&mut socket);
    drop(socket);
    let (code, error) = server.end();
    assert_eq!(code, Some(0), "{error}");
    assert!(
        error.contains("streams: the program was asked to finish"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn the_second_signal_ends_it_at_once() {
    let server = Server::start(&["--until-stdin-closes", "--grace", "60"]);
    let mut socket = server.connect();
    echo(&mut socket);
    server.signal("INT");
    let end = Instant::now() + DEADLINE;
    while TcpStream::connect(("127.0.0.1", server.port)).is_ok() {
        assert!(Instant::now() < end, "it still listens");
        pause();
    }
    server.signal("INT");
    assert_eq!(server.end().0, Some(130));
}

#[cfg(unix)]
#[test]
fn a_program_that_reads_no_input_ends_by_the_first_signal() {
    let server = Server::start(&[]);
    echo(&mut server.connect());
    server.signal("TERM");
    assert_eq!(server.end().0, Some(143));
}

#[test]
fn too_many_connections_for_the_handles_name_the_option() {
    let mut command = streams([
        "run",
        "--allow-listen",
        "127.0.0.1:0",
        "--max-handles",
        "150",
        "--with",
    ]);
    command
        .arg(built("streams"))
        .arg("--with")
        .arg(built("examples/echo-server"))
        .arg(built("serve"));
    command
        .arg("127.0.0.1:0")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut process = command.spawn().expect("the program runs");
    let mut line = String::new();
    BufReader::new(process.stdout.take().expect("piped"))
        .read_line(&mut line)
        .expect("a line");
    let port: u16 = line
        .trim_end()
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok())
        .expect("a port");
    let mut open = Vec::new();
    let end = Instant::now() + DEADLINE;
    while process.try_wait().expect("a process").is_none() {
        assert!(Instant::now() < end, "it does not end");
        // At the limit of connections the server may also hold without a trap.
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(socket) if open.len() < 100 => open.push(socket),
            _ => pause(),
        }
    }
    let output = process.wait_with_output().expect("it ends");
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(
        error.ends_with("; it has more than 150 handles, raise --max-handles\n"),
        "{error}"
    );
}
