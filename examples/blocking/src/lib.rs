//! The argument that both examples have.

use asyncio_streams::Error;
use asyncio_streams::blocking::cli;

/// Returns the host and the port of the first argument, such as `127.0.0.1:8888` or `[::1]:8888`.
///
/// # Errors
/// `InvalidArgument` with the usage, if there is no such argument.
pub fn host_and_port(usage: &str) -> Result<(String, u16), Error> {
    let arguments = cli::arguments();
    let parts = arguments.first().and_then(|first| first.rsplit_once(':'));
    parts
        .and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)))
        .ok_or_else(|| Error::InvalidArgument(usage.to_owned()))
}
