//! Outside peers, which the host test starts; their port is an argument.

use asyncio_streams::{Address, ConnectOptions, Error, NetworkCode, cli};

use crate::{Failure, Result, Side};

/// Returns the port in the argument `index` of the program.
pub fn peer_port(index: usize) -> Result<u16> {
    let arguments = cli::arguments();
    let argument = arguments.get(index);
    match argument.and_then(|port| port.parse().ok()) {
        Some(port) => Ok(port),
        None => Err(Failure::new(format_args!(
            "argument {index} is to be a port: {arguments:?}"
        ))),
    }
}

/// Connects to the peer whose port is the first argument.
pub async fn peer() -> Result<Side> {
    peer_with(&ConnectOptions::new()).await
}

/// The same with options.
pub async fn peer_with(options: &ConnectOptions) -> Result<Side> {
    Ok(options
        .open_connection("127.0.0.1", peer_port(0)?)
        .await?
        .into())
}

/// Returns whether it is the peer's reset.
pub fn is_reset(error: &Error) -> bool {
    matches!(error, Error::Network(error) if error.code == NetworkCode::ConnectionReset)
}

/// Returns whether it is a loss that a reset can cause, as the system reports it to writes.
pub fn is_loss(error: &Error) -> bool {
    use NetworkCode::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(error, Error::Network(error) if matches!(error.code, ConnectionReset | BrokenPipe | ConnectionAborted))
}

/// Returns whether the connect to a single address was refused.
pub fn is_refused(error: &Error) -> bool {
    let refused = |code| code == NetworkCode::ConnectionRefused;
    matches!(error, Error::Connect(attempts) if matches!(attempts.as_slice(), [one] if refused(one.error.code)))
}

/// Returns the address of one end on loopback.
pub fn loopback(address: &Address) -> Option<(&str, u16)> {
    match address {
        Address::Inet(inet) => Some((&inet.host, inet.port)),
        Address::Unix(_) => None,
    }
}
