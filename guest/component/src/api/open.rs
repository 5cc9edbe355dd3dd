//! `open-connection`, `from-stream` and `wrap`.

use std::pin::pin;

use asyncio_streams_task::StreamReader;
use futures::future::{Either, select};

use crate::bindings::exports::asyncio::streams::types::Error;
use crate::bindings::wit_stream;
use crate::connection::{Connection, Held, Settings};
use crate::driver::{self, KeepRunning};
use crate::net::budget::Share;
use crate::net::connect;
use crate::signal::Round;
use crate::streams;
use crate::transport::tcp::Tcp;
use crate::transport::tls::Role;
use crate::transport::{Incoming, Outgoing};

use super::options::Connect;

type Pair = (streams::Reader, streams::Writer);

pub(super) async fn open_connection(
    host: String,
    port: u16,
    options: Connect,
) -> Result<Pair, Error> {
    if port == 0 {
        return Err(Error::InvalidArgument(
            "port: 0 cannot be connected to".into(),
        ));
    }
    let _keep = KeepRunning::new();
    let share = Share::opened()?;
    let role = match &options.tls {
        Some(client) => Some(Role::Client(client.clone().or_named(&host)?)),
        None => None,
    };
    let connecting = async {
        let connected = connect::connect(&host, port, &options.route).await?;
        Tcp::connected(connected.socket, connected.remote)?
            .protect(role)
            .await
    };
    let tcp = match unless_cancelled(connecting, &options).await {
        Ok(tcp) => tcp,
        Err(failed) => return Err(failed.leave(share)),
    };
    Ok(super::pair(Connection::tcp(
        tcp,
        options.settings,
        Held::client(share),
    )?))
}

pub(super) fn from_stream(data: StreamReader<u8>, limit: u32) -> Result<streams::Reader, Error> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let settings = Settings {
        limit,
        ..Settings::default()
    };
    let held = Held::client(Share::reader()?);
    let connection = Connection::input_only(Incoming::from_stream(data), settings, held)?;
    Ok(streams::Reader::new(super::reader::Reader::new(connection)))
}

pub(super) fn wrap(
    incoming: StreamReader<u8>,
    options: Connect,
) -> Result<(streams::Reader, streams::Writer, StreamReader<u8>), Error> {
    if options.tls.is_some() {
        return Err(Error::NotSupported(
            "wrap: TLS begins with start-tls".into(),
        ));
    }
    driver::start();
    let share = Share::opened()?;
    let (to_send, outgoing) = wit_stream::new::<u8>();
    let connection = Connection::streams(
        Incoming::from_stream(incoming),
        Outgoing::to_stream(to_send),
        options.settings,
        Held::client(share),
    )?;
    let (reader, writer) = super::pair(connection);
    Ok((reader, writer, outgoing))
}

/// Runs a call that makes a connection, until it is to end without a result.
pub(super) async fn unless_cancelled<T, E: From<Error>>(
    connecting: impl Future<Output = Result<T, E>>,
    options: &Connect,
) -> Result<T, E> {
    let round = options.cancel.begin();
    let ended = pin!(cancelled_or_late(&round, options.deadline));
    match select(pin!(connecting), ended).await {
        Either::Left((connected, _)) => connected,
        Either::Right((error, _)) => Err(error.into()),
    }
}

/// Waits until the call is to end without a result.
async fn cancelled_or_late(round: &Round<'_>, deadline: Option<u64>) -> Error {
    let cancelled = round.cancelled();
    let Some(nanoseconds) = deadline else {
        return cancelled.await;
    };
    match select(pin!(cancelled), pin!(driver::sleep(nanoseconds))).await {
        Either::Left((cancelled, _)) => cancelled,
        Either::Right(((), _)) => Error::DeadlineExceeded,
    }
}
