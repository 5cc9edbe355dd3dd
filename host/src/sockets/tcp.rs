//! The states of a `tcp-socket`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket};
use wasmtime_wasi::p3::bindings::sockets::types::{ErrorCode, IpAddressFamily};
use wasmtime_wasi::sockets::SocketAddrUse;

use super::accept::Accept;
use super::given::Given;
use super::socket::{Socket, Transport};
use super::tcp_connections::{Source, TcpConnections};
use crate::network::Policy;

/// The default backlog of a listener.
const BACKLOG: u32 = 128;

/// The host's `tcp-socket`.
#[allow(unreachable_pub, reason = "generated code exports it again")]
pub struct Tcp {
    state: State,
    family: IpAddressFamily,
    backlog: u32,
    bound: bool,
}

enum State {
    /// Neither listening nor connected.
    Fresh(TcpSocket),
    /// Bound to an address on which the host listens.
    Given(Given),
    Listening(Arc<TcpListener>),
    /// Listening on an address of the host.
    ListeningGiven(SocketAddr),
    Connecting,
    Connected {
        socket: Arc<Socket>,
        receiving: bool,
        sending: bool,
    },
    Failed(ErrorCode),
}

type Result<T> = std::result::Result<T, ErrorCode>;

impl Tcp {
    pub(super) fn create(family: IpAddressFamily) -> Result<Self> {
        let socket = match family {
            IpAddressFamily::Ipv4 => TcpSocket::new_v4()?,
            IpAddressFamily::Ipv6 => {
                let socket = TcpSocket::new_v6()?;
                SockRef::from(&socket).set_only_v6(true)?;
                socket
            }
        };
        Ok(Self {
            state: State::Fresh(socket),
            family,
            backlog: BACKLOG,
            bound: false,
        })
    }

    /// Makes a socket from a listener's connection, or from the error of accepting it.
    pub(super) fn accepted(accepted: Result<Socket>, family: IpAddressFamily) -> Self {
        let state = match accepted {
            Ok(mut socket) => {
                socket.accepted();
                State::connected(socket)
            }
            Err(code) => State::Failed(code),
        };
        Self {
            state,
            family,
            backlog: BACKLOG,
            bound: true,
        }
    }

    /// Checks the requirements of binding on the socket and the address, apart from grants.
    pub(super) fn check_bind(&self, address: SocketAddr) -> Result<()> {
        if self.bound || !matches!(self.state, State::Fresh(_)) {
            return Err(ErrorCode::InvalidState);
        }
        if is_unicast(address.ip()) && self.is_of_family(address.ip()) {
            return Ok(());
        }
        Err(ErrorCode::InvalidArgument)
    }

    /// Binds to an address on which the host listens.
    pub(super) fn bind_given(&mut self, given: Given) {
        self.state = State::Given(given);
        self.bound = true;
    }

    /// Binds; the caller has checked the arguments.
    pub(super) fn bind(&mut self, address: SocketAddr) -> Result<()> {
        let State::Fresh(socket) = &self.state else {
            return Err(ErrorCode::InvalidState);
        };
        bind(socket, address)?;
        self.bound = true;
        Ok(())
    }

    /// Returns the socket to connect with. Until [`Tcp::connected`] is called, all other operations fail.
    pub(super) fn start_connect(
        &mut self,
        address: SocketAddr,
        policy: &Policy,
    ) -> Result<TcpSocket> {
        let State::Fresh(_) = &self.state else {
            return Err(ErrorCode::InvalidState);
        };
        let remote = !address.ip().to_canonical().is_unspecified() && address.port() != 0;
        if !remote || !is_unicast(address.ip()) || !self.is_of_family(address.ip()) {
            return Err(ErrorCode::InvalidArgument);
        }
        let State::Fresh(socket) = std::mem::replace(&mut self.state, State::Connecting) else {
            return Err(ErrorCode::InvalidState);
        };
        // Connecting also binds. A denial of either one ends the socket.
        let granted = (self.bound || policy.check(self.any_address(), SocketAddrUse::TcpBind))
            && policy.check(address, SocketAddrUse::TcpConnect);
        if granted {
            return Ok(socket);
        }
        self.state = State::Failed(ErrorCode::AccessDenied);
        Err(ErrorCode::AccessDenied)
    }

