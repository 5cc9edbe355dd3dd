//! A listening peer.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::{io, panic};

use socket2::{Domain, Socket, Type};

use super::Conn;

/// A program that listens on a free port of loopback and runs a script for each connection, all at once.
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
    /// Starts to listen on `127.0.0.1`. `script` gets each connection, in a thread of its own.
    ///
    /// # Panics
    /// When the system does not let it.
    pub fn start(script: impl Fn(Conn) + Send + Sync + 'static) -> Self {
        Self::start_numbered(move |_, conn| script(conn))
    }

    /// The same; `script` is told the number of its connection as well, from 0.
    ///
    /// # Panics
    /// When the system does not let it.
    pub fn start_numbered(script: impl Fn(usize, Conn) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listening socket");
        Self::start_on(listener, script)
    }

    /// The same on a socket that listens already.
    ///
    /// # Panics
    /// When the system does not tell its address.
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

    /// Starts to listen, and keeps every connection without a word. For very many: it takes no thread for each.
    ///
    /// # Panics
    /// When the system does not let it.
    pub fn silent() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listening socket");
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

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port on which it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Stops listening, and waits for the scripts that still run.
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
        // It may wait for a connection. If it cannot be had, the thread has ended already.
        let _ = TcpStream::connect(self.address);
        // Its only panic is about a system that has run out of everything.
        let _ = accepting.join();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A bound port without a listener: connections are refused.
#[derive(Debug)]
pub struct Nobody {
    address: SocketAddr,
    _socket: Socket,
}

impl Nobody {
    /// Takes a free port of `127.0.0.1`.
    ///
    /// # Panics
    /// When the system does not let it.
    pub fn new() -> Self {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port")
    }

    /// Takes a port. Port 0 is a free one.
    ///
    /// # Errors
    /// When the address is taken.
    ///
    /// # Panics
    /// When the system does not tell the address.
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
            // Reset before it was accepted, perhaps; the next one counts.
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
