//! The command line of a peer.

use std::net::SocketAddr;
use std::time::Duration;

/// The job of a peer: the words of its command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// `client KIND ADDRESS SIZE CONNECTIONS WARM-UP MEASURED`, the last two in milliseconds.
    Client(Client),
    /// `server KIND ADDRESS`.
    Server(Server, SocketAddr),
}

/// The job of a client: connect, work and measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The work.
    pub kind: Kind,
    /// The address of the other side.
    pub address: SocketAddr,
    /// Bytes of a message, where the work has messages.
    pub size: usize,
    /// The number of connections that work at once.
    pub connections: usize,
    /// How long to work before the measurement.
    pub warmup: Duration,
    /// How long to work during it.
    pub measured: Duration,
}

/// The repeated work of a client, and the items that it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Reads a line; lines.
    Lines,
    /// Reads until CR LF; separators.
    Until,
    /// Reads the available bytes; bytes.
    BulkIn,
    /// Writes; bytes.
    BulkOut,
    /// Writes a message and reads it back; messages.
    Echo,
    /// Writes a request of `size` bytes at once, reads an answer of as many; answers.
    WriteRead,
    /// Writes a request in two writes, reads an answer; answers.
    WriteWriteRead,
    /// Writes a request in two writes with a drain after each, reads an answer; answers.
    WriteDrain,
    /// Opens a connection, reads a byte, closes; connections.
    Connect,
    /// Opens a connection, sends a byte and waits for the end; nothing.
    Start,
}

/// The work of a server for each connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// Sends all input back.
    Echo,
    /// Sends a byte and closes.
    Greet,
}

impl Order {
    /// Reads the words after the program's name.
    ///
    /// # Errors
    /// An error of the words.
    pub fn parse<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> Result<Self, String> {
        let words: Vec<S> = words.into_iter().collect();
        let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        match words.as_slice() {
            ["client", kind, address, size, connections, warmup, measured] => {
                let milliseconds = |word| number(word).map(Duration::from_millis);
                Ok(Order::Client(Client {
                    kind: self::kind(kind)?,
                    address: self::address(address)?,
                    size: self::size(size)?,
                    connections: self::size(connections)?,
                    warmup: milliseconds(warmup)?,
                    measured: milliseconds(measured)?,
                }))
            }
            ["server", "echo", address] => Ok(Order::Server(Server::Echo, self::address(address)?)),
            ["server", "greet", address] => {
                Ok(Order::Server(Server::Greet, self::address(address)?))
            }
            words => Err(format!("{words:?} is no order")),
        }
    }
}

impl Client {
    /// The host, as a text.
    pub fn host(&self) -> String {
        self.address.ip().to_string()
    }

    /// Returns after how many operations the clock is read: rarely enough to cost nothing, often enough to stop in
    /// time.
    pub fn stride(&self) -> u64 {
        match self.kind {
            Kind::Lines | Kind::Until => 1000,
            Kind::BulkIn | Kind::BulkOut | Kind::Echo if self.size <= 16 << 10 => 16,
            _ => 4,
        }
    }
}

fn kind(word: &str) -> Result<Kind, String> {
    Ok(match word {
        "lines" => Kind::Lines,
        "until" => Kind::Until,
        "bulk-in" => Kind::BulkIn,
        "bulk-out" => Kind::BulkOut,
        "echo" => Kind::Echo,
        "write-read" => Kind::WriteRead,
        "write-write-read" => Kind::WriteWriteRead,
        "write-drain" => Kind::WriteDrain,
        "connect" => Kind::Connect,
        "start" => Kind::Start,
        word => return Err(format!("{word:?} is no kind of work")),
    })
}

fn address(word: &str) -> Result<SocketAddr, String> {
    word.parse()
        .map_err(|_| format!("{word:?} is no numeric address with a port"))
}

fn number(word: &str) -> Result<u64, String> {
    word.parse().map_err(|_| format!("{word:?} is no number"))
}

fn size(word: &str) -> Result<usize, String> {
    word.parse().map_err(|_| format!("{word:?} is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clients_job_has_its_work_and_times() {
        let order = Order::parse("client echo 127.0.0.1:80 1024 50 200 500".split(' ')).unwrap();
        let Order::Client(client) = order else {
            panic!("{order:?}")
        };
        assert_eq!(client.kind, Kind::Echo);
        assert_eq!((client.size, client.connections), (1024, 50));
        assert_eq!(client.warmup, Duration::from_millis(200));
        assert_eq!(client.measured, Duration::from_millis(500));
        assert_eq!(client.host(), "127.0.0.1");
    }

    #[test]
    fn a_servers_job_has_its_address() {
        let order = Order::parse(["server", "greet", "[::1]:0"]);
        let address = "[::1]:0".parse().unwrap();
        assert_eq!(order, Ok(Order::Server(Server::Greet, address)));
    }

    #[test]
    fn mistakes_are_named() {
        for (words, named) in [
            ("client dance 127.0.0.1:1 1 1 1 1", "dance"),
            ("client echo localhost:1 1 1 1 1", "localhost:1"),
            ("client echo 127.0.0.1:1 1k 1 1 1", "1k"),
            ("client echo 127.0.0.1:1 1 1 1", "no order"),
            ("server lines 127.0.0.1:1", "no order"),
        ] {
            let reason = Order::parse(words.split(' ')).unwrap_err();
            assert!(reason.contains(named), "{reason}");
        }
    }
}
