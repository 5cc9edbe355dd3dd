//! Unix sockets over the host's interface `unix-host`.

use asyncio_streams_engine::types;
use asyncio_streams_engine::unix::BindOptions;
use asyncio_streams_wasi03::WasiUnix;

use super::{ConnectOptions, Pair, Server, ServerOptions, Writer, current};

pub use types::Credentials;

pub(crate) async fn open(
    path: Vec<u8>,
    options: Option<&ConnectOptions>,
) -> Result<Pair, types::Error> {
    let options = options.cloned().unwrap_or_default();
    current()
        .open_unix_connection(&WasiUnix, path, options)
        .await
}

pub(crate) async fn serve(
    path: Vec<u8>,
    mode: Option<u32>,
    cleanup: bool,
    options: &ServerOptions,
) -> Result<Server, types::Error> {
    let bind = BindOptions { mode, cleanup };
    current().start_unix_server(&WasiUnix, path, bind, options)
}

pub(crate) fn peer_credentials(writer: &Writer) -> Option<Credentials> {
    writer.peer_credentials()
}
