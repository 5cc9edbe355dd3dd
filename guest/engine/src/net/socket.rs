//! Creating and binding sockets, with errors for callers.

use std::net::SocketAddr;

use crate::engine::Engine;
use crate::errors::{self, SocketError};
use crate::platform::TcpSocket;
use crate::types::{NetworkCode, NetworkError};

/// Creates a socket of `address`' family. A family that the machine lacks is an address that it lacks.
pub(super) fn create(
    engine: &Engine,
    address: &SocketAddr,
) -> Result<Box<dyn TcpSocket>, NetworkError> {
    engine
        .platform()
        .tcp_socket(address)
        .map_err(|code| match code {
            SocketError::NotSupported | SocketError::InvalidArgument => NetworkError {
                code: NetworkCode::AddressNotAvailable,
                message: format!("create a socket for {address}: this machine lacks its family"),
            },
            code => errors::network(code, "create a socket"),
        })
}

/// Binds `socket`.
pub(super) fn bind(socket: &dyn TcpSocket, address: SocketAddr) -> Result<(), NetworkError> {
    socket
        .bind(address)
        .map_err(|code| errors::network(code, &format!("bind to {address}")))
}
