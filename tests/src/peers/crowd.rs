//! Many connections at once.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::{Conn, PATIENCE};

/// Connections that send nothing before they are asked to. Dropping resets them, so that the system frees them at
/// once: a clean end would keep the port for a minute.
#[derive(Debug, Default)]
pub struct Crowd {
    members: Vec<TcpStream>,
}

/// Connections in a row, fewer than a listening socket's backlog. One more would not be refused: the system would try
/// it again a second later.
const ROW: usize = 64;

/// Enough for a script; thousands of the default size would be too much.
const STACK: usize = 256 * 1024;

impl Crowd {
    /// Connects `n` times and sends nothing. After each row of connections, `settled` must ensure that the server has
    /// accepted them all: a later client that is served proves it, since clients are accepted in order.
    ///
    /// # Panics
    /// When a connection cannot be made.
    pub fn silent(address: SocketAddr, n: usize, settled: impl FnMut()) -> Self {
        let mut crowd = Self::default();
        crowd.grow(address, n, settled);
        crowd
    }

    /// Connects `n` times more, as [`silent`](Self::silent) does.
    ///
    /// # Panics
    /// When a connection cannot be made.
    pub fn grow(&mut self, address: SocketAddr, n: usize, mut settled: impl FnMut()) {
        let wanted = self.len() + n;
        while self.len() < wanted {
            for _ in 0..ROW.min(wanted - self.len()) {
                let connected = TcpStream::connect_timeout(&address, PATIENCE);
                let number = self.len();
                let stream = connected
                    .unwrap_or_else(|error| panic!("connection {number} of {wanted}: {error}"));
                self.members.push(stream);
            }
            settled();
        }
    }

    /// The number of connections.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are no connections.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Removes the last `n` connections, for separate use.
    ///
    /// # Panics
    /// When there are fewer.
    pub fn take(&mut self, n: usize) -> Vec<Conn> {
        let first = self.len().checked_sub(n).expect("as many connections");
        let conns = self.members.split_off(first).into_iter().map(Conn::of);
        conns.map(|conn| conn.expect("a connection")).collect()
    }

    /// Whether the other end of each one is gone.
    pub fn gone(&self) -> impl Iterator<Item = bool> {
        self.heard()
            .map(|heard| !matches!(heard, Ok(1..)) && !is_silence(&heard))
    }

    /// Whether each one has received bytes.
    pub fn answered(&self) -> impl Iterator<Item = bool> {
        self.heard().map(|heard| matches!(heard, Ok(1..)))
    }

    /// The result of a read of each one that does not wait.
    fn heard(&self) -> impl Iterator<Item = io::Result<usize>> {
        self.members.iter().map(|member| {
            member.set_nonblocking(true)?;
            let heard = member.peek(&mut [0]);
            member.set_nonblocking(false)?;
            heard
        })
    }

    /// Sends a byte on each one.
    ///
    /// # Panics
    /// When one of them cannot.
    pub fn say(&mut self, byte: u8) {
        for mut member in &self.members {
            member.write_all(&[byte]).expect("a byte, sent");
        }
    }

    /// Sends a byte on each one, one after the other, spread over `time`.
    ///
    /// # Panics
    /// When one of them cannot.
    pub fn drip(&mut self, byte: u8, time: Duration) {
        let begun = Instant::now();
        for (number, mut member) in self.members.iter().enumerate() {
            let due = begun + time.mul_f64(number as f64 / self.members.len() as f64);
            thread::sleep(due.saturating_duration_since(Instant::now()));
            member.write_all(&[byte]).expect("a byte, sent");
        }
    }

    /// Runs `script` `n` times in parallel, each time with its number and on its own thread, and returns the results
    /// in order.
    ///
    /// # Panics
    /// When a script panics.
    pub fn run<T: Send>(n: usize, script: impl Fn(usize) -> T + Sync) -> Vec<T> {
        thread::scope(|scope| {
            let script = &script;
            let start = |number| {
                let thread = thread::Builder::new().stack_size(STACK);
                let started = thread.spawn_scoped(scope, move || script(number));
                started.expect("a thread")
            };
            let running: Vec<_> = (0..n).map(start).collect();
            let results = running.into_iter().map(thread::ScopedJoinHandle::join);
            results
                .map(|result| result.unwrap_or_else(|reason| std::panic::resume_unwind(reason)))
                .collect()
        })
    }
}

fn is_silence(heard: &io::Result<usize>) -> bool {
    matches!(heard, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for member in self.members.drain(..) {
            if let Ok(conn) = Conn::of(member) {
                conn.reset();
            }
        }
    }
}
