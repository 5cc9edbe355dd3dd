//! The functions that return connections, and the server.

use std::ops::Deref;

use super::bindings::asyncio::streams::blocking::{self as raw, ConnectOptions, ServerOptions};
use super::bindings::wasi02::wasi::io::streams::{InputStream, OutputStream};
use super::{Reader, Writer};
use crate::bindings::types::Error;

/// Opens a connection: `open-connection`. Waits at most until the deadline of `options`.
///
/// # Errors
/// Those of the interface's function.
pub fn open_connection(
    host: &str,
    port: u16,
    options: Option<&ConnectOptions>,
) -> Result<(Reader, Writer), Error> {
    raw::open_connection(host, port, options).map(pair)
}

/// Begins to listen: `start-server`.
///
/// # Errors
/// Those of the interface's function; `Cancelled` after the timeout in nanoseconds.
pub fn start_server(
    hosts: &[String],
    port: u16,
    options: Option<&ServerOptions>,
    timeout_nanoseconds: Option<u64>,
) -> Result<Server, Error> {
    raw::start_server(hosts, port, options, timeout_nanoseconds).map(Server)
}

/// Reads from a stream of `wasi:io`: `from-stream`. A line may have up to `limit` bytes.
///
/// # Errors
/// Those of the interface's function.
pub fn from_stream(data: InputStream, limit: u32) -> Result<Reader, Error> {
    raw::from_stream(data, limit).map(Reader::from)
}

/// Makes a connection of two streams of `wasi:io`: `wrap`.
///
/// # Errors
/// Those of the interface's function.
pub fn wrap(
    incoming: InputStream,
    outgoing: OutputStream,
    options: Option<&ConnectOptions>,
) -> Result<(Reader, Writer), Error> {
    raw::wrap(incoming, outgoing, options).map(pair)
}

/// A listening server.
///
/// `accept` and `try_accept` are those of the interface's `server`. All other methods are those of the binding's type.
#[derive(Debug)]
pub struct Server(raw::Server);

impl Server {
    /// Waits for a client: `server.accept`.
    ///
    /// # Errors
    /// Those of the interface's method; `Cancelled` after the timeout in nanoseconds.
    pub fn accept(&self, timeout_nanoseconds: Option<u64>) -> Result<(Reader, Writer), Error> {
        self.0.accept(timeout_nanoseconds).map(pair)
    }

    /// Accepts a client without waiting: `server.try-accept`. Returns `None` when there is none.
    ///
    /// # Errors
    /// Those of the interface's method.
    pub fn try_accept(&self) -> Result<Option<(Reader, Writer)>, Error> {
        Ok(self.0.try_accept()?.map(pair))
    }
}

impl Deref for Server {
    type Target = raw::Server;

    fn deref(&self) -> &raw::Server {
        &self.0
    }
}

impl From<raw::Server> for Server {
    fn from(raw: raw::Server) -> Self {
        Server(raw)
    }
}

impl From<Server> for raw::Server {
    fn from(server: Server) -> Self {
        server.0
    }
}

fn pair((reader, writer): (raw::Reader, raw::Writer)) -> (Reader, Writer) {
    (reader.into(), writer.into())
}
