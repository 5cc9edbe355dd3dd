//! Connecting to one of several addresses (RFC 8305, "Happy Eyeballs").

use std::future::poll_fn;
use std::net::SocketAddr;
use std::task::Poll;

use asyncio_streams_core::{HappyEyeballs, Step, interleave};
use asyncio_streams_task::Late;
use futures::stream::{FuturesUnordered, StreamExt};

use crate::bindings::exports::asyncio::streams::types::{
    AddressFamily, ConnectAttempt, Error, NetworkCode, NetworkError,
};
use crate::bindings::wasi::sockets::types::TcpSocket;
use crate::driver::{self, Sleep};
use crate::errors;

use super::budget::Share;
use super::socket::KeepAlive;
use super::{address, resolve, socket};

/// How to connect.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) family: AddressFamily,
    /// Where to connect from: of these, the ones of the remote address' family are tried in order.
    pub(crate) local: Vec<(String, u16)>,
    /// Nanoseconds after which the next attempt starts beside the one before; `None`: only once that has failed.
    pub(crate) delay: Option<u64>,
    /// How many addresses of the first family come before the other family's first; 0 leaves the order.
    pub(crate) interleave: u32,
    pub(crate) keep_alive: KeepAlive,
}

/// A connected socket and what it is connected to.
pub(crate) struct Connected {
    pub(crate) socket: TcpSocket,
    pub(crate) remote: SocketAddr,
}

/// Connects to `host`. The driver must be kept meanwhile.
///
/// Dropping the call closes every socket that it opened.
///
/// # Errors
///
/// Those of [`resolve::resolve`], and `connect` with one entry for each address when none could be connected to.
pub(crate) async fn connect(host: &str, port: u16, route: &Route) -> Result<Connected, Error> {
    let remotes = resolve::resolve(host, port, route.family).await?;
    let remotes = interleave(remotes, route.interleave as usize, SocketAddr::is_ipv4);
    let locals = local_addresses(route).await?;

    let mut eyeballs = HappyEyeballs::new(remotes.len(), route.delay);
    let mut attempts = FuturesUnordered::new();
    loop {
        let mut timer = match eyeballs.next(driver::now()) {
            Step::Start(index) => {
                if let Some(remote) = remotes.get(index).copied() {
                    let locals = &locals;
                    // The first one is what the connection counts.
                    let share = (!attempts.is_empty()).then(Share::attempt).transpose();
                    attempts.push(async move {
                        let attempted = match &share {
                            Ok(_) => attempt(remote, locals, &route.keep_alive).await,
                            Err(error) => Err(error.clone()),
                        };
                        (index, attempted)
                    });
                }
                continue;
            }
            Step::Wait { until } => until.map(Sleep::until),
            Step::Failed => return Err(all_failed(eyeballs, &remotes)),
        };
        let done = poll_fn(|cx| {
            if let Poll::Ready(Some(done)) = attempts.poll_next_unpin(cx) {
                return Poll::Ready(Some(done));
            }
            match timer.as_mut() {
                Some(timer) => std::pin::Pin::new(timer).poll(cx).map(|()| None),
                None => Poll::Pending,
            }
        });
        match done.await {
            Some((_, Ok(connected))) => return Ok(connected),
            Some((index, Err(error))) => eyeballs.failed(index, error),
            None => {}
        }
    }
}

/// One socket for one address: a failed connect is the end of a socket.
async fn attempt(
    remote: SocketAddr,
    locals: &[SocketAddr],
    keep_alive: &KeepAlive,
) -> Result<Connected, NetworkError> {
    let socket = socket::create(&remote)?;
    keep_alive.apply(&socket)?;
    bind_to_one(&socket, remote, locals)?;
    // A dropped connect borrows the socket until it has ended.
    let socket = Late::new(socket);
    socket
        .connect(address::to_wasi(remote))
        .await
        .map_err(|code| errors::network(code, &format!("connect to {remote}")))?;
    Ok(Connected {
        socket: socket.into_inner(),
        remote,
    })
}

/// Binds to the first of the local addresses that fits and can be had. Without local addresses the system chooses.
fn bind_to_one(
    socket: &TcpSocket,
    remote: SocketAddr,
    locals: &[SocketAddr],
) -> Result<(), NetworkError> {
    if locals.is_empty() {
        return Ok(());
    }
    let mut failure = NetworkError {
        code: NetworkCode::AddressNotAvailable,
        message: format!("connect to {remote}: no local address of its family"),
    };
    for local in locals
        .iter()
        .filter(|local| local.is_ipv4() == remote.is_ipv4())
    {
        match socket::bind(socket, *local) {
            Ok(()) => return Ok(()),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

async fn local_addresses(route: &Route) -> Result<Vec<SocketAddr>, Error> {
    let mut locals = Vec::new();
    for (host, port) in &route.local {
        locals.extend(resolve::resolve(host, *port, route.family).await?);
    }
    Ok(locals)
}

fn all_failed(eyeballs: HappyEyeballs<NetworkError>, remotes: &[SocketAddr]) -> Error {
    let attempts = eyeballs
        .into_errors()
        .into_iter()
        .filter_map(|(index, error)| {
            let address = address::to_interface(*remotes.get(index)?);
            Some(ConnectAttempt { address, error })
        });
    Error::Connect(attempts.collect())
}
