//! Native programs, which run to their end or while a test talks to them. Each has a deadline or an owner, and is
//! ended by its process id.

use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::output::Output;

/// How often a port is tried again after another program took it.
const ATTEMPTS: usize = 5;

/// How long a server may take until it listens.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct NativeServer {
    address: SocketAddr,
    child: Child,
    said: Output,
    /// `None` once all output was requested.
    readers: Option<[Reader; 2]>,
}

impl NativeServer {
    /// Starts a server on a free port of `127.0.0.1`, and waits until it listens.
    ///
    /// # Panics
    /// With its output, when it does not listen.
    pub fn start(command: impl Fn(u16) -> Command) -> Self {
        let mut said = String::new();
        for _ in 0..ATTEMPTS {
            // Another program may take the port before the server does, so try several times.
            let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
            let address = listener.local_addr().expect("its address");
            drop(listener);
            match Self::start_at(address, &mut command(address.port())) {
                Ok(server) => return server,
                Err(reason) => said = reason,
            }
        }
        panic!("it does not listen: {said}")
    }

    /// Starts a server that prints its address, on a line from which `address` reads it.
    ///
    /// # Panics
    /// With its output, when it does not print an address.
    pub fn start_telling(
        command: &mut Command,
        address: impl Fn(&str) -> Option<SocketAddr>,
    ) -> Self {
        let (mut child, said, readers) = spawn(command).expect("a server");
        let give_up = Instant::now() + PATIENCE;
        while let Some(line) = said.next_line(give_up) {
            if let Some(address) = address(&line) {
                return Self {
                    address,
                    child,
                    said,
                    readers: Some(readers),
                };
            }
        }
        end(&mut child);
        panic!("it does not say where it listens: {}", said.text())
    }

    /// Waits for its end, and returns its standard output.
    ///
    /// # Panics
    /// With its output, when it fails or does not end.
    pub fn finish(mut self) -> String {
        let give_up = Instant::now() + PATIENCE;
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if Instant::now() < give_up => thread::sleep(Duration::from_millis(5)),
                other => panic!("it does not end ({other:?}): {}", self.said.text()),
            }
        };
        assert!(status.success(), "{status}: {}", self.said.text());
        self.stdout()
    }

    /// Kills it, and returns its standard output.
    pub fn stop(mut self) -> String {
        end(&mut self.child);
        self.stdout()
    }

    fn stdout(&mut self) -> String {
        let stdout = self.readers.take().map(|[stdout, _]| stdout.join());
        let bytes = stdout.and_then(Result::ok).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits until it has written a line that contains this, after those waited for before.
    ///
    /// # Panics
    /// With its output, when it does not.
    pub fn wait_for(&self, text: &str) {
        let give_up = Instant::now() + PATIENCE;
        while let Some(line) = self.said.next_line(give_up) {
            if line.contains(text) {
                return;
            }
        }
        panic!("it does not say {text:?}: {}", self.said.text())
    }

    /// The address on which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn start_at(address: SocketAddr, command: &mut Command) -> Result<Self, String> {
        let (child, said, readers) = spawn(command)?;
        let mut server = Self {
            address,
            child,
            said,
            readers: Some(readers),
        };
        let give_up = Instant::now() + PATIENCE;
        loop {
            let listens = TcpStream::connect(address).is_ok();
            if let Ok(Some(status)) = server.child.try_wait() {
                return Err(format!("{status}: {}", server.said.text()));
            }
            if listens {
                return Ok(server);
            }
            if Instant::now() > give_up {
                return Err(server.said.text());
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// The port on which it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Everything that it has written to both outputs.
    pub fn said(&self) -> String {
        self.said.text()
    }
}

impl Drop for NativeServer {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Runs a program to its end, and returns its standard output.
///
/// # Errors
/// With its output, when it cannot be started, fails, or exceeds the deadline; it is killed then.
pub fn output(command: &mut Command, deadline: Duration) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    // Standard error is separate: only standard output is returned and compared.
    let (mut child, said, readers) = spawn(command).map_err(|error| format!("{name}: {error}"))?;
    let give_up = Instant::now() + deadline;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < give_up => thread::sleep(Duration::from_millis(5)),
            _ => {
                end(&mut child);
                return Err(format!(
                    "{name} had not ended after {} s: {}",
                    deadline.as_secs(),
                    said.text()
                ));
            }
        }
    };
    let [stdout, _] = readers.map(|reader| reader.join().unwrap_or_default());
    if status.success() {
        Ok(String::from_utf8_lossy(&stdout).into_owned())
    } else {
        Err(format!("{name} failed ({status}): {}", said.text().trim()))
    }
}

/// The thread that copies an output, and returns all of it at the end.
type Reader = JoinHandle<Vec<u8>>;

/// A process, its combined output, and the reader of each output.
fn spawn(command: &mut Command) -> Result<(Child, Output, [Reader; 2]), String> {
    // Standard input is as the caller set it, or empty.
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let said = Output::default();
    let stdout = child.stdout.take().expect("its standard output");
    let stderr = child.stderr.take().expect("its standard error");
    let readers = [copy(stdout, &said), copy(stderr, &said)];
    Ok((child, said, readers))
}

fn copy(mut from: impl Read + Send + 'static, to: &Output) -> Reader {
    let to = to.clone();
    thread::spawn(move || {
        let mut all = Vec::new();
        let mut buffer = [0; 16 * 1024];
        while let Ok(n @ 1..) = from.read(&mut buffer) {
            to.push(&buffer[..n]);
            all.extend_from_slice(&buffer[..n]);
        }
        all
    })
}

fn end(child: &mut Child) {
    // It may have ended already.
    let _ = child.kill();
    let _ = child.wait();
}
