//! What a program may do on the network: nothing, unless it is granted.

mod bind;
mod check;
mod endpoint;
mod lookup;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::text::Escaped;

pub(crate) use bind::add_to_linker as add_bind_to_linker;
pub(crate) use check::Policy;
pub use endpoint::{Endpoint, EndpointError};
pub(crate) use lookup::{Lookup, LookupView};

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
/// What a grant means:
///
/// * **Connecting** is allowed to the granted endpoints, from the local address and port that the system chooses. A
///   local address or port of the program's own choice (`bind` before `connect`, asyncio's `local_addr`) has to be
///   granted as listening on it, for an address alone with port 0.
/// * **Listening** is allowed on the granted endpoints, and every client of a granted listener is accepted.
///   `0.0.0.0` stands for every IPv4 address and `[::]` for every IPv6 address. Port 0 stands for a free port: the
///   program may ask for port 0, and for a port that it was given for port 0 before (a server on IPv4 and IPv6 at
///   once asks for the same one a second time).
/// * **A name** may be looked up when it is granted, and no other; `*` grants every name. A connection by name
///   is allowed to the addresses that such a look-up gave to the program before, so what the name service says
///   at that moment counts, and a second answer cannot differ. The names of a granted endpoint are never looked
///   up by the host itself. A text that can be no host's name is not looked up at all. Programs of WASI 0.2 can
///   look names up only where every host is granted.
/// * **UDP** comes only with [`Network::all`].
///
/// What is not granted fails in the program as "access denied"; [`on_denied`](Network::on_denied) tells the
/// embedder.
#[derive(Clone, Default)]
pub struct Network {
    all: bool,
    connect: Vec<Endpoint>,
    listen: Vec<Endpoint>,
    on_denied: Option<Arc<OnDenied>>,
}

type OnDenied = dyn Fn(&Denied) + Send + Sync;

impl Network {
    /// No network. The default.
    pub fn none() -> Self {
        Self::default()
    }

    /// Everything that the host itself may do: TCP, UDP and look-ups, whatever the address.
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

    /// Calls `report` each time something is denied, from the thread that runs the program: it should return soon.
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
            on_denied: _,
        } = self;
        f.debug_struct("Network")
            .field("all", all)
            .field("connect", connect)
            .field("listen", listen)
            .finish_non_exhaustive()
    }
}

/// Something that a program wanted to do and was not granted.
///
/// It is displayed in one line without control characters, whatever the program made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Denied {
    /// To connect to this address.
    Connect(SocketAddr),
    /// To listen on this address, or to bind to it; the port is 0 where the system chose it.
    Listen(SocketAddr),
    /// To look this name up, in ASCII and in lower case.
    Lookup(String),
    /// To send to, receive from or bind to this address by UDP.
    Udp(SocketAddr),
}

impl Denied {
    /// The endpoint that would have granted it, and no more than that: for [`Network::allow_listen`] if it was to
    /// listen, else for [`Network::allow_connect`]. A look-up has no port, so its endpoint has any.
    ///
    /// Nothing grants UDP except [`Network::all`].
    pub fn endpoint(&self) -> Option<Endpoint> {
        match self {
            Self::Connect(address) | Self::Listen(address) => Some((*address).into()),
            Self::Lookup(name) => Endpoint::of_name(name),
            Self::Udp(_) => None,
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
        }
    }
}
