//! The exported functions and resources.

mod bulk;
mod event;
mod numbers;
mod options;
mod reader;
mod requests;
mod server;
mod tls;
mod watch;
mod writer;

use asyncio_streams_engine::types as engine_types;
use asyncio_streams_engine::{self as engine};
use asyncio_streams_wasi02::bindings::wasi::io::streams::{InputStream, OutputStream};
use asyncio_streams_wasi02::{Ended, Timeout, block_on, sink, source};

use crate::{Component, blocking, types::Error};

impl blocking::Guest for Component {
    type Reader = reader::Reader;
    type Writer = writer::Writer;
    type ConnectOptions = options::ConnectOptions;
    type ServerOptions = options::ServerOptions;
    type Server = server::Server;
    type Watch = watch::Watch;

    fn wait_any(events: Vec<blocking::Event<'_>>, timeout: Option<u64>) -> Result<Vec<u32>, Error> {
        let events = events.iter().map(event::Event::new);
        let events: Vec<_> = events.collect::<Result<_, _>>()?;
        watch::wait_any(events, timeout)
    }

    fn open_connection(
        host: String,
        port: u16,
        options: Option<blocking::ConnectOptionsBorrow<'_>>,
    ) -> Result<(blocking::Reader, blocking::Writer), Error> {
        let options = options::connect(options);
        let engine = crate::engine();
        wait(engine.open_connection(&host, port, options), None).map(pair)
    }

    fn start_server(
        hosts: Vec<String>,
        port: u16,
        options: Option<blocking::ServerOptionsBorrow<'_>>,
        timeout: Option<u64>,
    ) -> Result<blocking::Server, Error> {
        let options = options::serve(options);
        let engine = crate::engine();
        wait(engine.start_server(&hosts, port, options), timeout).map(server::export)
    }

    fn from_stream(data: InputStream, limit: u32) -> Result<blocking::Reader, Error> {
        let reader = crate::engine().from_stream(source(data), limit)?;
        Ok(reader::export(reader))
    }

    fn wrap(
        incoming: InputStream,
        outgoing: OutputStream,
        options: Option<blocking::ConnectOptionsBorrow<'_>>,
    ) -> Result<(blocking::Reader, blocking::Writer), Error> {
        let streams = || (source(incoming), sink(outgoing));
        let wrapped = crate::engine().wrap(streams, options::connect(options))?;
        Ok(pair(wrapped))
    }

    fn linger(timeout: Option<u64>) -> bool {
        let engine = crate::engine();
        block_on(engine.linger(), Timeout::new(timeout)).is_ok()
    }
}

/// Waits for a call of the engine, and converts its error.
fn wait<T>(
    call: impl Future<Output = Result<T, engine_types::Error>>,
    timeout: Option<u64>,
) -> Result<T, Error> {
    match block_on(call, Timeout::new(timeout)) {
        Ok(result) => result.map_err(Error::from),
        Err(Ended::TimedOut) => Err(Error::Cancelled),
        Err(Ended::Stuck) => Err(stuck()),
    }
}

/// Runs a wait of the engine; false when the timeout passed before.
fn wait_for(
    call: impl Future<Output = Result<(), engine_types::Error>>,
    timeout: Option<u64>,
) -> Result<bool, Error> {
    match wait(call, timeout) {
        Ok(()) => Ok(true),
        Err(Error::Cancelled) => Ok(false),
        Err(error) => Err(error),
    }
}

#[inline(never)]
fn stuck() -> Error {
    Error::NotSupported(
        "a wait that nothing can end: it needs a timeout, or a close or `start-serving` before it"
            .into(),
    )
}

/// Exports a reader and a writer.
fn pair(
    (reader, writer): (engine::Reader, engine::Writer),
) -> (blocking::Reader, blocking::Writer) {
    (reader::export(reader), writer::export(writer))
}
