//! Checks a line server of the examples, in any language: the server answers each line with its length.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

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
}
