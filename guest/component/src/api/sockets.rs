//! The `sockets` interface: for callers that hold a WASI socket themselves.

use crate::bindings::exports::asyncio::streams::types::Error;
use crate::bindings::wasi::sockets::types::TcpSocket;
use crate::connection::{Connection, Held};
use crate::driver::KeepRunning;
use crate::net::budget::Share;
use crate::net::listen::Listener;
use crate::streams;
use crate::transport::tcp::Tcp;
use crate::transport::tls::Role;

use super::options::{Connect, Serve};
use super::{open, server};

pub(super) async fn from_socket(
    socket: TcpSocket,
    options: Connect,
) -> Result<(streams::Reader, streams::Writer), Error> {
    let _keep = KeepRunning::new();
    let share = Share::opened()?;
    options.route.keep_alive.apply(&socket)?;
    let role = match &options.tls {
        Some(client) if !client.is_named() => {
            return Err(Error::InvalidArgument(
                "options: TLS without a server name".into(),
            ));
        }
        client => client.clone().map(Role::Client),
    };
    let tcp = Tcp::unknown(socket)?;
    let tcp = match open::unless_cancelled(tcp.protect(role), &options).await {
        Ok(tcp) => tcp,
        Err(failed) => return Err(failed.leave(share)),
    };
    Ok(super::pair(Connection::tcp(
        tcp,
        options.settings,
        Held::client(share),
    )?))
}

pub(super) fn from_listener(socket: TcpSocket, options: Serve) -> Result<streams::Server, Error> {
    server::serve(vec![Listener::from_bound(socket)?], &options)
}
