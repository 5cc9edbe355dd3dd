//! The `unix` interface of the streams component.

use super::{ConnectOptions, Server, ServerOptions, Writer};
use crate::bindings::{streams, types};
use bindings::asyncio::streams::unix;

pub use unix::Credentials;

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

            world unix {
                import asyncio:streams/unix@0.1.0;
            }
        ",
        path: "wit",
        with: {
            "asyncio:streams/types@0.1.0": crate::bindings::types,
            "asyncio:streams/tls@0.1.0": crate::bindings::tls,
            "asyncio:streams/streams@0.1.0": crate::bindings::streams,
        },
        generate_all,
        additional_derives: [PartialEq, Eq],
        runtime_path: "asyncio_streams_wasi03::rt",
    });
}

pub(crate) async fn open(
    path: Vec<u8>,
    options: Option<&ConnectOptions>,
) -> Result<(streams::Reader, streams::Writer), types::Error> {
    unix::open_unix_connection(path, options).await
}

pub(crate) async fn serve(
    path: Vec<u8>,
    mode: Option<u32>,
    cleanup: bool,
    options: &ServerOptions,
) -> Result<Server, types::Error> {
    let server = unix::start_unix_server(path, mode, cleanup, Some(options)).await?;
    Ok(Server::new(server))
}

pub(crate) fn peer_credentials(writer: &Writer) -> Option<Credentials> {
    unix::peer_credentials(writer.raw())
}
