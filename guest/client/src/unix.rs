//! Unix sockets: the same readers, writers and servers.
//!
//! WASI has none, so they need a host that provides `asyncio:streams/unix-host`: `streams run` and `streams serve`, with
//! `--allow-unix-connect` and `--allow-unix-listen`, or a program that embeds the crate `asyncio-streams-host`. A composed
//! program takes `streams-unix.wasm` instead of `streams.wasm`; a linked program runs as it is. A program that calls nothing of
//! this module does not import the interface, and runs everywhere.

use crate::backend;
use crate::{ConnectOptions, Error, Reader, Server, ServerOptions, Writer};

pub use backend::unix::Credentials;

/// Connects to a Unix socket. asyncio's `open_unix_connection`.
///
/// `path` is an absolute path of the host, of at most 107 bytes on Linux; the folders that the program sees do not count. A zero
/// byte begins an abstract name of Linux. While the server's queue of connections is full, the call waits.
/// [`ConnectOptions`] has the same with options.
///
/// # Errors
/// - [`Error::NotSupported`]: the streams component, or the host, has no Unix sockets.
/// - [`Error::InvalidArgument`]: no socket can have that path.
/// - [`Error::Network`]: the code says which. `AccessDenied`: the host does not grant the path, or the system refuses;
///   `NoSuchFile`; `ConnectionRefused`: no server listens there, or a file or a folder is there instead;
///   `OutOfResources`: the component has as many connections as it can.
///
/// Dropping the call closes everything that was opened.
///
/// ```no_run
/// # async fn f() -> Result<(), asyncio_streams::Error> {
/// let (reader, writer) = asyncio_streams::open_unix_connection("/run/app.sock").await?;
/// writer.send("Hello\n").await?;
/// let answer = reader.readline().await?;
/// # Ok(()) }
/// ```
pub async fn open_unix_connection(path: impl AsRef<[u8]>) -> Result<(Reader, Writer), Error> {
    let path = path.as_ref().to_vec();
    let (reader, writer) = backend::unix::open(path, None).await?;
    Ok((reader.into(), writer.into()))
}

/// Listens on a Unix socket. asyncio's `start_unix_server`.
///
/// A socket that is there already is replaced, even if a server listens on it. The file is removed when the server is closed
/// or dropped, unless another one has taken its place. [`ServerOptions`] has the same with options, among them
/// [`mode`](ServerOptions::mode) and [`cleanup_socket`](ServerOptions::cleanup_socket).
///
/// # Errors
/// - [`Error::NotSupported`] and [`Error::InvalidArgument`]: as for [`open_unix_connection`].
/// - [`Error::Network`]: the code says which. `AccessDenied`, `OutOfResources`; `NoSuchFile`: there is no such folder;
///   `AddressInUse`: something else than a socket is there, or the abstract name is taken.
///
/// ```no_run
/// # async fn f() -> Result<(), asyncio_streams::Error> {
/// let server = asyncio_streams::start_unix_server("/run/app.sock").await?;
/// server.serve_forever(async |reader, writer| {
///     let line = reader.readline().await?;
///     writer.send(line).await
/// }).await
/// # }
/// ```
pub async fn start_unix_server(path: impl AsRef<[u8]>) -> Result<Server, Error> {
    ServerOptions::new().start_unix_server(path).await
}

impl ConnectOptions {
    /// [`open_unix_connection`] with these options: the limits, the bounds and the deadlines count, and TLS if it has a
    /// [`server_name`](ConnectOptions::server_name).
    ///
    /// # Errors
    /// Those of the function. Also [`Error::InvalidArgument`] for an option, [`Error::Tls`] for the handshake, and
    /// [`Error::DeadlineExceeded`].
    pub async fn open_unix_connection(
        &self,
        path: impl AsRef<[u8]>,
    ) -> Result<(Reader, Writer), Error> {
        let options = self.to_backend()?;
        let path = path.as_ref().to_vec();
        let (reader, writer) = backend::unix::open(path, Some(&options)).await?;
        Ok((reader.into(), writer.into()))
    }
}

impl ServerOptions {
    /// [`start_unix_server`] with these options: all but the family and keep-alive count.
    ///
    /// # Errors
    /// Those of the function; also [`Error::InvalidArgument`] for an option.
    pub async fn start_unix_server(&self, path: impl AsRef<[u8]>) -> Result<Server, Error> {
        let options = self.to_backend()?;
        let path = path.as_ref().to_vec();
        let (mode, cleanup) = self.socket_file();
        let server = backend::unix::serve(path, mode, cleanup, &options).await?;
        Ok(server.into())
    }
}

impl Writer {
    /// Returns who the peer of a Unix socket is, as the system knows it; none for other connections, and on systems that do
    /// not know it.
    pub fn peer_credentials(&self) -> Option<Credentials> {
        backend::unix::peer_credentials(&self.inner)
    }
}
