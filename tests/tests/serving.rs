//! Servers: their addresses, the clients that they accept, and their end.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use asyncio_streams_tests::peers::Conn;
use asyncio_streams_tests::{In, Program};

asyncio_streams_tests::programs! {
    embedded: [serve_accepting, serve_addresses, serve_clients, serve_dropped, serve_later],
    under_wasmtime_too: [idle_timeout, serve_close, serve_max_connections, serve_shutdown],
}

/// The number of connections that the system holds while the server accepts none: as many as the backlog, or a few more.
fn held_by_backlog(program: Program, backlog: usize) -> usize {
    const TRIED: usize = 40;
    let mut server = program.args([backlog, TRIED]).stdin().start(In::Concurrent);
    let port: u16 = server.line().parse().expect("a port");
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    // A connection that is not held gets no answer; the system would try again after a second.
    let mut held = Vec::new();
    for _ in 0..TRIED {
        match TcpStream::connect_timeout(&address, Duration::from_millis(500)) {
            Ok(stream) => held.push(stream),
            Err(error) if error.kind() == ErrorKind::TimedOut => break,
            Err(error) => panic!("{error}"),
        }
    }
    let n = held.len();
    // Connections that were not held arrive later, and all are served.
    server.write_stdin(b"go on\n");
    held.extend((n..TRIED).map(|_| TcpStream::connect(address).expect("a connection")));
    for stream in held {
        Conn::of(stream).expect("a connection").expect("accepted\n");
    }
    server.wait().assert_success();
    n
}

#[test]
#[cfg(target_os = "linux")]
fn backlog() {
    let composed = Program::new("serve_backlog");
    for program in [composed, Program::linked("serve_backlog")] {
        // Linux holds one more than the backlog, and never fewer than a few (listen(2)).
        let few = held_by_backlog(program.clone(), 5);
        assert!(
            (5..20).contains(&few),
            "{few} connections were held, with a backlog of 5"
        );
        assert_eq!(held_by_backlog(program, 64), 40);
    }
}
