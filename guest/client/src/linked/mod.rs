//! A linked program: the engine is inside it, over WASI 0.3.

mod convert;
mod line;
mod reader;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;
pub(crate) mod unix;
mod writer;

use asyncio_streams_engine::{self as engine, Engine, types};
use asyncio_streams_wasi03::{Received, Wasi, byte_stream, stream_from_handle};

use crate::bindings::imports::wit_stream::StreamPayload;
use crate::{Address, AddressFamily, ByteReader, Error};

pub(crate) use engine::{ConnectOptions, Server, ServerOptions};
pub(crate) use line::Line;
pub(crate) use reader::Reader;
pub(crate) use tls::{ClientConfig, ServerConfig, set_client_tls, set_server_tls};
pub(crate) use writer::Writer;

thread_local! {
    static ENGINE: Engine = Engine::new(Wasi);
}

type Pair = (engine::Reader, engine::Writer);

pub(crate) async fn open_connection(
    host: String,
    port: u16,
    options: Option<&ConnectOptions>,
) -> Result<Pair, types::Error> {
    let options = options.cloned().unwrap_or_default();
    current().open_connection(&host, port, options).await
}

pub(crate) async fn start_server(
    hosts: Vec<String>,
    port: u16,
    options: Option<&ServerOptions>,
) -> Result<Server, types::Error> {
    let options = options.cloned().unwrap_or_default();
    current().start_server(&hosts, port, options).await
}

/// Makes a reader over a byte stream.
pub(crate) async fn from_stream(data: ByteReader, limit: u32) -> Result<crate::Reader, Error> {
    Ok(current().from_stream(Box::new(source(data)), limit)?.into())
}

/// Makes a connection over a pair of byte streams.
pub(crate) async fn wrap(
    incoming: ByteReader,
    options: Option<&ConnectOptions>,
) -> Result<(crate::Reader, crate::Writer, ByteReader), Error> {
    let options = options.cloned().unwrap_or_default();
    let (to_send, outgoing) = byte_stream();
    let outgoing = byte_reader(outgoing);
    let streams = || (Box::new(source(incoming)) as _, Box::new(to_send) as _);
    let (reader, writer) = current().wrap(streams, options)?;
    Ok((reader.into(), writer.into(), outgoing))
}

/// Waits until no connection that this side has closed discards input any more.
pub(crate) async fn linger() {
    current().linger().await;
}

/// Returns a family as the options have it.
pub(crate) fn family(family: AddressFamily) -> types::AddressFamily {
    family.into()
}

/// Returns the addresses of a server.
pub(crate) fn sockets_of(server: &Server) -> Vec<Address> {
    server.sockets().into_iter().map(Address::from).collect()
}

/// Waits until a server has a client.
pub(crate) async fn wait_connection(server: &Server) -> Result<(), Error> {
    Ok(server.wait_connection().await?)
}

/// Returns the engine of this program.
fn current() -> Engine {
    ENGINE.with(Engine::clone)
}

/// The engine's end of a byte stream.
fn source(stream: ByteReader) -> Received {
    Received::from_stream(stream_from_handle(stream.take_handle()))
}

/// The program's end of a byte stream.
fn byte_reader(handle: u32) -> ByteReader {
    ByteReader::new(handle, <u8 as StreamPayload>::VTABLE)
}

impl From<engine::Reader> for crate::Reader {
    fn from(reader: engine::Reader) -> Self {
        crate::Reader {
            inner: Reader::new(reader),
        }
    }
}

impl From<engine::Writer> for crate::Writer {
    fn from(writer: engine::Writer) -> Self {
        crate::program::connected();
        crate::Writer {
            inner: Writer::new(writer),
        }
    }
}
