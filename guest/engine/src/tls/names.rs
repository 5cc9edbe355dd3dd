//! The names that certificates are verified for.

use rustls::pki_types::ServerName;

use crate::errors;
use crate::net::host::{self, Host};
use crate::net::resolve;
use crate::types::Error;

/// Parses the server name that the caller has set.
///
/// # Errors
/// `invalid-argument` if it is neither a name nor an address.
pub(super) fn parse(name: &str) -> Result<ServerName<'static>, Error> {
    certified(name).map_err(|reason| {
        Error::InvalidArgument(format!("server name {} {reason}", errors::quoted(name)))
    })
}

/// Parses the host of the connection, which is verified if the caller has set no name.
///
/// # Errors
/// As for connecting without TLS.
pub(super) fn of_host(host: &str) -> Result<ServerName<'static>, Error> {
    resolve::check(host)?;
    certified(host).map_err(|reason| resolve::malformed(host, &reason))
}

/// Converts a host to its form in certificates: an address without its zone, or an ASCII name without a trailing dot.
fn certified(host: &str) -> Result<ServerName<'static>, host::Reason> {
    match host::parse(host, 0)? {
        Host::Address(address) => Ok(ServerName::from(address.ip())),
        Host::Name(mut name) => {
            if name.ends_with('.') {
                name.pop();
            }
            ServerName::try_from(name).map_err(|_| "is no name that a certificate can have".into())
        }
    }
}

pub(super) fn missing() -> Error {
    Error::InvalidArgument("server name: there is none to verify".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_distinguished() {
        for name in [
            "example.org",
            "example.org.",
            "bücher.example",
            "a_b",
            "1.a",
        ] {
            assert!(matches!(parse(name), Ok(ServerName::DnsName(_))), "{name}");
        }
        for address in [
            "192.0.2.1",
            "2001:db8::1",
            "fe80::1%2",
            "[::1]",
            "127.1",
            "0x7f.1",
        ] {
            assert!(
                matches!(parse(address), Ok(ServerName::IpAddress(_))),
                "{address}"
            );
        }
        for neither in ["", "a b", "-", "ex\0ample"] {
            assert!(parse(neither).is_err(), "{neither:?}");
        }
    }

    #[test]
    fn a_name_is_verified_in_ascii() {
        let name = parse("Bücher.example.").expect("a name");
        assert_eq!(name.to_str(), "xn--bcher-kva.example");
    }
}
