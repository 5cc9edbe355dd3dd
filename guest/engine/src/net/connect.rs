//! Connects to one of several addresses (RFC 8305, "Happy Eyeballs").

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use asyncio_streams_core::{HappyEyeballs, Step, interleave};

use crate::engine::Engine;
use crate::errors;
use crate::options::Route;
use crate::platform::TcpSocket;
use crate::types::{ConnectAttempt, Error, NetworkCode, NetworkError};

use super::{address, resolve, socket};

/// A connected socket, and the peer's address.
type Connected = (Box<dyn TcpSocket>, SocketAddr);

/// Connects to `host`. The caller keeps the background running meanwhile.
///
/// Dropping the call closes every socket that it opened.
///
/// # Errors
///
/// As for [`resolve::resolve`]; `connect` with one entry for each address if no attempt succeeded.
pub(crate) async fn connect(
    engine: &Engine,
    host: &str,
    port: u16,
    route: &Route,
) -> Result<Connected, Error> {
    let remotes = resolve::resolve(engine, host, port, route.family).await?;
    let remotes = interleave(remotes, route.interleave as usize, SocketAddr::is_ipv4);
    let locals = local_addresses(engine, route).await?;

    let mut eyeballs = HappyEyeballs::new(remotes.len(), route.delay);
    let mut attempts = Vec::new();
    loop {
        let mut timer = match eyeballs.next(engine.now()) {
            Step::Start(index) => {
                if let Some(remote) = remotes.get(index).copied() {
                    let locals = &locals;
                    // The permit of the connection itself covers the first attempt.
                    let permit = (!attempts.is_empty())
                        .then(|| engine.handles().attempt())
                        .transpose();
                    attempts.push(Box::pin(async move {
                        let attempted = match &permit {
                            Ok(_) => attempt(engine, remote, locals, route).await,
                            Err(error) => Err(error.clone()),
                        };
                        (index, attempted)
                    }));
                }
                continue;
            }
            Step::Wait { until } => until.map(|moment| engine.platform().sleep_until(moment)),
            Step::Failed => return Err(all_failed(eyeballs, &remotes)),
        };
        let done = poll_fn(|cx| {
            if let Some(done) = first_ready(&mut attempts, cx) {
                return Poll::Ready(Some(done));
            }
            match timer.as_mut() {
                Some(timer) => timer.as_mut().poll(cx).map(|()| None),
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

/// Polls the futures, and takes out the first that is ready. There are few.
fn first_ready<F: Future>(
    futures: &mut Vec<Pin<Box<F>>>,
    cx: &mut Context<'_>,
) -> Option<F::Output> {
    let mut futures_of = futures.iter_mut().enumerate();
    let (place, output) =
        futures_of.find_map(|(place, future)| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Some((place, output)),
            Poll::Pending => None,
        })?;
    drop(futures.swap_remove(place));
    Some(output)
}

/// Makes one attempt with a new socket: a socket cannot be used again after a failed connect.
async fn attempt(
    engine: &Engine,
    remote: SocketAddr,
    locals: &[SocketAddr],
    route: &Route,
) -> Result<Connected, NetworkError> {
    let socket = socket::create(engine, &remote)?;
    route.keep_alive(&*socket)?;
    bind_to_one(&*socket, remote, locals)?;
    let socket = socket
        .connect(remote)
        .await
        .map_err(|code| errors::network(code, &format!("connect to {remote}")))?;
    Ok((socket, remote))
}

/// Binds to the first local address of the right family that is available. Without local addresses the system chooses.
fn bind_to_one(
    socket: &dyn TcpSocket,
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

async fn local_addresses(engine: &Engine, route: &Route) -> Result<Vec<SocketAddr>, Error> {
    let mut locals = Vec::new();
    for (host, port) in &route.local {
        locals.extend(resolve::resolve(engine, host, *port, route.family).await?);
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
