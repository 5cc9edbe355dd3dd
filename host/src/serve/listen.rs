//! The listeners of the host.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use socket2::{Domain, Socket, Type};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::sockets::unix::SocketFile;
use crate::sockets::{Handed, Names, Stream};
use crate::text::Escaped;

/// Connections that may wait in the system for each listener. The system may allow fewer.
const BACKLOG: i32 = 4096;

/// A place to listen: `ADDR:PORT` or `unix:PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Listen {
    /// An address and a port; port 0 is a free one that the system chooses.
    Tcp(SocketAddr),
    /// A path in the file system. Anyone who may write to the socket file may connect.
    Unix(PathBuf),
}

/// The reason why a text is not a [`Listen`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not ADDR:PORT or unix:PATH: {reason}", Escaped(text))]
pub struct ListenParseError {
    text: String,
    reason: &'static str,
}

impl FromStr for Listen {
    type Err = ListenParseError;

    fn from_str(text: &str) -> Result<Self, ListenParseError> {
        let reason = if let Some(path) = text.strip_prefix("unix:") {
            match path {
                "" => "the path is missing",
                path => return Ok(Self::Unix(path.into())),
            }
        } else if let Ok(address) = text.parse() {
            return Ok(Self::Tcp(address));
        } else if text.parse::<std::net::Ipv6Addr>().is_ok() {
            "an IPv6 address stands in brackets, followed by `:` and the port"
        } else if text.starts_with(':') {
            "the address is missing; `0.0.0.0` is every IPv4 address, `[::]` every IPv6 address"
        } else if !text.contains(':') {
            "the port is missing; port 0 is a free one"
        } else {
            "expected an IP address, not a name, and a port up to 65535"
        };
        Err(ListenParseError {
            text: text.to_owned(),
            reason,
        })
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", Escaped(&path.to_string_lossy())),
        }
    }
}

/// The reason why the host cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {on}: {reason}")]
pub struct ListenError {
    on: String,
    reason: String,
}

impl ListenError {
    fn new(on: impl fmt::Display, reason: impl fmt::Display) -> Self {
        Self {
            on: on.to_string(),
            reason: reason.to_string(),
        }
    }
}

/// A listening socket of the host, TCP or Unix. Dropping it stops listening, and removes the file of a Unix socket
/// unless another process replaced it.
#[derive(Debug)]
pub struct Listener {
    socket: Listening,
    file: Option<SocketFile>,
}

#[derive(Debug)]
enum Listening {
    Tcp(std::net::TcpListener),
    Unix(UnixListener),
}

impl Listener {
    /// Starts to listen. A socket file without a listening process is replaced; any other file is left alone.
    ///
    /// # Errors
    /// A [`ListenError`] that names the address or the path.
    pub fn bind(on: &Listen) -> Result<Self, ListenError> {
        match on {
            Listen::Tcp(address) => tcp(*address)
                .and_then(Self::try_from)
                .map_err(|error| ListenError::new(on, error)),
            Listen::Unix(path) => unix(path).map_err(|reason| ListenError::new(on, reason)),
        }
    }

    /// Returns the address to which clients connect.
    ///
    /// # Errors
    /// When the system does not know it.
    pub fn address(&self) -> std::io::Result<Listen> {
        match &self.socket {
            Listening::Tcp(listener) => listener.local_addr().map(Listen::Tcp),
            Listening::Unix(listener) => {
                let address = listener.local_addr()?;
                Ok(Listen::Unix(
                    address.as_pathname().unwrap_or(Path::new("")).into(),
                ))
            }
        }
    }

    /// Returns the address that a program binds to get the connections of this listener: the listener's own address,
    /// or for a Unix socket `127.0.0.1` with `number` as the port.
    pub(super) fn address_for_program(&self, number: u16) -> std::io::Result<SocketAddr> {
        match &self.socket {
            Listening::Tcp(listener) => listener.local_addr(),
            Listening::Unix(_) => Ok((Ipv4Addr::LOCALHOST, number).into()),
        }
    }

    /// Registers the socket with the runtime of this thread.
    pub(super) fn watch(self) -> std::io::Result<AsyncFd<Self>> {
        // SAFETY: the listener owns its descriptor, keeps it until it is dropped, and registers it nowhere else.
        let watched = unsafe { AsyncFd::register_with_interest(self, Interest::READABLE) };
        watched.map_err(|error| error.into_parts().1)
    }

    /// Accepts a connection, without waiting.
    pub(super) fn accept(&self, listener: usize, local: SocketAddr) -> std::io::Result<Handed> {
        let (stream, names) = match &self.socket {
            Listening::Tcp(listener) => (Stream::Tcp(listener.accept()?.0), None),
            Listening::Unix(listener) => {
                let names = Names {
                    local,
                    peer: (Ipv4Addr::LOCALHOST, 0).into(),
                };
                (Stream::Unix(listener.accept()?.0), Some(names))
            }
        };
        Ok(Handed {
            stream,
            names,
            listener,
        })
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.socket {
            Listening::Tcp(listener) => listener.as_fd(),
            Listening::Unix(listener) => listener.as_fd(),
        }
    }
}

