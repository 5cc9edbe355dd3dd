//! A listening peer.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::{io, panic};

use socket2::{Domain, SockRef, Socket, Type};

use super::Conn;

/// Connections that may wait to be accepted. Beyond that Linux answers with cookies, and resets a connection whose cookie is late:
/// on a busy machine that happens with the 128 of the standard library.
const BACKLOG: i32 = 4096;

/// Returns a socket that listens on a free port of loopback.
///
/// # Panics
/// When the system refuses.
pub fn listener() -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    SockRef::from(&listener)
        .listen(BACKLOG)
        .expect("a longer backlog");
    listener
}

/// A peer that listens on a free port of loopback and runs a script for each connection, all in parallel.
#[derive(Debug)]
pub struct Peer {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    stopped: AtomicBool,
    scripts: Mutex<Vec<JoinHandle<()>>>,
}

impl Peer {
    /// Starts to listen on `127.0.0.1`. `script` gets each connection, on a separate thread.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn start(script: impl Fn(Conn) + Send + Sync + 'static) -> Self {
        Self::start_numbered(move |_, conn| script(conn))
    }

    /// The same; `script` also gets the number of its connection, from 0.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn start_numbered(script: impl Fn(usize, Conn) + Send + Sync + 'static) -> Self {
        let listener = listener();
        Self::start_on(listener, script)
    }

    /// The same on a socket that already listens.
    ///
    /// # Panics
    /// When the system does not report its address.
    pub fn start_on(
        listener: TcpListener,
        script: impl Fn(usize, Conn) + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().expect("its address");
        let shared = Arc::new(Shared::default());
        let accepting = thread::spawn({
            let shared = shared.clone();
            let script = Arc::new(script);
            move || accept(&listener, &shared, &script)
        });
        Self {
            address,
            shared,
            accepting: Some(accepting),
        }
    }

    /// Starts to listen, and keeps every connection without sending. For many connections: it uses no thread for
    /// each.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn silent() -> Self {
        let listener = listener();
        let address = listener.local_addr().expect("its address");
        let shared = Arc::new(Shared::default());
        let accepting = thread::spawn({
            let shared = shared.clone();
            move || {
                let mut kept = Vec::new();
                while !shared.stopped.load(Ordering::SeqCst) {
                    kept.extend(listener.accept());
                }
            }
        });
        Self {
            address,
            shared,
            accepting: Some(accepting),
        }
    }

    /// The address on which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port on which it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Stops listening, and waits for the running scripts.
    ///
    /// # Panics
    /// When a script has panicked.
    pub fn finish(mut self) {
        self.stop();
        let scripts = self.shared.scripts();
        for script in scripts {
            if let Err(reason) = script.join() {
                panic::resume_unwind(reason);
            }
        }
    }

    fn stop(&mut self) {
        let Some(accepting) = self.accepting.take() else {
            return;
        };
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread if it waits for a connection. A failed connect means that it has ended.
        let _ = TcpStream::connect(self.address);
        // It panics only when the system is out of resources.
        let _ = accepting.join();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A bound port that does not listen: connections are refused.
#[derive(Debug)]
pub struct Nobody {
    address: SocketAddr,
    _socket: Socket,
}

impl Nobody {
    /// Takes a free port of `127.0.0.1`.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn new() -> Self {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port")
    }

    /// Takes a port. Port 0 is a free one.
    ///
    /// # Errors
    /// When the address is in use.
    ///
    /// # Panics
    /// When the system does not report the address.
    pub fn at(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.bind(&address.into())?;
        let address = socket.local_addr()?;
        Ok(Self {
            address: address.as_socket().expect("an address of the Internet"),
            _socket: socket,
        })
    }

    /// The address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Default for Nobody {
    fn default() -> Self {
        Self::new()
    }
}

impl Shared {
    fn scripts(&self) -> Vec<JoinHandle<()>> {
        let mut scripts = self.scripts.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut scripts)
    }
}

fn accept(
    listener: &TcpListener,
    shared: &Shared,
    script: &Arc<impl Fn(usize, Conn) + Send + Sync + 'static>,
) {
    for number in 0.. {
        let stream = match listener.accept() {
            _ if shared.stopped.load(Ordering::SeqCst) => return,
            Ok((stream, _)) => stream,
            // For example, reset before it was accepted; try the next one.
            Err(_) => continue,
        };
        let script = script.clone();
        let run = thread::spawn(move || {
            script(number, Conn::of(stream).expect("a socket with timeouts"));
        });
        let mut scripts = shared
            .scripts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        scripts.push(run);
    }
}
