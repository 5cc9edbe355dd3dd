//! Converts a host, either a name or a number, into addresses.

use std::net::SocketAddr;

use crate::engine::Engine;
use crate::errors;
use crate::types::{AddressFamily, Error, NetworkCode};

use super::address;
use super::host::{self, Host};

/// Returns the addresses of `host` that belong to the family, in the name service's order. Never empty.
///
/// Numeric addresses are not looked up.
///
/// # Errors
///
/// - `invalid-argument` if the host is empty or contains a NUL.
/// - `network(name-not-found)` if the host is neither an address nor a name, is unknown, or has no address of the
///   family.
/// - `network(name-lookup-failed)` or `network(access-denied)` if the name service fails or may not be used.
pub(crate) async fn resolve(
    engine: &Engine,
    host: &str,
    port: u16,
    family: AddressFamily,
) -> Result<Vec<SocketAddr>, Error> {
    check(host)?;
    let parsed = host::parse(host, port).map_err(|reason| malformed(host, &reason))?;
    let mut found = match parsed {
        Host::Address(address) => vec![address],
        Host::Name(name) => {
            let looked_up = engine.platform().resolve(name).await;
            let ips = looked_up.map_err(|code| errors::lookup(code, host))?;
            ips.into_iter()
                .map(|ip| SocketAddr::new(ip.to_canonical(), port))
                .collect()
        }
    };
    found.retain(|address| address::is_of(address, family));
    if found.is_empty() {
        return Err(errors::network_error(
            NetworkCode::NameNotFound,
            format!(
                "look up {}: no address of the wanted family",
                errors::quoted(host)
            ),
        ));
    }
    Ok(found)
}

/// Returns the error for a host that [`host::parse`] refuses.
pub(crate) fn malformed(host: &str, reason: &str) -> Error {
    let message = format!("host {} {reason}", errors::quoted(host));
    errors::network_error(NetworkCode::NameNotFound, message)
}

/// Refuses the two kinds of hosts that are `invalid-argument`.
pub(crate) fn check(host: &str) -> Result<(), Error> {
    let reason = if host.is_empty() {
        "host: empty"
    } else if host.contains('\0') {
        "host: contains a NUL"
    } else {
        return Ok(());
    };
    Err(Error::InvalidArgument(reason.into()))
}