impl AsRawFd for Listener {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl TryFrom<std::net::TcpListener> for Listener {
    type Error = std::io::Error;

    fn try_from(listener: std::net::TcpListener) -> std::io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self {
            socket: Listening::Tcp(listener),
            file: None,
        })
    }
}

impl TryFrom<UnixListener> for Listener {
    type Error = std::io::Error;

    fn try_from(listener: UnixListener) -> std::io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self {
            socket: Listening::Unix(listener),
            file: None,
        })
    }
}

/// Takes a socket that was passed to this process, such as one of systemd's.
impl TryFrom<std::os::fd::OwnedFd> for Listener {
    type Error = std::io::Error;

    fn try_from(descriptor: std::os::fd::OwnedFd) -> std::io::Result<Self> {
        let socket = Socket::from(descriptor);
        if !socket.is_listener()? || socket.r#type()? != Type::STREAM {
            return Err(std::io::Error::other("it is not a listening stream socket"));
        }
        match socket.domain()? {
            Domain::UNIX => UnixListener::from(std::os::fd::OwnedFd::from(socket)).try_into(),
            _ => std::net::TcpListener::from(socket).try_into(),
        }
    }
}

fn tcp(address: SocketAddr) -> std::io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // After a restart, connections of the previous process may still be in TIME_WAIT.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // As in WASI: to serve IPv4 as well, a program listens on both.
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn unix(path: &Path) -> Result<Listener, String> {
    if let Ok(about) = std::fs::symlink_metadata(path) {
        if !about.file_type().is_socket() {
            let what = match about.is_dir() {
                true => "a folder",
                false => "a file that is no socket",
            };
            return Err(format!("it is {what}; choose another path or remove it"));
        }
        match UnixStream::connect(path) {
            Ok(_) => return Err("another process listens there".to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                std::fs::remove_file(path)
                    .map_err(|error| format!("the old socket cannot be removed: {error}"))?;
            }
            Err(error) => return Err(format!("another socket is there: {error}")),
        }
    }
    let listener = UnixListener::bind(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidInput => {
            format!("{error}; the system allows some 100 bytes for the path")
        }
        _ => error.to_string(),
    })?;
    let file = SocketFile::of(path).map_err(|error| error.to_string())?;
    let mut listener = Listener::try_from(listener).map_err(|error| error.to_string())?;
    listener.file = Some(file);
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_paths_are_read_and_shown() {
        for text in ["127.0.0.1:80", "[::1]:0", "unix:/run/a b.sock"] {
            let listen: Listen = text.parse().expect(text);
            assert_eq!(listen.to_string(), text);
        }
    }

    #[test]
    fn other_texts_say_what_is_missing() {
        for (text, reason) in [
            ("localhost:80", "expected an IP address"),
            (":80", "the address is missing"),
            ("127.0.0.1", "the port is missing"),
            ("::1", "in brackets"),
            ("127.0.0.1:65536", "up to 65535"),
            ("unix:", "the path is missing"),
            ("\u{1b}[2J:1", "expected an IP address"),
        ] {
            let error = text.parse::<Listen>().expect_err(text).to_string();
            assert!(error.contains(reason), "{error}");
            assert!(!error.contains('\u{1b}'), "{error:?}");
        }
    }

    #[test]
    fn a_stale_socket_is_replaced_and_everything_else_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("socket");
        let on = Listen::Unix(path.clone());
        // A process that was killed leaves its socket file.
        drop(UnixListener::bind(&path).expect("a socket"));
        let listener = Listener::bind(&on).expect("it listens");
        let error = Listener::bind(&on).expect_err("taken").to_string();
        assert!(error.contains("another process listens there"), "{error}");
        drop(listener);
        assert!(!path.exists(), "its file goes with it");

        let listener = Listener::bind(&on).expect("it listens");
        std::fs::remove_file(&path).expect("removed");
        std::fs::write(&path, "not a socket").expect("written");
        drop(listener);
        assert!(path.exists(), "another's file stays");
        let error = Listener::bind(&on).expect_err("a file").to_string();
        assert!(error.contains("a file that is no socket"), "{error}");
        let error = Listener::bind(&Listen::Unix(folder.path().into()))
            .expect_err("a folder")
            .to_string();
        assert!(error.contains("a folder"), "{error}");
        let long = folder.path().join("x".repeat(200));
        let error = Listener::bind(&Listen::Unix(long))
            .expect_err("long")
            .to_string();
        assert!(error.contains("100 bytes"), "{error}");
    }
}
