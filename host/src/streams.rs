//! The streams interface, for callers in Rust.

mod client;
mod event_loop;
mod io;
mod lane;
mod options;
mod reader;
mod server;
mod writer;

use std::path::Path;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use wasmtime::Store;
use wasmtime::component::StreamReader;
use wasmtime_wasi::WasiCtxBuilder;

use self::client::{Call, Client, Handle};
use crate::compose::Part;
use crate::engine::{Engine, LoadError, read};
use crate::error::Error;
use crate::limits::Limits;
use crate::network::Network;
use crate::program::RunError;
use crate::state::State;
use crate::wit::ComponentPre;

pub use self::io::Incoming;
pub use self::options::{ConnectOptions, ServerOptions};
pub use self::reader::Reader;
pub use self::server::Server;
pub use self::writer::{PartialWrite, Writer};

/// The streams component, compiled: `streams.wasm`.
#[derive(Clone)]
pub struct StreamsComponent {
    engine: Engine,
    pre: ComponentPre<State>,
    name: String,
}

impl StreamsComponent {
    /// Compiles the component in a file.
    ///
    /// # Errors
    /// A [`LoadError`]: the file cannot be read, is no component, or does not export `asyncio:streams`.
    pub fn from_file(engine: &Engine, path: impl AsRef<Path>) -> Result<Self, LoadError> {
        Self::from_part(engine, &read(path)?)
    }

    /// Compiles the component from memory; `name` is for messages.
    ///
    /// # Errors
    /// As [`StreamsComponent::from_file`].
    pub fn from_bytes(
        engine: &Engine,
        name: impl Into<String>,
        bytes: &[u8],
    ) -> Result<Self, LoadError> {
        Self::from_part(engine, &Part::new(name, bytes))
    }

    fn from_part(engine: &Engine, part: &Part) -> Result<Self, LoadError> {
        let pre = engine.load(part)?;
        let component_type = pre.component().component_type();
        let exports = component_type
            .exports(engine.wasmtime())
            .map(|(export, _)| export.to_owned());
        let exports: Vec<String> = exports.collect();
        let name = part.name().to_owned();
        let pre = ComponentPre::new(pre).map_err(|_| LoadError::Missing {
            name: name.clone(),
            wanted: "asyncio:streams/streams@0.1.0",
            exports,
        })?;
        Ok(Self {
            engine: engine.clone(),
            pre,
            name,
        })
    }

    /// Makes an instance and starts its event loop, as a task of the current tokio runtime.
    ///
    /// The loop ends when every object of the instance was dropped and all queued output was sent.
    ///
    /// # Errors
    /// [`RunError::Trapped`] when the component cannot be instantiated, usually because of the limits.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O and time enabled.
    pub async fn start(&self, network: Network, limits: Limits) -> Result<Streams, RunError> {
        let mut store = State::store(
            self.engine.wasmtime(),
            WasiCtxBuilder::new(),
            network,
            &limits,
        );
        match self.pre.instantiate_async(&mut store).await {
            Ok(component) => Ok(Streams {
                client: Client::new(store, component),
            }),
            Err(error) => Err(RunError::new(
                &self.name,
                &error,
                store.data().memory().refused(),
            )),
        }
    }
}

/// A running instance of the streams component. Clones are the same instance.
///
/// It can be used from any number of tasks of the tokio runtime in which it was started, as can all its objects:
/// everything is `Send` and `Sync`. The component computes in one thread at a time, in the driver's task and in the
/// tasks that call it. It takes some microseconds each time; nothing blocks a thread for longer.
///
/// # Dropping and cancelling
///
/// Dropping a [`Reader`], a [`Writer`] or a [`Server`] drops it in the component soon afterwards, in no particular
/// order, with the meaning that it has there. Dropping the future of a call cancels the call. Reads and `accept` lose
/// nothing by it at any moment, so `tokio::time::timeout` and `select!` are safe around them; the next call
/// continues.
#[derive(Clone)]
pub struct Streams {
    client: Arc<Client>,
}

impl Streams {
    /// Opens a connection with the default options: [`ConnectOptions`].
    ///
    /// # Errors
    /// See [`Streams::open_connection_with`].
    pub async fn open_connection(&self, host: &str, port: u16) -> Result<(Reader, Writer), Error> {
        self.open_connection_with(host, port, &ConnectOptions::new())
            .await
    }

    /// Opens a connection to a name or numeric address.
    ///
    /// Dropping the future abandons the connection.
    ///
    /// # Errors
    /// [`Error::Connect`] has the reason for each address that was tried; [`Error::Network`] is returned when there
    /// is no address to try. [`Error::DeadlineExceeded`]; [`Error::InvalidArgument`], also for an option.
    pub async fn open_connection_with(
        &self,
        host: &str,
        port: u16,
        options: &ConnectOptions,
    ) -> Result<(Reader, Writer), Error> {
        let options = options.make(&self.client).await?;
        let guest = self.client.guest();
        let cancel = options.cancel(guest.connect_options().func_cancel(), (options.resource(),));
        let params = (host.to_owned(), port, Some(options.resource()));
        let shared = Arc::clone(self.client.shared());
        let call = options
            .call(guest.func_open_connection(), params)
            .or_cancel(cancel)
            .map(move |(result,), _| {
                Ok(result.map(|(reader, writer)| {
                    (Handle::new(reader, &shared), Handle::new(writer, &shared))
                }))
            });
        let (reader, writer) = self.client.call(call).await??;
        Ok((
            Reader::new(reader, &self.client),
            Writer::new(writer, &self.client),
        ))
    }

