//! A port that does not answer.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use super::{PATIENCE, tcp_info};

/// A listening socket whose backlog is full. The system drops further connects, which wait for two minutes unless
/// they are given up.
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
    /// When the address is in use.
    ///
    /// # Panics
    /// When its backlog cannot be filled.
    pub fn at(address: SocketAddr) -> std::io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.bind(&address.into())?;
        socket.listen(0)?;
        let listener = TcpListener::from(socket);
        let address = listener.local_addr()?;
        let mut fill = Vec::new();
        while !is_full(&listener) {
            fill.push(TcpStream::connect_timeout(&address, PATIENCE)?);
            // The connection enters the backlog once the last packet of its handshake has arrived.
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

    /// Its address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// The number of connections that wait to be accepted. For a listening socket, Linux reports that and the bound in these
/// fields.
fn waiting(listener: &TcpListener) -> usize {
    tcp_info::of(listener).tcpi_unacked as usize
}

fn is_full(listener: &TcpListener) -> bool {
    let info = tcp_info::of(listener);
    info.tcpi_unacked > info.tcpi_sacked
}
