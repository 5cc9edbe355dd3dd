//! Making connections.

use std::time::Duration;

use crate::backend;
use crate::reader::size;
use crate::time::nanoseconds;
use crate::tls::ClientTls;
use crate::{AddressFamily, ByteReader, ClientConfig, Error, Reader, Writer};

/// The most bytes that a line may have before its separator, unless set otherwise.
pub const DEFAULT_LIMIT: usize = 65_536;

/// Opens a TCP connection to a host by name or address.
///
/// A name needs the host's leave to look it up (`-S allow-ip-name-lookup` for `wasmtime run`). All
/// of its addresses are tried, alternating between the families, the next one starting when the one
/// before has failed or has not answered for 250 ms; the first that connects wins.
/// [`ConnectOptions`] has the same with options.
///
/// # Errors
/// - [`Error::InvalidArgument`]: `host` is empty or has a NUL; `port` is 0.
/// - [`Error::Network`]: the name does not resolve, the host does not grant the network, or the
///   component has as many connections as it can; the code says which.
/// - [`Error::Connect`]: every address failed; one entry for each.
///
/// Dropping the call closes all attempts.
pub async fn open_connection(host: &str, port: u16) -> Result<(Reader, Writer), Error> {
    let (reader, writer) = backend::open_connection(host.to_owned(), port, None).await?;
    Ok((reader.into(), writer.into()))
}

/// Makes a connection over any pair of byte streams: a pipe, another component,
/// [`byte_stream`](crate::byte_stream).
///
/// The reader reads from `incoming`, and the writer sends to the stream returned. That stream ends
/// when the writer ends; if its reader drops it before, the connection is lost with `BrokenPipe`.
///
/// # Errors
/// - [`Error::Network`]: the component has as many connections as it may (`OutOfResources`).
pub async fn wrap(incoming: ByteReader) -> Result<(Reader, Writer, ByteReader), Error> {
    backend::wrap(incoming, None).await
}

/// Makes a reader over any byte stream; its end is a clean end.
///
/// `limit` is the most bytes that a line may have before its separator; [`DEFAULT_LIMIT`] is usual.
///
/// # Errors
/// - [`Error::InvalidArgument`]: `limit` is 0.
pub async fn from_stream(data: ByteReader, limit: usize) -> Result<Reader, Error> {
    backend::from_stream(data, size(limit)).await
}

/// The options of a new connection; an option that is not set has its default. asyncio's keyword
/// arguments.
///
/// ```no_run
/// # async fn f() -> Result<(), asyncio_streams::Error> {
/// use asyncio_streams::ConnectOptions;
/// use std::time::Duration;
///
/// let options = ConnectOptions::new().limit(1 << 20).deadline(Duration::from_secs(10));
/// let (reader, writer) = options.open_connection("192.0.2.1", 80).await?;
/// # Ok(()) }
/// ```
///
/// Nothing is checked before a connection is made with it: a wrong value shows there, as
/// [`Error::InvalidArgument`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectOptions {
    limit: Option<usize>,
    max_result: Option<usize>,
    max_queued: Option<usize>,
    family: Option<AddressFamily>,
    local_addresses: Vec<(String, u16)>,
    happy_eyeballs_delay: Option<Option<Duration>>,
    interleave: Option<u32>,
    deadline: Option<Option<Duration>>,
    close_deadline: Option<Option<Duration>>,
    keep_alive: Option<KeepAlive>,
    tls: Option<ClientTls>,
    server_name: Option<String>,
}

/// How the system probes an idle peer; what is none is the system's choice. It may round: to whole
/// seconds of 1 to 32,767, and to 1 to 127 probes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepAlive {
    /// When the probes start, after the last that was heard.
    pub idle: Option<Duration>,
    /// How far apart they are.
    pub interval: Option<Duration>,
    /// The number that may fail before the connection is lost.
    pub count: Option<u32>,
}

impl ConnectOptions {
    /// Every option at its default.
    pub fn new() -> Self {
        ConnectOptions::default()
    }

    /// The most bytes that a line may have before its separator; [`DEFAULT_LIMIT`] by default, at
    /// least 1.
    pub fn limit(mut self, bytes: usize) -> Self {
        self.limit = Some(bytes);
        self
    }

    /// The most bytes that one result of a read may have; 64 MiB by default, at least 1.
    pub fn max_result(mut self, bytes: usize) -> Self {
        self.max_result = Some(bytes);
        self
    }

    /// The most bytes that may wait to be sent; 64 MiB by default, at least 1.
    pub fn max_queued(mut self, bytes: usize) -> Self {
        self.max_queued = Some(bytes);
        self
    }

    /// Sets which addresses to use; any by default.
    pub fn family(mut self, family: AddressFamily) -> Self {
        self.family = Some(family);
        self
    }