    pub(super) fn connected(&mut self, stream: io::Result<tokio::net::TcpStream>) -> Result<()> {
        match stream {
            Ok(stream) => {
                self.state = State::connected(Socket::new(Transport::Tcp(stream), None, None));
                Ok(())
            }
            Err(error) => {
                let code = ErrorCode::from(error);
                self.state = State::Failed(code.clone());
                Err(code)
            }
        }
    }

    /// Starts to listen, and returns the connections of the listener.
    pub(super) fn listen(&mut self, policy: &Arc<Policy>) -> Result<Accept<TcpConnections>> {
        let family = self.family;
        let accept = |source| Accept::new(TcpConnections { source, family });
        match std::mem::replace(&mut self.state, State::Connecting) {
            State::Given(given) => {
                self.state = State::ListeningGiven(given.address);
                (given.on_listen)();
                Ok(accept(Source::Given(given.queue)))
            }
            State::Fresh(socket) => {
                let granted = self.check_listen(&socket, policy);
                let listener = granted.and_then(|()| Ok(socket.listen(self.backlog)?));
                match listener {
                    Ok(listener) => {
                        let listener = Arc::new(listener);
                        self.state = State::Listening(Arc::clone(&listener));
                        Ok(accept(Source::Own(listener, Arc::clone(policy))))
                    }
                    Err(code) => {
                        self.state = State::Failed(code.clone());
                        Err(code)
                    }
                }
            }
            State::Failed(code) => {
                self.state = State::Failed(code.clone());
                Err(code)
            }
            other => {
                self.state = other;
                Err(ErrorCode::InvalidState)
            }
        }
    }

    /// Checks listening: a socket that is not bound listens on a free port of every address, if that is granted.
    fn check_listen(&mut self, socket: &TcpSocket, policy: &Policy) -> Result<()> {
        let any = self.any_address();
        let address = match self.bound {
            true => socket.local_addr()?,
            false if !policy.check(any, SocketAddrUse::TcpBind) => {
                return Err(ErrorCode::AccessDenied);
            }
            false => any,
        };
        if !policy.check(address, SocketAddrUse::TcpListen) {
            return Err(ErrorCode::AccessDenied);
        }
        if !self.bound {
            bind(socket, any)?;
            self.bound = true;
        }
        Ok(())
    }

    /// Takes the connection for sending; possible once.
    pub(super) fn take_send(&mut self) -> Result<Arc<Socket>> {
        match &mut self.state {
            State::Connected {
                socket, sending, ..
            } if !*sending => {
                *sending = true;
                Ok(Arc::clone(socket))
            }
            State::Failed(code) => Err(code.clone()),
            _ => Err(ErrorCode::InvalidState),
        }
    }

    /// Takes the connection for receiving; possible once.
    pub(super) fn take_receive(&mut self) -> Result<Arc<Socket>> {
        match &mut self.state {
            State::Connected {
                socket, receiving, ..
            } if !*receiving => {
                *receiving = true;
                Ok(Arc::clone(socket))
            }
            State::Failed(code) => Err(code.clone()),
            _ => Err(ErrorCode::InvalidState),
        }
    }

    pub(super) fn local_address(&self) -> Result<SocketAddr> {
        match &self.state {
            State::Fresh(socket) if self.bound => Ok(socket.local_addr()?),
            State::Given(given) => Ok(given.address),
            State::ListeningGiven(address) => Ok(*address),
            State::Listening(listener) => Ok(listener.local_addr()?),
            State::Connected { socket, .. } => Ok(socket.local_address()?),
            State::Failed(code) => Err(code.clone()),
            State::Fresh(_) | State::Connecting => Err(ErrorCode::InvalidState),
        }
    }

    pub(super) fn remote_address(&self) -> Result<SocketAddr> {
        match &self.state {
            State::Connected { socket, .. } => Ok(socket.peer_address()?),
            State::Failed(code) => Err(code.clone()),
            _ => Err(ErrorCode::InvalidState),
        }
    }

