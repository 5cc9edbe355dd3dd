//! Addresses as the interface, Rust and WASI have them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use crate::bindings::exports::asyncio::streams::types::{Address, AddressFamily, InetAddress};
use crate::bindings::wasi::sockets::types::{
    IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};

/// An address that the name service gave.
pub(crate) fn from_lookup(ip: IpAddress, port: u16) -> SocketAddr {
    let ip = match ip {
        IpAddress::Ipv4(octets) => IpAddr::V4(from_octets(octets)),
        IpAddress::Ipv6(segments) => IpAddr::V6(from_segments(segments)),
    };
    SocketAddr::new(ip.to_canonical(), port)
}

/// For this component.
pub(crate) fn to_std(address: IpSocketAddress) -> SocketAddr {
    match address {
        IpSocketAddress::Ipv4(a) => SocketAddrV4::new(from_octets(a.address), a.port).into(),
        IpSocketAddress::Ipv6(a) => {
            SocketAddrV6::new(from_segments(a.address), a.port, a.flow_info, a.scope_id).into()
        }
    }
}

/// For the interface.
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

/// For WASI.
pub(crate) fn to_wasi(address: SocketAddr) -> IpSocketAddress {
    match address {
        SocketAddr::V4(a) => {
            let [a0, a1, a2, a3] = a.ip().octets();
            IpSocketAddress::Ipv4(Ipv4SocketAddress {
                port: a.port(),
                address: (a0, a1, a2, a3),
            })
        }
        SocketAddr::V6(a) => {
            let [s0, s1, s2, s3, s4, s5, s6, s7] = a.ip().segments();
            IpSocketAddress::Ipv6(Ipv6SocketAddress {
                port: a.port(),
                flow_info: a.flowinfo(),
                address: (s0, s1, s2, s3, s4, s5, s6, s7),
                scope_id: a.scope_id(),
            })
        }
    }
}

pub(crate) fn family(address: &SocketAddr) -> IpAddressFamily {
    match address {
        SocketAddr::V4(_) => IpAddressFamily::Ipv4,
        SocketAddr::V6(_) => IpAddressFamily::Ipv6,
    }
}

/// Whether `address` is of the family that was asked for.
pub(crate) fn is_of(address: &SocketAddr, wanted: AddressFamily) -> bool {
    match wanted {
        AddressFamily::Any => true,
        AddressFamily::Ipv4 => address.is_ipv4(),
        AddressFamily::Ipv6 => address.is_ipv6(),
    }
}

fn from_octets((a, b, c, d): (u8, u8, u8, u8)) -> Ipv4Addr {
    Ipv4Addr::new(a, b, c, d)
}

type Segments = (u16, u16, u16, u16, u16, u16, u16, u16);

fn from_segments((a, b, c, d, e, f, g, h): Segments) -> Ipv6Addr {
    Ipv6Addr::new(a, b, c, d, e, f, g, h)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wasi_and_back() {
        for text in ["192.0.2.7:65535", "[2001:db8::1:2]:1"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(to_std(to_wasi(address)), address);
        }
    }
}