    /// Adds an address of this machine to connect from, port 0 for a free one; without any, the
    /// system chooses.
    ///
    /// For each remote address, the local ones of its family are tried in the order in which they
    /// were added.
    pub fn local_address(mut self, host: &str, port: u16) -> Self {
        self.local_addresses.push((host.to_owned(), port));
        self
    }

    /// Sets how long an attempt goes on alone before the next address is tried beside it; 250 ms by
    /// default (RFC 8305).
    ///
    /// Zero starts all at once; none tries the next address only when the one before has failed.
    pub fn happy_eyeballs_delay(mut self, delay: impl Into<Option<Duration>>) -> Self {
        self.happy_eyeballs_delay = Some(delay.into());
        self
    }

    /// The number of addresses of the first family that are tried before the families alternate; 1 by
    /// default, 0 keeps the order of the name service.
    pub fn interleave(mut self, first_family_count: u32) -> Self {
        self.interleave = Some(first_family_count);
        self
    }

    /// Sets how long [`open_connection`](ConnectOptions::open_connection) may take in all; none, the
    /// default, leaves it to the system. When it passes, the call ends with
    /// [`Error::DeadlineExceeded`].
    pub fn deadline(mut self, deadline: impl Into<Option<Duration>>) -> Self {
        self.deadline = Some(deadline.into());
        self
    }

    /// Sets how long `close` may take to send what is queued; 30 s by default, none is without end.
    pub fn close_deadline(mut self, deadline: impl Into<Option<Duration>>) -> Self {
        self.close_deadline = Some(deadline.into());
        self
    }

    /// Makes the system probe an idle peer; by default it does not.
    pub fn keep_alive(mut self, keep_alive: KeepAlive) -> Self {
        self.keep_alive = Some(keep_alive);
        self
    }

    /// Protects the connection by TLS: it is given after the handshake. The server's certificate must
    /// be for the host that is connected to, unless [`server_name`](ConnectOptions::server_name) says
    /// otherwise.
    pub fn tls(mut self, config: &ClientConfig) -> Self {
        self.tls = Some(ClientTls::new(config));
        self
    }

    /// The name or the address that the server's certificate must be for, when it is not the host that
    /// is connected to. Without [`tls`](ConnectOptions::tls) it has no effect.
    pub fn server_name(mut self, name: &str) -> Self {
        self.server_name = Some(name.to_owned());
        self
    }

    /// [`open_connection`](crate::open_connection) with these options.
    ///
    /// # Errors
    /// Those of the function; also [`Error::InvalidArgument`] for an option, and
    /// [`Error::DeadlineExceeded`].
    pub async fn open_connection(&self, host: &str, port: u16) -> Result<(Reader, Writer), Error> {
        let options = self.to_backend()?;
        let opened = backend::open_connection(host.to_owned(), port, Some(&options)).await;
        let (reader, writer) = opened?;
        Ok((reader.into(), writer.into()))
    }

    /// [`wrap`](crate::wrap) with these options: the limits, the bounds and the close deadline
    /// count.
    ///
    /// # Errors
    /// - [`Error::InvalidArgument`]: an option.
    pub async fn wrap(&self, incoming: ByteReader) -> Result<(Reader, Writer, ByteReader), Error> {
        let options = self.to_backend()?;
        backend::wrap(incoming, Some(&options)).await
    }

    /// Makes the implementation's options.
    pub(crate) fn to_backend(&self) -> Result<backend::ConnectOptions, Error> {
        #[allow(
            unused_mut,
            clippy::allow_attributes,
            reason = "the setters of a resource take a shared reference"
        )]
        let mut raw = backend::ConnectOptions::new();
        if let Some(bytes) = self.limit {
            raw.set_limit(size(bytes))?;
        }
        if let Some(bytes) = self.max_result {
            raw.set_max_result(size(bytes))?;
        }
        if let Some(bytes) = self.max_queued {
            raw.set_max_queued(size(bytes))?;
        }
        if let Some(family) = self.family {
            raw.set_family(backend::family(family));
        }
        for (host, port) in &self.local_addresses {
            raw.add_local_address(host, *port);
        }
        if let Some(delay) = self.happy_eyeballs_delay {
            raw.set_happy_eyeballs_delay(delay.map(nanoseconds));
        }
        if let Some(count) = self.interleave {
            raw.set_interleave(count);
        }
        if let Some(deadline) = self.deadline {
            raw.set_deadline(deadline.map(nanoseconds));
        }
        if let Some(deadline) = self.close_deadline {
            raw.set_close_deadline(deadline.map(nanoseconds));
        }
        if let Some(KeepAlive {
            idle,
            interval,
            count,
        }) = self.keep_alive
        {
            raw.set_keep_alive(true);
            raw.set_keep_alive_times(idle.map(nanoseconds), interval.map(nanoseconds), count)?;
        }
        if let Some(tls) = &self.tls {
            tls.set(&mut raw, self.server_name.as_deref())?;
        }
        Ok(raw)
    }
}
