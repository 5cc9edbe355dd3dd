//! Connections and servers of WASI sockets that the program made itself: with options of its own,
//! or passed in by another component. asyncio's `sock` argument.
//!
//! ```no_run
//! use asyncio_streams::sockets::{TcpSocket, from_socket, types};
//!
//! async fn connect() -> Result<(), Box<dyn std::error::Error>> {
//!     let family = types::IpAddressFamily::Ipv4;
//!     let socket = TcpSocket::create(family)?;
//!     socket.set_hop_limit(3)?;
//!     let to = types::Ipv4SocketAddress { port: 8888, address: (127, 0, 0, 1) };
//!     socket.connect(types::IpSocketAddress::Ipv4(to)).await?;
//!     let (reader, writer) = from_socket(socket).await?;
//!     # Ok(())
//! }
//! ```
//!
//! A program that does not call this module does not import wasi:sockets.

use crate::{ConnectOptions, Error, Reader, Server, ServerOptions, Writer};
use bindings::asyncio::streams::sockets;

/// WASI's sockets as wit-bindgen makes them. Bindings for other interfaces that pass sockets name
/// this module for `wasi:sockets/types`.
pub use bindings::wasi::sockets::types;
pub use types::TcpSocket;

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]
mod bindings {
    wit_bindgen::generate!({
        inline: "
            package asyncio:rust;

            world sockets {
                import asyncio:streams/sockets@0.1.0;
            }
        ",
        path: "wit",
        with: {
            "asyncio:streams/types@0.1.0": crate::bindings::types,
            "asyncio:streams/tls@0.1.0": crate::bindings::tls,
            "asyncio:streams/streams@0.1.0": crate::bindings::streams,
        },
        generate_all,
        runtime_path: "asyncio_streams_wasi03::rt",
    });
}

/// Makes a connection of a socket that is connected, and on which neither `send` nor `receive` was
/// called.
///
/// The socket is the connection's from the call on; after a failure it is closed. The call does not
/// wait.
///
/// # Errors
/// - [`Error::Network`] with `InvalidState`: the socket is not connected. If its streams were taken
///   before, the first read and the first bytes that are sent say so.
/// - [`Error::Network`] with `OutOfResources`: the component has as many connections as it can.
pub async fn from_socket(socket: TcpSocket) -> Result<(Reader, Writer), Error> {
    let (reader, writer) = sockets::from_socket(socket, None).await?;
    Ok((reader.into(), writer.into()))
}

/// Makes a server of a socket that is bound and does not listen yet.
///
/// The socket is the server's from the call on; after a failure it is closed. The call does not
/// wait.
///
/// # Errors
/// - [`Error::Network`] with `InvalidState`: the socket is not bound, or listens already.
/// - [`Error::Network`]: the system refuses to listen on it; the code says why.
pub async fn from_listener(socket: TcpSocket) -> Result<Server, Error> {
    Ok(sockets::from_listener(socket, None).await?.into())
}

impl ConnectOptions {
    /// [`from_socket`] with these options: the limits, the bounds and the close deadline count, and
    /// keep-alive if it is on.
    ///
    /// # Errors
    /// Those of the function; also [`Error::InvalidArgument`] for an option.
    pub async fn from_socket(&self, socket: TcpSocket) -> Result<(Reader, Writer), Error> {
        let options = self.to_raw()?;
        let (reader, writer) = sockets::from_socket(socket, Some(&options)).await?;
        Ok((reader.into(), writer.into()))
    }
}

impl ServerOptions {
    /// [`from_listener`] with these options: all but the family count.
    ///
    /// # Errors
    /// Those of the function, of which a server that does not listen yet says "listens already" in
    /// [`Server::start_serving`]; also [`Error::InvalidArgument`] for an option.
    pub async fn from_listener(&self, socket: TcpSocket) -> Result<Server, Error> {
        let options = self.to_raw()?;
        Ok(sockets::from_listener(socket, Some(&options)).await?.into())
    }
}
