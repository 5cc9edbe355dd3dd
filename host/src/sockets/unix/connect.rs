//! Connecting to a Unix socket.

use std::io;
use std::path::Path;
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::UnixStream;

use super::failure::{Failure, FailureCode};
use crate::network::{Named, Policy, UnixUse};

/// The pauses between two attempts while the server's queue is full. The system reports no event when it has room again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

/// Connects to a path that the policy grants.
pub(super) async fn connect(policy: &Policy, path: &[u8]) -> Result<UnixStream, Failure> {
    let named = Named::parse(path)?;
    let (mut pause, longest) = PAUSES;
    loop {
        // Links may have changed meanwhile.
        let resolved = policy.check_unix(&named, UnixUse::Connect)?;
        match attempt(&resolved) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                tokio::time::sleep(pause).await;
                pause = pause.saturating_mul(2).min(longest);
            }
            Err(error) => return Err(explain(error, &resolved)),
            Ok(stream) => return Ok(stream),
        }
    }
}

/// Tries once. A full queue is `WouldBlock`.
fn attempt(named: &Named) -> io::Result<UnixStream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.connect(&address(named)?)?;
    UnixStream::from_std(socket.into())
}

/// Returns the system's address of a path.
///
/// # Errors
/// `InvalidInput` if it is too long.
pub(super) fn address(named: &Named) -> io::Result<SockAddr> {
    let address = match named {
        Named::File(path) => SockAddr::unix(path),
        Named::Abstract(name) => {
            use std::os::unix::ffi::OsStrExt as _;
            let bytes = [&[0], name.as_slice()].concat();
            SockAddr::unix(Path::new(std::ffi::OsStr::from_bytes(&bytes)))
        }
    };
    address.map_err(|_| io::ErrorKind::InvalidInput.into())
}

/// Adds the kind of a file that is there instead of a socket: the system reports only that the connection was refused.
fn explain(error: io::Error, named: &Named) -> Failure {
    if let (io::ErrorKind::ConnectionRefused, Named::File(path)) = (error.kind(), named)
        && let Some(what) = other_than_socket(path)
    {
        let message = format!("{what} is there, no socket");
        return Failure::new(FailureCode::ConnectionRefused, message);
    }
    error.into()
}

/// Returns the kind of file at a path, unless it is a socket.
pub(super) fn other_than_socket(path: &Path) -> Option<&'static str> {
    use std::os::unix::fs::FileTypeExt as _;
    let kind = std::fs::symlink_metadata(path).ok()?.file_type();
    match kind {
        kind if kind.is_socket() => None,
        kind if kind.is_dir() => Some("a folder"),
        kind if kind.is_symlink() => Some("a link"),
        _ => Some("a file"),
    }
}
