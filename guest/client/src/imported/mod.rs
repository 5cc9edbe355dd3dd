//! A composed program: the implementation is a component of its own, which this program imports.

mod calls;
pub(crate) mod handlers;
mod latin1;
mod mirror;
mod number;
mod polls;
mod raw;
mod reader;
mod server;
pub mod sockets;
pub(crate) mod unix;
mod waits;
mod writer;

use crate::bindings::streams;
use crate::{AddressFamily, ByteReader, Error};

pub(crate) use crate::bindings::streams::{ConnectOptions, ServerOptions, linger, open_connection};
pub(crate) use crate::bindings::tls::{ClientConfig, ServerConfig};
pub(crate) use crate::reader::{length, size};
pub(crate) use mirror::Line;
pub(crate) use reader::Reader;
pub(crate) use server::{Server, sockets_of, start_server, wait_connection};
pub(crate) use writer::Writer;

/// Makes a reader over a byte stream.
pub(crate) async fn from_stream(data: ByteReader, limit: u32) -> Result<crate::Reader, Error> {
    Ok(streams::from_stream(data, limit).await?.into())
}

/// Makes a connection over a pair of byte streams.
pub(crate) async fn wrap(
    incoming: ByteReader,
    options: Option<&ConnectOptions>,
) -> Result<(crate::Reader, crate::Writer, ByteReader), Error> {
    let (reader, writer, outgoing) = streams::wrap(incoming, options).await?;
    Ok((reader.into(), writer.into(), outgoing))
}

/// Sets TLS among the options of a connection.
pub(crate) fn set_client_tls(
    options: &mut ConnectOptions,
    config: &ClientConfig,
    server_name: Option<&str>,
) -> Result<(), Error> {
    Ok(options.set_tls(config, server_name)?)
}

/// Sets TLS among the options of a server.
pub(crate) fn set_server_tls(
    options: &mut ServerOptions,
    config: &ServerConfig,
) -> Result<(), Error> {
    Ok(options.set_tls(config)?)
}

/// Returns a family as the options have it.
pub(crate) fn family(family: AddressFamily) -> AddressFamily {
    family
}
