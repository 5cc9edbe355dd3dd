//! Servers, under the names of the crate for Rust programs.

use crate::bindings::asyncio::streams::blocking;
use crate::executor::{NOW, until};
use crate::{Address, Error, Failure, Reader, Result, Writer};

/// A server that accepts.
#[derive(Debug)]
pub(crate) struct Server(pub(crate) blocking::Server);

impl Server {
    pub(crate) async fn accept(&self) -> std::result::Result<(Reader, Writer), Error> {
        let (reader, writer) = until(|| self.0.accept(NOW)).await?;
        Ok((Reader(reader), Writer(writer)))
    }
}

/// Starts a server. Addresses need no look-up, so that this does not block.
pub(crate) async fn start_server<const N: usize>(
    hosts: [&str; N],
    port: u16,
) -> std::result::Result<Server, Error> {
    blocking::start_server(&hosts.map(str::to_owned), port, None, None).map(Server)
}

/// Returns the port of a server that listens on one.
pub(crate) fn port(server: &Server) -> Result<u16> {
    match server.0.sockets().first() {
        Some(Address::Inet(address)) => Ok(address.port),
        other => Err(Failure::new(format_args!(
            "not the address of a TCP server: {other:?}"
        ))),
    }
}
