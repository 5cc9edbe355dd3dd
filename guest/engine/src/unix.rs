//! Unix sockets: the same connections and servers over another kind of socket.
//!
//! A platform has them or not, so they are no part of [`Platform`](crate::platform::Platform): a face that offers them passes
//! a [`UnixNet`] to the calls, and other faces contain no code of them.

use std::rc::Rc;

use crate::engine::{Engine, KeepRunning};
use crate::errors::{self, Invalid};
use crate::net::listen::Listening;
use crate::options::{ConnectOptions, ServerOptions};
use crate::platform::{BoundSocket, BoxFuture, SocketName, StreamSocket};
use crate::reader::Reader;
use crate::server::{self, Server};
use crate::transport::Transport;
use crate::types::{Error, NetworkCode};
use crate::writer::Writer;

/// The Unix sockets of a platform. The contract of [`platform`](crate::platform) holds here too.
pub trait UnixNet {
    /// Connects to a path. Dropping the future closes the socket.
    fn connect(&self, path: Vec<u8>) -> BoxFuture<'static, Result<Connected, Failure>>;

    /// Binds to a path. Dropping the socket, or [`BoundSocket::close`], frees the path at once.
    ///
    /// # Errors
    ///
    /// The host's error.
    fn bind(&self, path: &[u8], options: BindOptions) -> Result<Rc<dyn BoundSocket>, Failure>;
}

/// A connected socket.
pub type Connected = Box<dyn StreamSocket>;

/// How to bind a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BindOptions {
    /// The permissions of the file; `None`: those that follow from the host's umask.
    pub mode: Option<u32>,
    /// Whether to remove the file when the socket is closed.
    pub cleanup: bool,
}

/// The host's error, with the fields of `asyncio:streams/unix-host.failure`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// For programs.
    pub code: FailureCode,
    /// For people, without the path.
    pub message: String,
}

/// The kind of a host's error, with the cases of `asyncio:streams/unix-host.failure-code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the interface defines the names")]
pub enum FailureCode {
    NotSupported,
    InvalidPath,
    AccessDenied,
    NoSuchFile,
    AddressInUse,
    ConnectionRefused,
    OutOfResources,
    InvalidState,
    Other,
}

impl Failure {
    /// Converts the host's error for callers of an operation on `path`.
    fn explain(self, operation: &str, path: &[u8]) -> Error {
        let path = errors::quoted(&shown(path));
        // The host's text is foreign. It shows as it is, since it is no quotation, but on one line.
        let reason = errors::quoted(&self.message);
        let inner = reason
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        let reason = inner.unwrap_or(&reason);
        let code = match self.code {
            FailureCode::NotSupported => {
                return Error::NotSupported(format!("{operation} {path}: {reason}"));
            }
            FailureCode::InvalidPath => {
                return Error::InvalidArgument(format!("path {path}: {reason}"));
            }
            FailureCode::AccessDenied => NetworkCode::AccessDenied,
            FailureCode::NoSuchFile => NetworkCode::NoSuchFile,
            FailureCode::AddressInUse => NetworkCode::AddressInUse,
            FailureCode::ConnectionRefused => NetworkCode::ConnectionRefused,
            FailureCode::OutOfResources => NetworkCode::OutOfResources,
            FailureCode::InvalidState => NetworkCode::InvalidState,
            FailureCode::Other => NetworkCode::Other,
        };
        errors::network_error(code, format!("{operation} {path}: {reason}"))
    }
}

/// The bits of permissions.
const MODE: u32 = 0o7777;

impl Engine {
    /// Connects to a Unix socket, with TLS if the options contain it with a server name.
    ///
    /// The options' `cancel` and deadline end the call. Dropping the call closes everything that it had opened.
    ///
    /// # Errors
    ///
    /// As `open-unix-connection` (wit/unix.wit).
    pub fn open_unix_connection(
        &self,
        net: &dyn UnixNet,
        path: Vec<u8>,
        options: ConnectOptions,
    ) -> impl Future<Output = Result<(Reader, Writer), Error>> {
        // As for open_connection.
        let begun = options.cancel.begun();
        async move {
            let scope = options.cancel.scope(begun);
            check(&path)?;
            let _keep = KeepRunning::new(self);
            let permit = self.handles().opened()?;
            let protector = options.named_protector()?;
            let connecting = async {
                let socket = net.connect(path.clone()).await;
                let socket = socket.map_err(|failure| failure.explain("connect to", &path))?;
                Transport::unknown(self, socket)?
                    .protect(self, protector)
                    .await
            };
            self.client(connecting, &options, &scope, permit).await
        }
    }

    /// Binds a Unix socket and serves there. Only in async calls.
    ///
    /// # Errors
    ///
    /// As `start-unix-server` (wit/unix.wit).
    pub fn start_unix_server(
        &self,
        net: &dyn UnixNet,
        path: Vec<u8>,
        bind: BindOptions,
        options: &ServerOptions,
    ) -> Result<Server, Error> {
        check(&path)?;
        if bind.mode.is_some_and(|mode| mode & !MODE != 0) {
            return Err(Error::InvalidArgument("mode: more than 12 bits".into()));
        }
        let socket = net
            .bind(&path, bind)
            .map_err(|failure| failure.explain("listen on", &path))?;
        let listening = Listening::new(SocketName::Unix(shown(&path)), socket);
        server::serve(self, vec![listening], options)
    }
}

/// Returns a path as text. Bytes that are not UTF-8 are replaced.
pub fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// Refuses the path that systems take for a request of any free name.
fn check(path: &[u8]) -> Result<(), Invalid> {
    if path.is_empty() || path == [0] {
        return Err(Invalid("path: empty".into()));
    }
    Ok(())
}
