//! The `sockets` interface: for callers that hold a WASI socket themselves.

use crate::bindings::exports::asyncio::streams::types::Error;
use crate::bindings::wasi::sockets::types::TcpSocket;
use crate::connection::{Connection, Held};
use crate::driver;
use crate::net::budget::Share;
use crate::net::listen::Listener;
use crate::streams;
use crate::transport::tcp::Tcp;

use super::options::{Connect, Serve};
use super::server;

pub(super) fn from_socket(
    socket: TcpSocket,
    options: Connect,
) -> Result<(streams::Reader, streams::Writer), Error> {
    driver::start();
    let share = Share::opened()?;
    options.route.keep_alive.apply(&socket)?;
    let tcp = Tcp::unknown(socket)?;
    Ok(super::pair(Connection::tcp(
        tcp,
        options.settings,
        Held::client(share),
    )?))
}

pub(super) fn from_listener(socket: TcpSocket, options: Serve) -> Result<streams::Server, Error> {
    server::serve(vec![Listener::from_bound(socket)?], &options)
}
