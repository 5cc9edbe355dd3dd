//! Servers: signals, and the limit of handles.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::DEADLINE;
use crate::support::{built, streams};

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
