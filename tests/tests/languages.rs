//! Programs in C, C++ and Go: echo pairs, a client of redis, and the promises of their packages. The shortest programs of
//! the README.

#[path = "languages/c.rs"]
mod c;
#[path = "languages/go.rs"]
mod go;
#[path = "languages/peers.rs"]
mod peers;
#[path = "languages/short.rs"]
mod short;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use asyncio_streams_tests::{In, Program, Running};

/// Far more than any answer takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Compiling a program in Go takes seconds, and this machine may be busy.
const DEADLINE: Duration = Duration::from_secs(180);

/// Starts a handler behind `serve.wasm`, and returns its address.
fn serve(handler: Program, place: In) -> (Running, SocketAddr) {
    let mut server = handler
        .deadline(DEADLINE)
        .args(["127.0.0.1:0"])
        .start(place);
    let address = server.listens();
    (server, address)
}

/// A client of a protocol of lines.
struct Client(BufReader<TcpStream>);

impl Client {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a deadline");
        Self(BufReader::new(stream))
    }

    fn say(&mut self, line: &str) {
        writeln!(self.0.get_mut(), "{line}").expect("a line sent");
    }

    /// The next line without its end; empty at the end of the stream.
    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }
}
