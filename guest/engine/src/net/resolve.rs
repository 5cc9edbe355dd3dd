//! Turns a host, a name or a number, into addresses.

use std::net::SocketAddr;

use crate::engine::Engine;
use crate::errors;
use crate::types::{AddressFamily, Error, NetworkCode};

use super::address;
use super::host::{self, Host};

/// The addresses of `host`, in the name service's order, of the wanted family. Never empty.
///
/// Numeric addresses are not looked up.
///
/// # Errors
///
/// `invalid-argument` for an empty host or one with a NUL; `network` with `name-not-found`, `name-lookup-failed` or
/// `access-denied` for a host that is neither an address nor a name, or that the name service does not know or may not
/// be asked for; `network(name-not-found)` when the host has no address of the family.
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

/// Checks for the two hosts that are `invalid-argument`.
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
