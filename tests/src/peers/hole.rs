//! A port that answers nothing.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use super::{PATIENCE, tcp_info};

/// A listening socket whose backlog is full: the system drops what comes, so that a connect waits, for two minutes unless
/// it is given up.
#[derive(Debug)]
pub struct BlackHole {
    address: SocketAddr,
    _listener: TcpListener,
    _fill: Vec<TcpStream>,
}

impl BlackHole {
    /// Takes a port. Port 0 is a free one.
    ///
    /// # Errors
    /// When the address is taken.
    ///
    /// # Panics
    /// When the system lets it not be filled.
    pub fn at(address: SocketAddr) -> std::io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.bind(&address.into())?;
        socket.listen(0)?;
        let listener = TcpListener::from(socket);
        let address = listener.local_addr()?;
        let mut fill = Vec::new();
        while !is_full(&listener) {
            fill.push(TcpStream::connect_timeout(&address, PATIENCE)?);
            // The connection has a place in the backlog once the last part of the handshake was heard.
            let give_up = Instant::now() + PATIENCE;
            while waiting(&listener) < fill.len() {
                assert!(
                    Instant::now() < give_up,
                    "a connection that does not arrive"
                );
                thread::sleep(Duration::from_millis(1));
            }
        }
        Ok(Self {
            address,
            _listener: listener,
            _fill: fill,
        })
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// How many connections wait to be accepted. Of a socket that listens, Linux tells that and the bound in these fields.
fn waiting(listener: &TcpListener) -> usize {
    tcp_info::of(listener).tcpi_unacked as usize
}

fn is_full(listener: &TcpListener) -> bool {
    let info = tcp_info::of(listener);
    info.tcpi_unacked > info.tcpi_sacked
}