    /// Starts a server on each of `hosts` with the default options: see [`Streams::start_server_with`].
    ///
    /// # Errors
    /// See [`Streams::start_server_with`].
    pub async fn start_server(&self, hosts: &[&str], port: u16) -> Result<Server, Error> {
        self.start_server_with(hosts, port, &ServerOptions::new())
            .await
    }

    /// Starts a server on each of `hosts`, names or numeric addresses; an empty list is every interface. Port 0 is a
    /// free one, which [`Server::sockets`] returns.
    ///
    /// Dropping the future abandons the start.
    ///
    /// # Errors
    /// [`Error::Network`]; [`Error::InvalidArgument`], also for an option.
    pub async fn start_server_with(
        &self,
        hosts: &[&str],
        port: u16,
        options: &ServerOptions,
    ) -> Result<Server, Error> {
        let options = options.make(&self.client).await?;
        let guest = self.client.guest();
        let cancel = options.cancel(guest.server_options().func_cancel(), (options.resource(),));
        let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        let params = (hosts, port, Some(options.resource()));
        let shared = Arc::clone(self.client.shared());
        let call = options
            .call(guest.func_start_server(), params)
            .or_cancel(cancel);
        let call =
            call.map(move |(result,), _| Ok(result.map(|server| Handle::new(server, &shared))));
        let server = self.client.call(call).await??;
        Ok(Server::new(server, &self.client))
    }

    /// Makes a reader over any source of bytes: a file, a pipe, a Unix socket. `limit` is the longest line, in bytes;
    /// asyncio's is 65,536.
    ///
    /// An error of `source` is returned by reads that reach it, as [`Error::Network`].
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a limit of 0.
    pub async fn from_stream(
        &self,
        source: impl AsyncRead + Send + 'static,
        limit: u32,
    ) -> Result<Reader, Error> {
        let (producer, outcome) = io::producer(source);
        let stream =
            move |store: &mut Store<State>| Ok((StreamReader::new(store, producer)?, limit));
        let shared = Arc::clone(self.client.shared());
        let call = Call::with(self.client.guest().func_from_stream(), stream);
        let call =
            call.map(move |(result,), _| Ok(result.map(|reader| Handle::new(reader, &shared))));
        let reader = self.client.call(call).await??;
        Ok(Reader::over(reader, &self.client, outcome))
    }

    /// Makes a connection over any pair of byte streams: a Unix socket, TLS of the host, one side of
    /// [`tokio::io::duplex`]. Reads take from `incoming`. Writes go to `outgoing`, which is shut down after the last
    /// byte.
    ///
    /// The options about connecting are ignored.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for an option.
    pub async fn wrap(
        &self,
        incoming: impl AsyncRead + Send + 'static,
        outgoing: impl AsyncWrite + Send + 'static,
        options: &ConnectOptions,
    ) -> Result<(Reader, Writer), Error> {
        let options = options.make(&self.client).await?;
        let resource = options.resource();
        let (producer, outcome) = io::producer(incoming);
        let consumer = io::consumer(outgoing);
        let streams = move |store: &mut Store<State>| {
            Ok((StreamReader::new(store, producer)?, Some(resource)))
        };
        let shared = Arc::clone(self.client.shared());
        let call = Call::with(self.client.guest().func_wrap(), streams).borrow(options.handle());
        let call = call.map(move |(result,), store| match result {
            Ok((reader, writer, outgoing)) => {
                outgoing.pipe(store, consumer)?;
                Ok(Ok((
                    Handle::new(reader, &shared),
                    Handle::new(writer, &shared),
                )))
            }
            Err(error) => Ok(Err(error)),
        });
        let (reader, writer) = self.client.call(call).await??;
        Ok((
            Reader::over(reader, &self.client, outcome),
            Writer::new(writer, &self.client),
        ))
    }

    /// Waits until no closed connection can lose sent bytes when the process or the tokio runtime ends. It waits for
    /// each peer until the peer ends, is silent for 5 s (1 s after an answer), or 30 s have passed since the close.
    /// Call it last; it takes 35 s at most. Dropping the future ends the wait and nothing else.
    ///
    /// # Errors
    /// [`Error::Stopped`] when the component has stopped.
    pub async fn linger(&self) -> Result<(), Error> {
        let func = self.client.guest().func_linger();
        self.client.call(Call::new(func, ())).await
    }
}

/// The guarantees of [`Streams`].
const _: () = {
    const fn anywhere<T: Send + Sync + 'static>() {}
    anywhere::<Streams>();
    anywhere::<Reader>();
    anywhere::<Writer>();
    anywhere::<Server>();
    anywhere::<Incoming>();
    anywhere::<StreamsComponent>();
};
