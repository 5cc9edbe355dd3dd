//! What a program calls: the exported functions and resources, each a thin layer over a connection or a server.

mod open;
mod options;
mod reader;
mod server;
mod sockets;
mod tls;
mod words;
mod write_stream;
mod writer;

use crate::{
    Component, connection, driver, sockets as sockets_export, streams, words as words_export,
};

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
    ) -> Result<(streams::Reader, streams::Writer), streams::Error> {
        open::open_connection(host, port, options::connect(options)).await
    }

    async fn start_server(
        hosts: Vec<String>,
        port: u16,
        options: Option<streams::ServerOptionsBorrow<'_>>,
    ) -> Result<streams::Server, streams::Error> {
        server::start(hosts, port, options::serve(options)).await
    }

    async fn from_stream(
        data: asyncio_streams_task::StreamReader<u8>,
        limit: u32,
    ) -> Result<streams::Reader, streams::Error> {
        driver::let_tasks_exit().await;
        open::from_stream(data, limit)
    }

    async fn wrap(
        incoming: asyncio_streams_task::StreamReader<u8>,
        options: Option<streams::ConnectOptionsBorrow<'_>>,
    ) -> Result<
        (
            streams::Reader,
            streams::Writer,
            asyncio_streams_task::StreamReader<u8>,
        ),
        streams::Error,
    > {
        driver::let_tasks_exit().await;
        open::wrap(incoming, options::connect(options))
    }

    async fn linger() {
        connection::linger().await;
    }
}

impl sockets_export::Guest for Component {
    async fn from_socket(
        socket: sockets_export::TcpSocket,
        options: Option<streams::ConnectOptionsBorrow<'_>>,
    ) -> Result<(streams::Reader, streams::Writer), streams::Error> {
        sockets::from_socket(socket, options::connect(options)).await
    }

    async fn from_listener(
        socket: sockets_export::TcpSocket,
        options: Option<streams::ServerOptionsBorrow<'_>>,
    ) -> Result<streams::Server, streams::Error> {
        sockets::from_listener(socket, options::serve(options))
    }
}

impl words_export::Guest for Component {
    fn peek(reader: streams::ReaderBorrow<'_>, skip: u32, n: u32) -> words_export::Front {
        words::peek(reader.get(), skip, n)
    }

    async fn wait_front(
        reader: streams::ReaderBorrow<'_>,
        position: u64,
        least: u32,
        n: u32,
    ) -> Result<words_export::Front, words_export::NoFront> {
        words::wait_front(reader.get(), position, least, n).await
    }

    fn write(
        writer: streams::WriterBorrow<'_>,
        blocks: Vec<words_export::Block>,
        tail: Vec<u8>,
    ) -> Result<bool, streams::Error> {
        words::write(writer.get(), &blocks, &tail)
    }
}

/// A reader and a writer, as a program gets them.
fn pair(
    connection: std::rc::Rc<crate::connection::Connection>,
) -> (streams::Reader, streams::Writer) {
    (
        streams::Reader::new(reader::Reader::new(connection.clone())),
        streams::Writer::new(writer::Writer::new(connection)),
    )
}
