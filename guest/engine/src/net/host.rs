//! Hosts as callers write them: addresses in all common notations, and names, which are converted to ASCII.
//!
//! The same rules apply to every call, with and without TLS (wit/README.md, "Hosts"). The name service of the WASI host
//! gets ASCII names only, so its treatment of other names does not matter.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

use crate::errors;

use super::{idna, ipv4};

/// The longest label and the longest name, in bytes (RFC 1035, 2.3.4).
const LABEL: usize = 63;
const NAME: usize = 253;

/// A parsed host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// A numeric address; it needs no name service.
    Address(SocketAddr),
    /// A name in lower-case ASCII: labels of letters, digits, `-` and `_`.
    Name(String),
}

/// The predicate of a message: "host ... has an empty label".
pub(crate) type Reason = Cow<'static, str>;

/// Parses a host.
///
/// An IPv4 address written as IPv6 (`::ffff:192.0.2.1`) is taken as IPv4: WASI's IPv6 sockets carry IPv6 only.
///
/// # Errors
/// The reason why it is not a host.
pub(crate) fn parse(host: &str, port: u16) -> Result<Host, Reason> {
    if host.is_empty() {
        return Err("is empty".into());
    }
    if let Some(rest) = host.strip_prefix('[') {
        let inside = rest
            .strip_suffix(']')
            .ok_or("begins with a bracket that is not closed")?;
        return ipv6(inside, port).map(Host::Address);
    }
    if host.as_bytes().contains(&b':') {
        return ipv6(host, port).map(Host::Address);
    }
    // A letter takes at most four bytes in UTF-8 and at least one in ASCII: a longer host cannot fit.
    if host.len() > NAME.saturating_mul(4) {
        return Err(TOO_LONG.into());
    }
    let name = idna::to_ascii(host)?;
    if let Some(ip) = ipv4::parse(&name) {
        let ip = ip.ok_or("ends in a number, but is no IPv4 address")?;
        return Ok(Host::Address(SocketAddr::new(ip.into(), port)));
    }
    check(&name)?;
    Ok(Host::Name(name))
}

const TOO_LONG: &str = "is longer than 253 bytes";

/// Parses an IPv6 address with an optional zone.
fn ipv6(text: &str, port: u16) -> Result<SocketAddr, Reason> {
    let (ip, zone) = match text.split_once('%') {
        Some((ip, zone)) => (ip, Some(zone)),
        None => (text, None),
    };
    let Ok(ip) = ip.parse::<Ipv6Addr>() else {
        return Err(no_ipv6(text));
    };
    let Some(zone) = zone else {
        return Ok(SocketAddr::new(IpAddr::V6(ip).to_canonical(), port));
    };
    let zone = zone
        .parse()
        .map_err(|_| "has a zone after % that is not the number of a network interface")?;
    Ok(SocketAddrV6::new(ip, port, 0, zone).into())
}

fn no_ipv6(text: &str) -> Reason {
    let mut parts = text.as_bytes().split(|byte| *byte == b':');
    let reason = match (parts.next(), parts.next(), parts.next()) {
        (_, Some([b'/', b'/', ..]), None) => "is a URL: give the host alone",
        (_, Some([b'0'..=b'9', ..]), None) => "has a port in it: the port is a separate argument",
        _ => "is no IPv6 address",
    };
    reason.into()
}

/// Checks that name services and certificates accept this name.
fn check(name: &str) -> Result<(), Reason> {
    // A dot at the end stands for the root.
    let relative = name.strip_suffix('.').unwrap_or(name);
    if relative.len() > NAME {
        return Err(TOO_LONG.into());
    }
    for label in relative.split('.') {
        if label.is_empty() {
            return Err("has an empty label: two dots in a row, or one at the beginning".into());
        }
        if label.len() > LABEL {
            return Err("has a label of more than 63 bytes".into());
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err("has a label that begins or ends with a hyphen".into());
        }
        let odd = |c: &char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        if let Some(odd) = label.chars().find(odd) {
            return Err(no_letter(odd));
        }
    }
    Ok(())
}

fn no_letter(c: char) -> Reason {
    match c {
        ' ' => "has a space in it".into(),
        '/' => "has a path in it: give the host alone".into(),
        c => {
            let c = errors::quoted(c.encode_utf8(&mut [0; 4]));
            format!("has the character {c} in it, which names cannot contain").into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<String> {
        match parse(text, 80) {
            Ok(Host::Address(address)) => Some(address.to_string()),
            _ => None,
        }
    }

    fn reason(text: &str) -> String {
        match parse(text, 80) {
            Err(reason) => reason.into_owned(),
            Ok(host) => format!("taken as {host:?}"),
        }
    }

    #[test]
    fn addresses_in_every_notation() {
        for (text, expected) in [
            ("127.0.0.1", "127.0.0.1:80"),
            ("127.1", "127.0.0.1:80"),
            ("127.1.", "127.0.0.1:80"),
            ("0x7f.1", "127.0.0.1:80"),
            ("0X7F.0.0.1", "127.0.0.1:80"),
            ("2130706433", "127.0.0.1:80"),
            ("0177.0.0.01", "127.0.0.1:80"),
            ("::1", "[::1]:80"),
            ("[::1]", "[::1]:80"),
            ("[2001:DB8::1]", "[2001:db8::1]:80"),
            ("fe80::1%7", "[fe80::1%7]:80"),
            ("[fe80::1%7]", "[fe80::1%7]:80"),
            ("::ffff:127.0.0.1", "127.0.0.1:80"),
            ("[::ffff:127.0.0.1]", "127.0.0.1:80"),
        ] {
            assert_eq!(address(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn names_become_ascii() {
        for (text, expected) in [
            ("localhost", "localhost"),
            ("Example.ORG.", "example.org."),
            ("_service._tcp.example", "_service._tcp.example"),
            ("XN--Bcher-kva.example", "xn--bcher-kva.example"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("BÜCHER.example", "xn--bcher-kva.example"),
            ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
            ("127.0.0.1.example", "127.0.0.1.example"),
        ] {
            assert_eq!(parse(text, 80), Ok(Host::Name(expected.into())), "{text}");
        }
    }

    #[test]
    fn invalid_hosts_report_the_reason() {
        let long = "x".repeat(64);
        let longer = "x.".repeat(200);
        let longest = "x".repeat(70_000);
        for (text, expected) in [
            ("a..b", "empty label"),
            (".a", "empty label"),
            (".", "empty label"),
            ("", "is empty"),
            ("-", "hyphen"),
            ("a-.b", "hyphen"),
            ("-bücher", "hyphen"),
            ("host name", "a space"),
            ("a/b", "a path"),
            ("a\nb", "\\n"),
            ("a&b", "\"&\""),
            ("%31", "\"%\""),
            ("http://a", "URL"),
            ("http://a/b", "URL"),
            ("127.0.0.1:80", "port"),
            ("localhost:80", "port"),
            ("1.2.3.4.5", "no IPv4 address"),
            ("256.0.0.1", "no IPv4 address"),
            ("a.1", "no IPv4 address"),
            ("127.0.0.1%1", "\"%\""),
            ("[::1", "bracket"),
            ("[127.0.0.1]", "no IPv6 address"),
            ("[]", "no IPv6 address"),
            ("::1%eth0", "number of a network interface"),
            ("::1]", "no IPv6 address"),
            ("%1", "\"%\""),
            (&long, "63 bytes"),
            (&longer, "253 bytes"),
            (&longest, "253 bytes"),
            ("e\u{301}.example", "xn--"),
        ] {
            let said = reason(text);
            assert!(said.contains(expected), "{text}: {said}");
        }
    }
}