    pub(super) fn is_listening(&self) -> bool {
        matches!(self.state, State::Listening(_) | State::ListeningGiven(_))
    }

    pub(super) fn family(&self) -> IpAddressFamily {
        self.family
    }

    /// Sets how many connections may wait; the system may allow fewer.
    pub(super) fn set_backlog(&mut self, backlog: u64) -> Result<()> {
        const MAX: u32 = i32::MAX.unsigned_abs();
        if backlog == 0 {
            return Err(ErrorCode::InvalidArgument);
        }
        let backlog = u32::try_from(backlog).unwrap_or(MAX).min(MAX);
        match &self.state {
            State::Fresh(_) | State::Given(_) | State::ListeningGiven(_) => {}
            // Listening again changes the backlog, where the system allows that.
            State::Listening(listener) => {
                let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
                SockRef::from(&**listener)
                    .listen(backlog)
                    .map_err(|_| ErrorCode::NotSupported)?;
            }
            State::Failed(code) => return Err(code.clone()),
            State::Connecting | State::Connected { .. } => return Err(ErrorCode::InvalidState),
        }
        self.backlog = backlog;
        Ok(())
    }

    /// Calls `act` with the system's socket, for its options.
    pub(super) fn with_socket<T>(
        &self,
        act: impl FnOnce(SockRef<'_>) -> io::Result<T>,
    ) -> Result<Option<T>> {
        let done = match &self.state {
            State::Fresh(socket) => act(SockRef::from(socket)),
            State::Listening(listener) => act(SockRef::from(&**listener)),
            State::Connected { socket, .. } => match socket.with_tcp(|tcp| act(SockRef::from(tcp)))
            {
                Ok(done) => done,
                // A Unix socket has no options of TCP.
                Err(_) => return Ok(None),
            },
            // The host chose the options of its listener.
            State::Given(_) | State::ListeningGiven(_) => return Ok(None),
            State::Connecting => return Err(ErrorCode::InvalidState),
            State::Failed(code) => return Err(code.clone()),
        };
        Ok(Some(done?))
    }

    fn any_address(&self) -> SocketAddr {
        let ip = match self.family {
            IpAddressFamily::Ipv4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddressFamily::Ipv6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        SocketAddr::new(ip, 0)
    }

    fn is_of_family(&self, ip: IpAddr) -> bool {
        match (self.family, ip) {
            (IpAddressFamily::Ipv4, IpAddr::V4(_)) => true,
            (IpAddressFamily::Ipv6, IpAddr::V6(ip)) => {
                ip.to_ipv4_mapped().is_none() && !is_ipv4_compatible(ip)
            }
            _ => false,
        }
    }
}

impl State {
    fn connected(socket: Socket) -> Self {
        Self::Connected {
            socket: Arc::new(socket),
            receiving: false,
            sending: false,
        }
    }
}

/// Returns whether this is an IPv4-compatible address. They were deprecated in 2006, and systems treat them
/// differently.
fn is_ipv4_compatible(ip: Ipv6Addr) -> bool {
    ip.segments().starts_with(&[0; 6]) && ip != Ipv6Addr::UNSPECIFIED && ip != Ipv6Addr::LOCALHOST
}

fn is_unicast(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => !ip.is_multicast() && !ip.is_broadcast(),
        IpAddr::V6(ip) => !ip.is_multicast(),
    }
}

fn bind(socket: &TcpSocket, address: SocketAddr) -> Result<()> {
    // Lets a listener restart while old connections of its port are in TIME_WAIT. On other systems the option has
    // another meaning.
    if cfg!(unix) {
        let _ = socket.set_reuseaddr(true);
    }
    Ok(socket.bind(address)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Network;

    #[tokio::test]
    async fn a_socket_reports_the_failure_of_listening_again() {
        let policy = Policy::new(Network::none());
        let mut socket = Tcp::create(IpAddressFamily::Ipv4).expect("a socket");
        for _ in 0..2 {
            let refused = socket.listen(&policy).err();
            assert!(
                matches!(refused, Some(ErrorCode::AccessDenied)),
                "{refused:?}"
            );
        }
    }
}
