//! The exported functions and resources.

mod latin1;
mod numbers;
mod options;
mod reader;
mod requests;
mod server;
mod tls;
#[cfg(feature = "unix")]
mod unix;
#[cfg(not(feature = "unix"))]
#[path = "no_unix.rs"]
mod unix;
mod writer;

use asyncio_streams_engine::{self as engine};
use asyncio_streams_wasi03::bindings::wit_stream;
use asyncio_streams_wasi03::{Received, Sent, StreamReader, TcpSocket, let_tasks_exit};

use crate::{Component, sockets as sockets_export, streams, types::Error};

impl streams::Guest for Component {
    type Reader = reader::Reader;
    type Writer = writer::Writer;
    type ConnectOptions = options::ConnectOptions;
    type ServerOptions = options::ServerOptions;
    type Server = server::Server;

    async fn open_connection(
        host: String,
        port: u16,
        options: Option<streams::ConnectOptionsBorrow<'_>>,
    ) -> Result<(streams::Reader, streams::Writer), Error> {
        let options = options::connect(options);
        let engine = crate::engine();
        answer(engine.open_connection(&host, port, options))
            .await
            .map(pair)
    }

    async fn start_server(
        hosts: Vec<String>,
        port: u16,
        options: Option<streams::ServerOptionsBorrow<'_>>,
    ) -> Result<streams::Server, Error> {
        let options = options::serve(options);
        let engine = crate::engine();
        answer(engine.start_server(&hosts, port, options))
            .await
            .map(server::export)
    }

    async fn from_stream(data: StreamReader<u8>, limit: u32) -> Result<streams::Reader, Error> {
        begin().await;
        let source = Box::new(Received::from_stream(data));
        let reader = crate::engine().from_stream(source, limit)?;
        Ok(reader::export(reader))
    }

    async fn wrap(
        incoming: StreamReader<u8>,
        options: Option<streams::ConnectOptionsBorrow<'_>>,
    ) -> Result<(streams::Reader, streams::Writer, StreamReader<u8>), Error> {
        let options = options::connect(options);
        begin().await;
        let mut outgoing = None;
        let streams = || {
            let (to_send, sent) = wit_stream::new::<u8>();
            outgoing = Some(sent);
            let source = Received::from_stream(incoming);
            (
                Box::new(source) as _,
                Box::new(Sent::to_stream(to_send)) as _,
            )
        };
        let wrapped = crate::engine().wrap(streams, options)?;
        let (reader, writer) = pair(wrapped);
        match outgoing {
            Some(outgoing) => Ok((reader, writer, outgoing)),
            // The engine took no streams, and there is nothing to return for a connection without.
            None => Err(Error::Closed),
        }
    }

    async fn linger() {
        crate::engine().settle_now();
        crate::engine().linger().await;
    }
}

impl sockets_export::Guest for Component {
    async fn from_socket(
        socket: sockets_export::TcpSocket,
        options: Option<streams::ConnectOptionsBorrow<'_>>,
    ) -> Result<(streams::Reader, streams::Writer), Error> {
        let options = options::connect(options);
        let socket = Box::new(TcpSocket::from(socket));
        let engine = crate::engine();
        answer(engine.from_socket(socket, options)).await.map(pair)
    }

    async fn from_listener(
        socket: sockets_export::TcpSocket,
        options: Option<streams::ServerOptionsBorrow<'_>>,
    ) -> Result<streams::Server, Error> {
        let options = options::serve(options);
        let socket = Box::new(TcpSocket::from(socket));
        crate::engine().settle_now();
        let server = crate::engine().from_listener(socket, &options)?;
        Ok(server::export(server))
    }
}

/// Begins an exported call: sends what was written by number. It comes first, since a dropped call would lose its result.
async fn begin() {
    let_tasks_exit().await;
    crate::engine().settle_now();
}

/// Waits for a call of the engine, which has begun, and converts its error.
async fn answer<T>(
    call: impl Future<Output = Result<T, engine::types::Error>>,
) -> Result<T, Error> {
    begin().await;
    call.await.map_err(Error::from)
}

/// Exports a reader and a writer.
fn pair((reader, writer): (engine::Reader, engine::Writer)) -> (streams::Reader, streams::Writer) {
    (reader::export(reader), writer::export(writer))
}
