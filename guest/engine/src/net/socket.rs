//! Creates and binds sockets, with errors for callers.

use std::net::SocketAddr;

use crate::engine::Engine;
use crate::errors::{self, SocketError};
use crate::platform::TcpSocket;
use crate::types::{NetworkCode, NetworkError};

/// Creates a socket for the family of `address`. A missing family is reported like a missing address.
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
                message: format!(
                    "create a socket for {address}: this machine does not support its family"
                ),
            },
            code => errors::network(code, "create a socket"),
        })
}

/// Binds `socket` to `address`.
pub(super) fn bind(socket: &dyn TcpSocket, address: SocketAddr) -> Result<(), NetworkError> {
    socket
        .bind(address)
        .map_err(|code| errors::network(code, &format!("bind to {address}")))
}
