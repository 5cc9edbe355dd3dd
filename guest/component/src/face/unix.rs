//! The `unix` interface over the host's Unix sockets.

use asyncio_streams_engine::unix::BindOptions;
use asyncio_streams_wasi03::WasiUnix;

use crate::types::Error;
use crate::{Component, streams, unix};

use super::{answer, begin, options, pair, server};

impl unix::Guest for Component {
    async fn open_unix_connection(
        path: Vec<u8>,
        options: Option<streams::ConnectOptionsBorrow<'_>>,
    ) -> Result<(streams::Reader, streams::Writer), Error> {
        let options = options::connect(options);
        let engine = crate::engine();
        answer(engine.open_unix_connection(&WasiUnix, path, options))
            .await
            .map(pair)
    }

    async fn start_unix_server(
        path: Vec<u8>,
        mode: Option<u32>,
        cleanup_socket: bool,
        options: Option<streams::ServerOptionsBorrow<'_>>,
    ) -> Result<streams::Server, Error> {
        let options = options::serve(options);
        begin().await;
        let bind = BindOptions {
            mode,
            cleanup: cleanup_socket,
        };
        let server = crate::engine().start_unix_server(&WasiUnix, path, bind, &options)?;
        Ok(server::export(server))
    }

    fn peer_credentials(writer: streams::WriterBorrow<'_>) -> Option<unix::Credentials> {
        let credentials = writer.get::<super::writer::Writer>().0.peer_credentials()?;
        Some(unix::Credentials {
            process: credentials.process,
            user: credentials.user,
            group: credentials.group,
        })
    }
}
