//! One connection of a peer.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};

use super::Pattern;

/// How long a peer waits: longer than any program takes on a slow and busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to the program under test, opened by either side.
#[derive(Debug)]
pub struct Conn {
    stream: TcpStream,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The other side ended its output.
    Fin,
    /// The other side reset the connection.
    Reset,
}

impl Conn {
    /// Connects.
    ///
    /// # Panics
    /// When that fails.
    #[track_caller]
    pub fn connect(address: SocketAddr) -> Self {
        let connected = Self::try_connect(address);
        connected.unwrap_or_else(|error| panic!("connect to {address}: {error}"))
    }

    /// Connects.
    ///
    /// # Errors
    /// The error of the system.
    pub fn try_connect(address: SocketAddr) -> io::Result<Self> {
        Self::of(TcpStream::connect_timeout(&address, PATIENCE)?)
    }

    /// Connects from an address of this machine, which keeps the port of the connection in TIME_WAIT for a minute.
    /// Thousands of connections from 127.0.0.1 would leave no port there for a server that binds port 0.
    ///
    /// # Panics
    /// When that fails.
    #[cfg(target_os = "linux")]
    #[track_caller]
    pub fn connect_from(source: Ipv4Addr, address: SocketAddr) -> Self {
        let connect = || {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
            socket.bind(&SocketAddr::from((source, 0)).into())?;
            socket.connect_timeout(&address.into(), PATIENCE)?;
            Self::of(socket.into())
        };
        connect().unwrap_or_else(|error| panic!("connect from {source} to {address}: {error}"))
    }

    /// Makes a `Conn` from a connected socket.
    ///
    /// # Errors
    /// The system's error about the socket.
    pub fn of(stream: TcpStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream })
    }

    /// The socket.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Sends bytes.
    ///
    /// # Panics
    /// When the other side does not accept them.
    #[track_caller]
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        let sent = self.stream.write_all(bytes);
        sent.unwrap_or_else(|error| panic!("send {} bytes: {error}", bytes.len()));
    }

    /// Sends each byte in a separate segment.
    ///
    /// # Panics
    /// When the other side does not accept them.
    #[track_caller]
    pub fn send_one_by_one(&mut self, bytes: impl AsRef<[u8]>) {
        for byte in bytes.as_ref() {
            self.send([*byte]);
        }
    }

    /// Sends the pattern until the other side accepts no more: until it resets, or its window stays closed for
    /// `pause`. Returns how much was accepted, including the systems' buffers.
    pub fn send_until_stuck(&mut self, pause: Duration) -> usize {
        self.set_timeout(pause);
        let mut pattern = Pattern::default();
        let mut sent = 0;
        loop {
            let bytes = pattern.next(64 * 1024);
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                match self.stream.write(rest) {
                    Ok(0) | Err(_) => {
                        self.set_timeout(PATIENCE);
                        return sent;
                    }
                    Ok(n) => {
                        sent += n;
                        rest = &rest[n..];
                    }
                }
            }
        }
    }

    /// Reads a line, and returns it without its end. It reads no later byte.
    ///
    /// # Panics
    /// When there is no line.
    #[track_caller]
    pub fn line(&mut self) -> String {
        let mut line = Vec::new();
        let mut byte = [0];
        loop {
            match self.stream.read(&mut byte) {
                Ok(0) => panic!("the end after {:?}", String::from_utf8_lossy(&line)),
                Ok(_) if byte == *b"\n" => return String::from_utf8_lossy(&line).into_owned(),
                Ok(_) => line.extend(byte),
                Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&line)),
            }
        }
    }

    /// Reads as many bytes as `expected` has, and compares them.
    ///
    /// # Panics
    /// When they differ, or do not arrive.
    #[track_caller]
    pub fn expect(&mut self, expected: impl AsRef<[u8]>) {
        let expected = expected.as_ref();
        let mut found = vec![0; expected.len()];
        if let Err(error) = self.stream.read_exact(&mut found) {
            panic!("expected {}: {error}", shown(expected));
        }
        assert!(
            found == expected,
            "expected {}, found {}",
            shown(expected),
            shown(&found)
        );
    }

    /// Reads `n` bytes, which must be the pattern.
    ///
    /// # Panics
    /// When they differ, or do not arrive.
    #[track_caller]
    pub fn expect_pattern(&mut self, n: usize) {
        let mut pattern = Pattern::default();
        let mut buffer = vec![0; 64 * 1024];
        while pattern.position() < n {
            let most = buffer.len().min(n - pattern.position());
            match self.stream.read(&mut buffer[..most]) {
                Ok(0) => panic!("the end after {} of {n} bytes", pattern.position()),
                Ok(read) => pattern.check(&buffer[..read]),
                Err(error) => panic!("{error} after {} of {n} bytes", pattern.position()),
            }
        }
    }

    /// Waits for the end of the other side's output, which must come now.
    ///
    /// # Panics
    /// When more bytes arrive, or a reset.
    #[track_caller]
    pub fn expect_end(&mut self) {
        let rest = self.read_to_end();
        assert!(rest.is_empty(), "{} bytes before the end", rest.len());
    }

    /// Reads everything to the end.
    ///
    /// # Panics
    /// When the end does not arrive, or a reset does.
    #[track_caller]
    pub fn read_to_end(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self.stream.read_to_end(&mut bytes) {
            Ok(_) => bytes,
            Err(error) => panic!("{error} after {} bytes, instead of the end", bytes.len()),
        }
    }

    /// Reads until the connection ends, and returns how it ended.
    ///
    /// # Panics
    /// When it does not end.
    #[track_caller]
    pub fn ending(&mut self) -> End {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return End::Fin,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return End::Reset,
                Err(error) => panic!("{error}, instead of an end"),
            }
        }
    }

    /// Ends this side's output; reading continues.
    ///
    /// # Panics
    /// When the connection has ended.
    #[track_caller]
    pub fn end_output(&self) {
        let ended = self.stream.shutdown(Shutdown::Write);
        ended.unwrap_or_else(|error| panic!("end the output: {error}"));
    }

    /// Resets the connection: the other side receives an RST, and no end.
    ///
    /// # Panics
    /// When the system does not allow it.
    pub fn reset(self) {
        // A socket with a linger time of zero is reset when it is closed (socket(7), SO_LINGER).
        let lingers = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        lingers.expect("a socket that resets");
    }

    /// Returns the number of segments with data that have arrived: the separate sends of the other side, as the system counted them.
    ///
    /// # Panics
    /// When the system does not report it.
    #[cfg(target_os = "linux")]
    pub fn segments_in(&self) -> u32 {
        super::tcp_info::of(&self.stream).tcpi_data_segs_in
    }

    fn set_timeout(&self, timeout: Duration) {
        let set = self.stream.set_write_timeout(Some(timeout));
        set.expect("a timeout for writing");
    }
}

/// The bytes as text, or the beginning of them.
fn shown(bytes: &[u8]) -> String {
    const SHOWN: usize = 100;
    match bytes.get(..SHOWN) {
        Some(start) => format!(
            "{:?} and so on, {} bytes",
            String::from_utf8_lossy(start),
            bytes.len()
        ),
        None => format!("{:?}", String::from_utf8_lossy(bytes)),
    }
}
