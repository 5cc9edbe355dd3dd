//! The peer of the checks: it does what the first line of a connection says.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use asyncio_streams_tests::peers::listener;
use socket2::SockRef;

/// Longer than any wait on a slow and busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A listening peer. Its threads end with the connections, or with the process.
pub(crate) struct Peer {
    pub(crate) port: u16,
    _shared: Arc<Shared>,
}

/// The results that one connection leaves for the others.
#[derive(Default)]
struct Shared {
    /// The result of an order, until a connection asks for it.
    known: Mutex<HashMap<&'static str, String>>,
    changed: Condvar,
    /// Connections that are never read.
    kept: Mutex<Vec<TcpStream>>,
}

impl Peer {
    /// Starts a server that echoes from the first byte on; returns its port.
    pub(crate) fn echo_port(&self) -> u16 {
        let listener = listener();
        let port = listener.local_addr().expect("its address").port();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                thread::spawn(move || echo(&mut stream.try_clone()?, stream));
            }
        });
        port
    }

    /// Asks for the result of an order, as programs do.
    pub(crate) fn ask(&self, what: &str) -> String {
        let mut asking = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        asking.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        writeln!(asking, "{what}").expect("a question");
        let mut answer = String::new();
        asking.read_to_string(&mut answer).expect("an answer");
        answer.trim_end().to_owned()
    }

    pub(crate) fn start() -> Self {
        let listener = listener();
        let port = listener.local_addr().expect("its address").port();
        let shared = Arc::new(Shared::default());
        let of_connections = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = of_connections.clone();
                // A connection that the program ends at will.
                thread::spawn(move || shared.serve(stream));
            }
        });
        Peer {
            port,
            _shared: shared,
        }
    }
}

impl Shared {
    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut order = String::new();
        reader.read_line(&mut order)?;
        let mut words = order.split_whitespace();
        let first = words.next().unwrap_or_default();
        let number = words.find_map(|word| word.parse().ok()).unwrap_or(0);
        match first {
            "echo" => echo(&mut reader, stream),
            "silence" => silence(&mut reader, stream),
            "send" => send(stream, number),
            "deliver" => self.deliver(stream, number),
            "bytewise" => bytewise(stream),
            "endless" => endless(stream),
            "count" => count(&mut reader, stream).map(drop),
            "at-end" => self.at_end(&mut reader, stream),
            "slow" => self.slow(&mut reader),
            "never" => {
                self.kept.lock().expect("the connections").push(stream);
                Ok(())
            }
            "talks" => self.talk(&mut reader, stream),
            "talks-late" => self.talk_late(&mut reader, stream),
            "reset" => reset(stream, number),
            "was" | "sent" | "talked" => self.answer(first, stream),
            other => panic!("the program asked the peer for {other:?}"),
        }
    }

    fn tell(&self, what: &'static str, value: String) {
        self.known
            .lock()
            .expect("what is known")
            .insert(what, value);
        self.changed.notify_all();
    }

    fn answer(&self, what: &str, mut stream: TcpStream) -> io::Result<()> {
        let known = self.known.lock().expect("what is known");
        let (mut known, _) = self
            .changed
            .wait_timeout_while(known, PATIENCE, |known| !known.contains_key(what))
            .expect("what is known");
        let value = known.remove(what).unwrap_or_else(|| "unknown".into());
        stream.write_all(format!("{value}\n").as_bytes())
    }

    fn deliver(&self, stream: TcpStream, bytes: usize) -> io::Result<()> {
        let sent = send(stream, bytes);
        let told = match &sent {
            Ok(()) => bytes.to_string(),
            Err(error) => error.to_string(),
        };
        self.tell("sent", told);
        sent
    }

    fn at_end(&self, reader: &mut impl Read, stream: TcpStream) -> io::Result<()> {
        let counted = count(reader, stream)?;
        self.tell("was", counted.to_string());
        Ok(())
    }

    /// Takes a second for 20 MB.
    fn slow(&self, reader: &mut impl Read) -> io::Result<()> {
        let mut part = vec![0; 64 * 1024];
        let mut all = 0;
        loop {
            match reader.read(&mut part) {
                Ok(0) => break,
                Ok(n) => all += n,
                Err(error) => {
                    self.tell("was", error.to_string());
                    return Err(error);
                }
            }
            thread::sleep(Duration::from_millis(2));
        }
        self.tell("was", all.to_string());
        Ok(())
    }

    /// Sends as long as it receives, which a program that has closed must bear.
    fn talk(&self, reader: &mut impl Read, mut stream: TcpStream) -> io::Result<()> {
        let mut part = vec![0; 4096];
        let mut all = 0;
        let end = loop {
            if stream.write_all(&[b't'; 500]).is_err() {
                break "a reset";
            }
            match reader.read(&mut part) {
                Ok(0) => break "an end",
                Ok(n) => all += n,
                Err(_) => break "a reset",
            }
        };
        self.tell("talked", format!("{all} and {end}"));
        Ok(())
    }

    /// Answers, and sends for half a second after the end of the other side. A program that does not linger resets the connection.
    fn talk_late(&self, reader: &mut impl Read, mut stream: TcpStream) -> io::Result<()> {
        stream.write_all(b"an answer\n")?;
        io::copy(reader, &mut io::sink())?;
        let mut send = || {
            thread::sleep(Duration::from_millis(10));
            stream.write_all(b"late")
        };
        let failed = (0..50).any(|_| send().is_err());
        let end = if failed { "a reset" } else { "an end" };
        self.tell("talked", end.to_owned());
        Ok(())
    }
}

fn send(mut stream: TcpStream, bytes: usize) -> io::Result<()> {
    stream.write_all(&vec![b's'; bytes])
}

/// Answers with the number of bytes, once there are no more.
fn count(reader: &mut impl Read, mut stream: TcpStream) -> io::Result<usize> {
    let mut all = Vec::new();
    reader.read_to_end(&mut all)?;
    // A program that has dropped its connection does not want the answer.
    let _ = stream.write_all(format!("{} bytes\n", all.len()).as_bytes());
    Ok(all.len())
}

fn echo(reader: &mut impl Read, mut stream: TcpStream) -> io::Result<()> {
    io::copy(reader, &mut stream)?;
    Ok(())
}

fn silence(reader: &mut impl BufRead, mut stream: TcpStream) -> io::Result<()> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    if line == "go\n" {
        stream.write_all(b"went\n")?;
    }
    // Until the program ends the connection.
    reader.read_line(&mut line)?;
    Ok(())
}

fn bytewise(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    for byte in b"head: 1\r\n\r\nbody\n" {
        stream.write_all(&[*byte])?;
        thread::yield_now();
    }
    Ok(())
}

/// A line without an end, until the program is gone.
fn endless(mut stream: TcpStream) -> io::Result<()> {
    let part = vec![b'e'; 64 * 1024];
    loop {
        stream.write_all(&part)?;
    }
}

fn reset(mut stream: TcpStream, after: usize) -> io::Result<()> {
    stream.write_all(&vec![b'x'; after])?;
    SockRef::from(&stream).set_linger(Some(Duration::ZERO))
}
