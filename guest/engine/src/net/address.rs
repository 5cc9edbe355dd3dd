//! Converts addresses for callers.

use std::net::SocketAddr;

use crate::platform::SocketName;
use crate::types::{Address, AddressFamily, InetAddress};

/// Converts the name of a socket for callers.
pub(crate) fn of_name(name: &SocketName) -> Address {
    match name {
        SocketName::Inet(address) => to_interface(*address),
        SocketName::Unix(path) => Address::Unix(path.clone()),
    }
}

/// Converts an address for callers.
pub(crate) fn to_interface(address: SocketAddr) -> Address {
    let (scope_id, flow_info) = match address {
        SocketAddr::V4(_) => (0, 0),
        SocketAddr::V6(a) => (a.scope_id(), a.flowinfo()),
    };
    Address::Inet(InetAddress {
        host: address.ip().to_string(),
        port: address.port(),
        scope_id,
        flow_info,
    })
}

/// Returns whether `address` belongs to the family `wanted`.
pub(crate) fn is_of(address: &SocketAddr, wanted: AddressFamily) -> bool {
    match wanted {
        AddressFamily::Any => true,
        AddressFamily::Ipv4 => address.is_ipv4(),
        AddressFamily::Ipv6 => address.is_ipv6(),
    }
}
