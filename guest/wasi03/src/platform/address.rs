//! Converts addresses and errors between WASI and the engine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use asyncio_streams_engine::errors::{LookupError, SocketError};

use crate::bindings::wasi::sockets::ip_name_lookup::ErrorCode as LookupCode;
use crate::bindings::wasi::sockets::types::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};

pub(super) fn ip(address: IpAddress) -> IpAddr {
    match address {
        IpAddress::Ipv4(octets) => IpAddr::V4(v4(octets)),
        IpAddress::Ipv6(segments) => IpAddr::V6(v6(segments)),
    }
}

pub(super) fn from_wasi(address: IpSocketAddress) -> SocketAddr {
    match address {
        IpSocketAddress::Ipv4(a) => SocketAddrV4::new(v4(a.address), a.port).into(),
        IpSocketAddress::Ipv6(a) => {
            SocketAddrV6::new(v6(a.address), a.port, a.flow_info, a.scope_id).into()
        }
    }
}

pub(super) fn to_wasi(address: SocketAddr) -> IpSocketAddress {
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

pub(super) fn family(address: &SocketAddr) -> IpAddressFamily {
    match address {
        SocketAddr::V4(_) => IpAddressFamily::Ipv4,
        SocketAddr::V6(_) => IpAddressFamily::Ipv6,
    }
}

pub(super) fn socket_error(code: ErrorCode) -> SocketError {
    match code {
        ErrorCode::AccessDenied => SocketError::AccessDenied,
        ErrorCode::NotSupported => SocketError::NotSupported,
        ErrorCode::InvalidArgument => SocketError::InvalidArgument,
        ErrorCode::OutOfMemory => SocketError::OutOfMemory,
        ErrorCode::Timeout => SocketError::Timeout,
        ErrorCode::InvalidState => SocketError::InvalidState,
        ErrorCode::AddressNotBindable => SocketError::AddressNotBindable,
        ErrorCode::AddressInUse => SocketError::AddressInUse,
        ErrorCode::RemoteUnreachable => SocketError::RemoteUnreachable,
        ErrorCode::ConnectionRefused => SocketError::ConnectionRefused,
        ErrorCode::ConnectionBroken => SocketError::ConnectionBroken,
        ErrorCode::ConnectionReset => SocketError::ConnectionReset,
        ErrorCode::ConnectionAborted => SocketError::ConnectionAborted,
        ErrorCode::DatagramTooLarge => SocketError::DatagramTooLarge,
        ErrorCode::Other(text) => SocketError::Other(text),
    }
}

pub(super) fn lookup_error(code: LookupCode) -> LookupError {
    match code {
        LookupCode::AccessDenied => LookupError::AccessDenied,
        LookupCode::InvalidArgument => LookupError::InvalidArgument,
        LookupCode::NameUnresolvable => LookupError::NameUnresolvable,
        LookupCode::TemporaryResolverFailure => LookupError::TemporaryResolverFailure,
        LookupCode::PermanentResolverFailure => LookupError::PermanentResolverFailure,
        LookupCode::Other(text) => LookupError::Other(text),
    }
}

fn v4((a, b, c, d): (u8, u8, u8, u8)) -> Ipv4Addr {
    Ipv4Addr::new(a, b, c, d)
}

fn v6((a, b, c, d, e, f, g, h): (u16, u16, u16, u16, u16, u16, u16, u16)) -> Ipv6Addr {
    Ipv6Addr::new(a, b, c, d, e, f, g, h)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_unchanged_by_conversion_to_wasi_and_back() {
        for text in ["192.0.2.7:65535", "[2001:db8::1:2]:1"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(from_wasi(to_wasi(address)), address);
        }
    }
}
