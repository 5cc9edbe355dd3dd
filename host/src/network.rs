//! The network of a program: nothing, unless it is granted.

mod bind;
mod check;
mod endpoint;
mod lookup;
mod lookup_p2;
#[cfg(unix)]
mod unix;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::text::Escaped;

pub(crate) use bind::add_to_linker as add_bind_to_linker;
pub(crate) use check::Policy;
pub use endpoint::{Endpoint, EndpointError};
pub(crate) use lookup::{Lookup, LookupView};
pub(crate) use lookup_p2::{LookupP2, LookupP2View, PendingNames};
#[cfg(unix)]
pub use unix::UnixPath;
#[cfg(unix)]
pub(crate) use unix::{Named, PathError, UnixUse};

/// The network that a program gets.
///
/// ```
/// use asyncio_streams_host::Network;
///
/// let network = Network::none()
///     .allow_connect("smtp.example.org:25".parse()?)
///     .allow_listen("127.0.0.1:0".parse()?);
/// # Ok::<(), asyncio_streams_host::EndpointError>(())
/// ```
///
/// Grants:
///
/// * **Connecting** is allowed to the granted endpoints, from the local address and port that the system chooses. A
///   local address or port of the program's choice (`bind` before `connect`, asyncio's `local_addr`) requires a grant
///   to listen on it; for an address alone, with port 0.
/// * **Listening** is allowed on the granted endpoints, and every client of a granted listener is accepted. `0.0.0.0`
///   stands for every IPv4 address and `[::]` for every IPv6 address. Port 0 stands for a free port. The program may
///   ask for port 0, and again for a port that it received for port 0: a server on IPv4 and IPv6 asks for the same
///   port twice.
/// * **Names** may be looked up only when they are granted; `*` grants every name. A connection by name is allowed to
///   the addresses that the program's own look-up returned before, so a later answer of the name service cannot
///   differ. The host itself never looks up the names of granted endpoints. A text that cannot be a host's name is
///   not looked up.
/// * **UDP** requires [`Network::all`].
/// * **Unix sockets** are allowed on the granted paths, which `Network::all` does not include: they lead to services of
///   this machine. The path that a program names is one of the host, not of the folders that the program was given;
///   its links are resolved before it is compared. The check and the system's call are two steps: a process that can
///   rename the folders above a granted path, or put a link there, can lead the call elsewhere meanwhile. So grant no
///   path in a folder that the program may also change by [`Command::dir`](crate::Command::dir).
///
/// Everything else fails in the program as "access denied"; [`on_denied`](Network::on_denied) reports it to the
/// embedder.
#[derive(Clone, Default)]
pub struct Network {
    all: bool,
    connect: Vec<Endpoint>,
    listen: Vec<Endpoint>,
    #[cfg(unix)]
    unix_connect: Vec<UnixPath>,
    #[cfg(unix)]
    unix_listen: Vec<UnixPath>,
    on_denied: Option<Arc<OnDenied>>,
}

type OnDenied = dyn Fn(&Denied) + Send + Sync;

impl Network {
    /// No network. The default.
    pub fn none() -> Self {
        Self::default()
    }

    /// Grants everything that the host itself may do: TCP, UDP and look-ups, whatever the address.
    pub fn all() -> Self {
        Self {
            all: true,
            ..Self::default()
        }
    }

    /// Adds an endpoint to connect to.
    pub fn allow_connect(mut self, to: Endpoint) -> Self {
        self.connect.push(to);
        self
    }

    /// Adds an endpoint to listen on.
    pub fn allow_listen(mut self, on: Endpoint) -> Self {
        self.listen.push(on);
        self
    }

    /// Adds Unix sockets to connect to, for programs that are composed with `streams-unix.wasm`.
    #[cfg(unix)]
    pub fn allow_unix_connect(mut self, to: UnixPath) -> Self {
        self.unix_connect.push(to);
        self
    }

    /// Adds paths to listen on. A program may replace any socket that is there, and it creates and removes files.
    #[cfg(unix)]
    pub fn allow_unix_listen(mut self, on: UnixPath) -> Self {
        self.unix_listen.push(on);
        self
    }

    /// Calls `report` for each denial, from the thread that runs the program: it should return soon.
    pub fn on_denied(mut self, report: impl Fn(&Denied) + Send + Sync + 'static) -> Self {
        self.on_denied = Some(Arc::new(report));
        self
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            all,
            connect,
            listen,
            #[cfg(unix)]
            unix_connect,
            #[cfg(unix)]
            unix_listen,
            on_denied: _,
        } = self;
        let mut shown = f.debug_struct("Network");
        shown
            .field("all", all)
            .field("connect", connect)
            .field("listen", listen);
        #[cfg(unix)]
        shown
            .field("unix_connect", unix_connect)
            .field("unix_listen", unix_listen);
        shown.finish_non_exhaustive()
    }
}

/// A use of the network that was not granted.
///
/// It is displayed in one line without control characters, whatever text the program chose.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Denied {
    /// Connecting to this address.
    Connect(SocketAddr),
    /// Listening on this address, or binding to it; the port is 0 where the system chose it.
    Listen(SocketAddr),
    /// A look-up of this name, in ASCII and in lower case.
    Lookup(String),
    /// Sending to, receiving from or binding to this address by UDP.
    Udp(SocketAddr),
    /// Connecting to this Unix socket: a path after its links were resolved, or `@` and an abstract name. Bytes that
    /// are not UTF-8 are replaced.
    UnixConnect(String),
    /// Listening on this Unix socket, named in the same way. A link in the last part of the path is not resolved.
    UnixListen(String),
}

impl Denied {
    /// Returns the smallest grant that would have allowed it: for [`Network::allow_listen`] if it was to listen, else
    /// for [`Network::allow_connect`]. A look-up has no port, so its endpoint has any.
    ///
    /// Nothing grants UDP except [`Network::all`]. Unix sockets have no endpoint.
    pub fn endpoint(&self) -> Option<Endpoint> {
        match self {
            Self::Connect(address) | Self::Listen(address) => Some((*address).into()),
            Self::Lookup(name) => Endpoint::of_name(name),
            Self::Udp(_) | Self::UnixConnect(_) | Self::UnixListen(_) => None,
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(address) => write!(f, "connect to {address}"),
            Self::Listen(address) => write!(f, "listen on {address}"),
            Self::Lookup(name) => write!(f, "look-up of {}", Escaped(name)),
            Self::Udp(address) => write!(f, "UDP with {address}"),
            Self::UnixConnect(path) => write!(f, "connect to Unix socket {}", Escaped(path)),
            Self::UnixListen(path) => write!(f, "listen on Unix socket {}", Escaped(path)),
        }
    }
}
