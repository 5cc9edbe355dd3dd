//! Addresses and errors of WASI 0.2, and the engine's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use asyncio_streams_engine::errors::{LookupError, SocketError};

use crate::bindings::wasi::io::streams::Error as StreamFailure;
use crate::bindings::wasi::sockets::network::{
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

// Inlined, each copy would have a table of its own.
#[inline(never)]
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
        ErrorCode::ConnectionReset => SocketError::ConnectionReset,
        ErrorCode::ConnectionAborted => SocketError::ConnectionAborted,
        ErrorCode::DatagramTooLarge => SocketError::DatagramTooLarge,
        ErrorCode::Unknown => SocketError::Other(None),
        other => SocketError::Other(Some(other.name().into())),
    }
}

// Inlined, each copy would have a table of its own.
#[inline(never)]
pub(super) fn lookup_error(code: ErrorCode) -> LookupError {
    match code {
        ErrorCode::AccessDenied => LookupError::AccessDenied,
        ErrorCode::InvalidArgument => LookupError::InvalidArgument,
        ErrorCode::NameUnresolvable => LookupError::NameUnresolvable,
        ErrorCode::TemporaryResolverFailure => LookupError::TemporaryResolverFailure,
        ErrorCode::PermanentResolverFailure => LookupError::PermanentResolverFailure,
        ErrorCode::Unknown => LookupError::Other(None),
        other => LookupError::Other(Some(other.name().into())),
    }
}

/// Finds out what made a stream fail. WASI 0.2.0 has only a text for it, which differs from host to host.
pub(super) fn stream_failure(failure: &StreamFailure) -> SocketError {
    let text = failure.to_debug_string();
    of_text(&text).unwrap_or(SocketError::Other(Some(text)))
}

/// The texts of wasmtime (names of error codes, in two spellings), and of hosts on Node (names of system errors).
static TEXTS: [([&str; 3], SocketError); 11] = [
    (
        ["ConnectionReset", "connection-reset", "ECONNRESET"],
        SocketError::ConnectionReset,
    ),
    (
        ["ConnectionAborted", "connection-aborted", "ECONNABORTED"],
        SocketError::ConnectionAborted,
    ),
    (
        ["ConnectionRefused", "connection-refused", "ECONNREFUSED"],
        SocketError::ConnectionRefused,
    ),
    (
        ["ConnectionBroken", "connection-broken", "EPIPE"],
        SocketError::ConnectionBroken,
    ),
    (
        ["BrokenPipe", "broken-pipe", "ERR_STREAM_WRITE_AFTER_END"],
        SocketError::ConnectionBroken,
    ),
    (
        ["RemoteUnreachable", "remote-unreachable", "EHOSTUNREACH"],
        SocketError::RemoteUnreachable,
    ),
    (
        ["NetworkUnreachable", "network-unreachable", "ENETUNREACH"],
        SocketError::RemoteUnreachable,
    ),
    (["Timeout", "timeout", "ETIMEDOUT"], SocketError::Timeout),
    (
        ["TimedOut", "timed-out", "ESOCKETTIMEDOUT"],
        SocketError::Timeout,
    ),
    (
        ["OutOfMemory", "out-of-memory", "ENOBUFS"],
        SocketError::OutOfMemory,
    ),
    (
        ["AccessDenied", "access-denied", "EACCES"],
        SocketError::AccessDenied,
    ),
];

/// Returns the error that a text names.
fn of_text(text: &str) -> Option<SocketError> {
    // A word of its own: a text may quote what the peer has sent.
    let mut words = text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')));
    words.find_map(|word| {
        let found = TEXTS.iter().find(|(names, _)| names.contains(&word));
        found.map(|(_, error)| error.clone())
    })
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
    fn an_address_survives_the_way_to_wasi_and_back() {
        for text in ["192.0.2.7:65535", "[2001:db8::1:2]:1"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(from_wasi(to_wasi(address)), address);
        }
    }

    #[test]
    fn failures_of_known_hosts_are_told_apart() {
        for (text, error) in [
            ("ErrorCode::ConnectionReset", SocketError::ConnectionReset),
            ("ConnectionReset", SocketError::ConnectionReset),
            ("connection-reset (error 15)", SocketError::ConnectionReset),
            ("Error: read ECONNRESET", SocketError::ConnectionReset),
            ("write EPIPE", SocketError::ConnectionBroken),
            ("Timeout", SocketError::Timeout),
        ] {
            assert_eq!(of_text(text), Some(error), "{text}");
        }
        assert_eq!(of_text("Timeouts are rare"), None);
    }
}
