//! Addresses as people write them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use crate::bindings::types::{Address, InetAddress};

impl Address {
    /// The port; none for a Unix socket.
    pub fn port(&self) -> Option<u16> {
        match self {
            Address::Inet(inet) => Some(inet.port),
            Address::Unix(_) => None,
        }
    }

    /// Returns the address as the standard library's type; none for a Unix socket.
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        let Address::Inet(inet) = self else {
            return None;
        };
        if let Ok(ipv4) = inet.host.parse::<Ipv4Addr>() {
            return Some(SocketAddr::new(IpAddr::V4(ipv4), inet.port));
        }
        let ipv6 = inet.host.parse::<Ipv6Addr>().ok()?;
        Some(SocketAddrV6::new(ipv6, inet.port, inet.flow_info, inet.scope_id).into())
    }
}

/// `192.0.2.1:80`, `[2001:db8::1]:80`, `[fe80::1%2]:80`, or the path of a Unix socket.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Inet(inet) => inet.fmt(f),
            Address::Unix(path) => f.write_str(path),
        }
    }
}

impl fmt::Display for InetAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let InetAddress {
            host,
            port,
            scope_id,
            ..
        } = self;
        match (host.contains(':'), scope_id) {
            (false, _) => write!(f, "{host}:{port}"),
            (true, 0) => write!(f, "[{host}]:{port}"),
            (true, scope_id) => write!(f, "[{host}%{scope_id}]:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inet(host: &str, scope_id: u32) -> Address {
        Address::Inet(InetAddress {
            host: host.into(),
            port: 80,
            scope_id,
            flow_info: 0,
        })
    }

    #[test]
    fn an_address_reads_back() {
        for (address, text) in [
            (inet("192.0.2.1", 0), "192.0.2.1:80"),
            (inet("2001:db8::1", 0), "[2001:db8::1]:80"),
            (inet("fe80::1", 2), "[fe80::1%2]:80"),
        ] {
            assert_eq!(address.to_string(), text);
            assert_eq!(address.socket_addr(), text.parse().ok(), "{text}");
            assert_eq!(address.port(), Some(80));
        }
    }

    #[test]
    fn a_unix_socket_has_a_path_and_no_port() {
        let address = Address::Unix("/run/server".into());
        assert_eq!(
            (address.to_string().as_str(), address.port()),
            ("/run/server", None)
        );
        assert_eq!(address.socket_addr(), None);
    }
}
