//! The names that certificates are for.

use rustls::pki_types::ServerName;

use crate::bindings::exports::asyncio::streams::types::Error;
use crate::net::address;

/// A host as a certificate has it: a name, or a numeric address, whose zone no certificate knows.
pub(super) fn parse(host: &str) -> Result<ServerName<'static>, Error> {
    if let Some(address) = address::parse(host, 0) {
        return Ok(ServerName::from(address.ip()));
    }
    ServerName::try_from(host.to_owned()).map_err(|_| {
        Error::InvalidArgument(format!("server name: no certificate can be for {host:?}"))
    })
}

pub(super) fn missing() -> Error {
    Error::InvalidArgument("server name: there is none to verify".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_told_apart() {
        assert!(matches!(parse("example.org"), Ok(ServerName::DnsName(_))));
        for address in ["192.0.2.1", "2001:db8::1", "fe80::1%2"] {
            assert!(
                matches!(parse(address), Ok(ServerName::IpAddress(_))),
                "{address}"
            );
        }
        for neither in ["", "a b", "-", "ex\0ample"] {
            assert!(parse(neither).is_err(), "{neither:?}");
        }
    }
}
