//! A TCP socket with its options.

use std::net::SocketAddr;

use crate::bindings::exports::asyncio::streams::types::{NetworkCode, NetworkError};
use crate::bindings::wasi::sockets::types::{ErrorCode, TcpSocket};
use crate::errors;

use super::address;

/// Keep-alive probes (`SO_KEEPALIVE`, RFC 1122 §4.2.3.6). `None` leaves the system's value.
#[derive(Clone, Copy, Default)]
pub(crate) struct KeepAlive {
    pub(crate) on: bool,
    pub(crate) idle: Option<u64>,
    pub(crate) interval: Option<u64>,
    pub(crate) count: Option<u32>,
}

impl KeepAlive {
    /// Applies the options to `socket`.
    pub(crate) fn apply(&self, socket: &TcpSocket) -> Result<(), NetworkError> {
        if !self.on {
            return Ok(());
        }
        self.try_apply(socket)
            .map_err(|code| errors::network(code, "set keep-alive"))
    }

    fn try_apply(&self, socket: &TcpSocket) -> Result<(), ErrorCode> {
        socket.set_keep_alive_enabled(true)?;
        if let Some(nanoseconds) = self.idle {
            socket.set_keep_alive_idle_time(nanoseconds)?;
        }
        if let Some(nanoseconds) = self.interval {
            socket.set_keep_alive_interval(nanoseconds)?;
        }
        if let Some(count) = self.count {
            socket.set_keep_alive_count(count)?;
        }
        Ok(())
    }
}

/// A new socket of `address`' family. A family that the machine lacks is an address that it lacks.
pub(super) fn create(address: &SocketAddr) -> Result<TcpSocket, NetworkError> {
    TcpSocket::create(address::family(address)).map_err(|code| match code {
        ErrorCode::NotSupported | ErrorCode::InvalidArgument => NetworkError {
            code: NetworkCode::AddressNotAvailable,
            message: format!("create a socket for {address}: this machine lacks its family"),
        },
        code => errors::network(code, "create a socket"),
    })
}

/// Binds `socket`.
pub(super) fn bind(socket: &TcpSocket, address: SocketAddr) -> Result<(), NetworkError> {
    socket
        .bind(address::to_wasi(address))
        .map_err(|code| errors::network(code, &format!("bind to {address}")))
}
