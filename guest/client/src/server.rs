//! Servers.

use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use asyncio_streams_wasi03::FutureSet;

use crate::backend;
use crate::program::Outcome;
use crate::reader::length;
use crate::time::nanoseconds;
use crate::{Address, Error, Reader, Writer, cli};

/// Starts a TCP server on the hosts and the port given. asyncio's `start_server`.
///
/// Each host is a name or an address; no host, or an empty one, stands for all interfaces of both
/// families. Port 0 is a free one: [`Server::sockets`] tells.
/// [`ServerOptions`](crate::ServerOptions) has the same with options.
///
/// ```no_run
/// use asyncio_streams::{Error, Reader, Writer, start_server};
///
/// async fn serve() -> Result<(), Error> {
///     start_server(["127.0.0.1", "::1"], 8888).await?.serve_forever(echo).await
/// }
///
/// async fn echo(reader: Reader, writer: Writer) -> Result<(), Error> {
///     let mut lines = reader.lines();
///     while let Some(line) = lines.next().await? {
///         writer.send(line).await?;
///     }
///     Ok(())
/// }
/// ```
///
/// # Errors
/// - [`Error::InvalidArgument`]: a host holds a NUL.
/// - [`Error::Network`]: a name does not resolve, an address is taken, none of them is this
///   machine's, the host does not grant it, or sockets have run out; the code says which.
///
/// An address or a family that this machine does not have is left out, unless none is left. When
/// any other cannot be bound, there is no server.
///
/// Dropping the call closes what was bound.
pub async fn start_server(
    hosts: impl IntoIterator<Item = impl Into<String>>,
    port: u16,
) -> Result<Server, Error> {
    let hosts = hosts.into_iter().map(Into::into).collect();
    Ok(backend::start_server(hosts, port, None).await?.into())
}

/// Listening sockets, and the connections that came through them: its clients. asyncio's `Server`.
///
/// A connection that dies before it is accepted is skipped, and out of descriptors the server
/// pauses: neither ends it.
///
/// Dropping a server closes it as [`close`](Server::close) does, and no call waits.
#[derive(Debug)]
pub struct Server {
    pub(crate) inner: backend::Server,
}

impl Server {
    /// Accepts clients and runs `handler` for each, all at once, until the server is closed; then
    /// waits for the handlers that still run. asyncio's `serve_forever`.
    ///
    /// A handler that returns drops its sides of the connection, which closes it: everything queued
    /// still goes out. When one fails, the server prints its error to standard error, on one line
    /// and [escaped](crate::cli::escaped), and goes on.
    ///
    /// # Errors
    /// - [`Error::Busy`]: another accept is pending.
    ///
    /// Dropping it drops all handlers, which closes their connections.
    pub async fn serve_forever<H, F>(&self, handler: H) -> Result<(), Error>
    where
        H: Fn(Reader, Writer) -> F,
        F: Future<Output: Outcome>,
    {
        let mut clients = FutureSet::new();
        let error = loop {
            let mut accept = pin!(self.accept());
            let accepted = poll_fn(|cx| {
                let _ = clients.poll(cx);
                accept.as_mut().poll(cx)
            })
            .await;
            match accepted {
                Ok((reader, writer)) => clients.push(Box::pin(handle(&handler, reader, writer))),
                Err(error) => break error,
            }
        };
        poll_fn(|cx| clients.poll(cx)).await;
        match error {
            Error::Closed => Ok(()),
            error => Err(error),
        }
    }

    /// Waits for the next client. Dropping the call takes no connection.
    ///
    /// It waits too while the server does not listen yet, and while `max_connections` are open.
    ///
    /// # Errors
    /// - [`Error::Busy`]: another accept is pending.
    /// - [`Error::Closed`]: after `close`.
    /// - [`Error::Cancelled`]: [`cancel`](Server::cancel) ended it.
    pub async fn accept(&self) -> Result<(Reader, Writer), Error> {
        loop {
            if let Some(connection) = self.try_accept()? {
                return Ok(connection);
            }
            self.wait_connection().await?;
        }
    }

    /// Waits until `try_accept` would answer, and takes nothing.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Closed`] and [`Error::Cancelled`].
    pub async fn wait_connection(&self) -> Result<(), Error> {
        backend::wait_connection(&self.inner).await
    }

    /// [`accept`](Server::accept) without waiting; none when it would have to wait.
    ///
    /// # Errors
    /// Those of `accept`, except `Cancelled`.
    pub fn try_accept(&self) -> Result<Option<(Reader, Writer)>, Error> {
        Ok(self
            .inner
            .try_accept()?
            .map(|(reader, writer)| (reader.into(), writer.into())))
    }

    /// Ends the pending accept, if there is one, with `Cancelled`. The next call waits as usual.
    pub fn cancel(&self) {
        self.inner.cancel();
    }

    /// The addresses that it is bound to, with the ports really used; empty after `close`.
    pub fn sockets(&self) -> Vec<Address> {
        backend::sockets_of(&self.inner)
    }

    /// Returns whether it listens: from the start, or from `start_serving`, until `close`.
    pub fn is_serving(&self) -> bool {
        self.inner.is_serving()
    }

    /// Starts listening, if [`ServerOptions::start_serving`](crate::ServerOptions::start_serving)
    /// had put it off. Later calls do nothing.
    ///
    /// # Errors
    /// - [`Error::Closed`]: after `close`.
    /// - [`Error::Network`]: the system refused.
    pub fn start_serving(&self) -> Result<(), Error> {
        Ok(self.inner.start_serving()?)
    }

    /// Stops listening at once; clients go on. A pending accept ends with `Closed`.
    pub fn close(&self) {
        self.inner.close();
    }

    /// Calls `close` on the writer of every client. The server itself goes on.
    pub fn close_clients(&self) {
        self.inner.close_clients();
    }

    /// Calls `abort` on the writer of every client. The server itself goes on.
    pub fn abort_clients(&self) {
        self.inner.abort_clients();
    }

    /// Waits until the server is closed and no client is left. It closes nothing itself.
    pub async fn wait_closed(&self) {
        self.inner.wait_closed().await;
    }

    /// Closes the server, lets its clients finish for the time given, then aborts those that are
    /// left; returns how many it aborted. Dropping the call leaves the server closed and aborts no
    /// client.
    pub async fn shutdown(&self, grace: Duration) -> usize {
        length(self.inner.shutdown(nanoseconds(grace)).await)
    }
}

impl From<backend::Server> for Server {
    fn from(inner: backend::Server) -> Self {
        Server { inner }
    }
}

/// Serves one client to its end.
async fn handle<H, F>(handler: &H, reader: Reader, writer: Writer)
where
    H: Fn(Reader, Writer) -> F,
    F: Future<Output: Outcome>,
{
    let client = writer.inner.peer();
    if let Err(reason) = handler(reader, writer).await.into_result() {
        let client = client.map_or_else(
            || "a client".to_owned(),
            |address| format!("client {address}"),
        );
        // Without a standard error the message is lost.
        let line = format!("{client}: {reason}");
        let _ = cli::eprintln(cli::escaped(&line)).await;
    }
}
