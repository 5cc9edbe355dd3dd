//! A server for one client on its standard input and output, as inetd and systemd start it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use crate::DEADLINE;
use crate::support::{built, streams};

const MEGABYTE: usize = 1 << 20;

/// The server whose handler obeys the client's first line.
fn server() -> Command {
    let mut command = streams(["run", "--with"]);
    command.arg(built("streams")).arg("--with");
    command.arg(built("tests/serve_orders")).arg(built("serve"));
    command.arg("--stdio").stderr(Stdio::piped());
    command
}

/// Returns the exit code and the standard error output.
fn end(mut process: Child) -> (Option<i32>, String) {
    let mut error = String::new();
    let mut pipe = process.stderr.take().expect("piped");
    pipe.read_to_string(&mut error).expect("text");
    (process.wait().expect("a process").code(), error)
}

/// Starts the server for a connection, and returns both.
fn serve_a_socket() -> (Child, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let client = TcpStream::connect(listener.local_addr().expect("its address"));
    let client = client.expect("connected");
    client.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    let (accepted, _) = listener.accept().expect("accepted");
    let output = accepted.try_clone().expect("a second descriptor");
    let process = server()
        .stdin(OwnedFd::from(accepted))
        .stdout(OwnedFd::from(output))
        .spawn();
    (process.expect("the program runs"), client)
}

#[test]
fn a_socket_is_served() {
    let (process, mut client) = serve_a_socket();
    client.write_all(b"echo\nhello\n").expect("sent");
    let mut answer = [0; 6];
    client.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"hello\n");
    client.shutdown(Shutdown::Write).expect("an end");
    assert_eq!(client.read(&mut answer).expect("an end"), 0);
    assert_eq!(end(process), (Some(0), String::new()));

    let (process, mut client) = serve_a_socket();
    client.write_all(b"fail after a megabyte\n").expect("sent");
    let mut all = Vec::new();
    client.read_to_end(&mut all).expect("an end");
    assert_eq!(all.len(), MEGABYTE);
    let failure = "serve: client: failed after a megabyte\n".to_owned();
    assert_eq!(end(process), (Some(1), failure));
}
