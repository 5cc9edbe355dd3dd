//! Checks a line server of the examples, in any language: the server answers each line with its length.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;

use asyncio_streams_tests::Running;

use crate::peer::PATIENCE;

/// Has five clients, of which the last one speaks first.
pub(crate) fn answers_lines(mut server: Running) {
    let address = server.listens();
    let clients: Vec<_> = (0..5)
        .map(|_| TcpStream::connect(address).expect("a connection"))
        .collect();
    for (n, mut client) in clients.into_iter().enumerate().rev() {
        client.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let line = "x".repeat(n);
        write!(client, "{line}\n\n").expect("a line");
        client.shutdown(Shutdown::Write).expect("an end");
        let mut answer = String::new();
        client.read_to_string(&mut answer).expect("an answer");
        assert_eq!(answer, format!("{n}\n0\n"));
    }
    answers_beside_a_greedy_client(address);
}

/// A client sends lines as fast as it can, and reads nothing; another one is answered meanwhile.
fn answers_beside_a_greedy_client(address: SocketAddr) {
    let greedy = TcpStream::connect(address).expect("a connection");
    let mut sending = greedy.try_clone().expect("a copy");
    let sent = thread::spawn(move || while sending.write_all(&[b'\n'; 1 << 16]).is_ok() {});
    for _ in 0..20 {
        let mut client = TcpStream::connect(address).expect("a connection");
        client.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        client.write_all(b"four\n").expect("a line");
        let mut answer = [0; 2];
        client.read_exact(&mut answer).expect("an answer");
        assert_eq!(&answer, b"4\n");
    }
    // Its writes fail from now on, or the server has given it up before.
    let _closed = greedy.shutdown(Shutdown::Both);
    sent.join().expect("the end of the greedy client");
}
