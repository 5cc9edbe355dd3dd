use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use crate::text::Escaped;

/// `HOST:PORT` in a grant: `127.0.0.1:80`, `[::1]:*`, `example.org:443`, `*:8080`.
///
/// The host is an address, a name or `*` (any host); the port is a number or `*` (any port). There are no patterns
/// such as `*.example.org`, no networks such as `10.0.0.0/8`, and no ranges of ports.
///
/// The grant and the program read a host by the same rules: those of the resolver (the URL standard's). Case and a
/// final dot make no difference, `127.1` is `127.0.0.1`, and `bücher.example` is `xn--bcher-kva.example`. IPv6
/// addresses stand in brackets and have no zone: a grant of a link-local address holds on every interface.
///
/// [`Display`](fmt::Display) writes the form in which it is compared; that form can be parsed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub(super) host: Host,
    pub(super) port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    Any,
    Address(IpAddr),
    /// In ASCII and in lower case, without a final dot.
    Name(String),
}

/// The reason why a text is not an [`Endpoint`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not HOST:PORT: {reason}", Escaped(text))]
pub struct EndpointError {
    text: String,
    reason: &'static str,
}

impl Endpoint {
    /// A name with any port.
    pub(super) fn of_name(text: &str) -> Option<Self> {
        let host = Host::named(text)?;
        let port = None;
        matches!(host, Host::Name(_)).then_some(Self { host, port })
    }

    pub(super) fn has_port(&self, port: u16) -> bool {
        self.port.is_none_or(|granted| granted == port)
    }
}

impl Host {
    /// Reads a host that a program looks up, by the rules of wasmtime's resolver; `None` if it can be neither an
    /// address nor the name of a host.
    pub(super) fn named(text: &str) -> Option<Self> {
        match url::Host::parse(text) {
            Ok(url::Host::Ipv4(address)) => Some(Self::Address(address.into())),
            Ok(url::Host::Ipv6(address)) => Some(Self::address(address)),
            Ok(url::Host::Domain(name)) => {
                let name = name.strip_suffix('.').unwrap_or(&name);
                is_name(name).then(|| Self::Name(name.to_owned()))
            }
            Err(_) => text.parse().ok().map(Self::address),
        }
    }

    fn address(address: Ipv6Addr) -> Self {
        Self::Address(IpAddr::V6(address).to_canonical())
    }
}

/// Returns whether this can be the name of a host (RFC 1123) or of a service (RFC 2782). The URL standard also allows
/// names that no name service answers and that contain characters special to shells.
fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let label = |label: &str| !label.is_empty() && label.len() <= 63 && label.chars().all(plain);
    text.len() <= 253 && text.split('.').all(label)
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        parse(text).map_err(|reason| EndpointError {
            text: text.to_owned(),
            reason,
        })
    }
}

fn parse(text: &str) -> Result<Endpoint, &'static str> {
    if text.contains("://") {
        return Err("it is a URL; give only its host and port");
    }
    if text.contains('/') {
        return Err(
            "there are no networks such as `10.0.0.0/8`; grant each address, or `*` for any",
        );
    }
    let (host, port) = text
        .rsplit_once(':')
        .ok_or("the port is missing; `*` stands for any port")?;
    let host = parse_host(host)?;
    let port = match port {
        "*" => None,
        number => {
            Some(parse_port(number).ok_or("the port is neither a number up to 65535 nor `*`")?)
        }
    };
    Ok(Endpoint { host, port })
}

fn parse_host(text: &str) -> Result<Host, &'static str> {
    let bracketed = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    match (bracketed, text) {
        (Some(address), _) if address.contains('%') => {
            Err("an address is granted on every interface; leave out the zone, from `%` on")
        }
        (Some(address), _) => {
            let address = address
                .parse()
                .map_err(|_| "the text in brackets is not an IPv6 address")?;
            Ok(Host::address(address))
        }
        (None, "") => Err("the host is missing; `*` stands for any host"),
        (None, "*") => Ok(Host::Any),
        (None, text) if text.contains(':') => {
            Err("an IPv6 address stands in brackets, as in `[::1]:80`")
        }
        (None, text) if text.contains('*') => {
            Err("there are no patterns; grant each host by its name, or `*` for any")
        }
        (None, text) => Host::named(text).ok_or("the host is neither an address nor a name"),
    }
}

/// A number without a sign.
fn parse_port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self {
            host: Host::Address(address.ip().to_canonical()),
            port: Some(address.port()),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Any => f.write_str("*")?,
            Host::Address(IpAddr::V4(address)) => write!(f, "{address}")?,
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]")?,
            Host::Name(name) => f.write_str(name)?,
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => f.write_str(":*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_parsed_and_displayed() {
        for (text, shown) in [
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("127.1:80", "127.0.0.1:80"),
            ("0x7f.1:80", "127.0.0.1:80"),
            ("[::1]:0", "[::1]:0"),
            ("[::ffff:127.0.0.1]:1", "127.0.0.1:1"),
            ("*:8080", "*:8080"),
            ("Example.ORG.:*", "example.org:*"),
            ("xn--bcher-kva.example:443", "xn--bcher-kva.example:443"),
            ("XN--BCHER-KVA.example:443", "xn--bcher-kva.example:443"),
            ("Bücher.example:443", "xn--bcher-kva.example:443"),
            ("_srv.a-b:65535", "_srv.a-b:65535"),
            ("*:*", "*:*"),
        ] {
            let endpoint: Endpoint = text.parse().expect(text);
            assert_eq!(endpoint.to_string(), shown);
            assert_eq!(endpoint.to_string().parse(), Ok(endpoint));
        }
    }

    #[test]
    fn a_malformed_endpoint_is_refused_with_a_reason() {
        const BRACKETS: &str = "an IPv6 address stands in brackets, as in `[::1]:80`";
        const NEITHER: &str = "the host is neither an address nor a name";
        const NETWORK: &str =
            "there are no networks such as `10.0.0.0/8`; grant each address, or `*` for any";
        const PATTERN: &str = "there are no patterns; grant each host by its name, or `*` for any";
        const PORT: &str = "the port is neither a number up to 65535 nor `*`";
        const ZONE: &str =
            "an address is granted on every interface; leave out the zone, from `%` on";
        for (text, reason) in [
            ("localhost", "the port is missing; `*` stands for any port"),
            ("localhost:", PORT),
            ("localhost:http", PORT),
            ("localhost:65536", PORT),
            ("localhost:+80", PORT),
            ("localhost:80-90", PORT),
            (":80", "the host is missing; `*` stands for any host"),
            ("::1:80", BRACKETS),
            ("[::1", BRACKETS),
            (
                "[127.0.0.1]:80",
                "the text in brackets is not an IPv6 address",
            ),
            ("[fe80::1%2]:80", ZONE),
            ("[fe80::1%eth0]:80", ZONE),
            ("300.0.0.1:80", NEITHER),
            ("a..b:80", NEITHER),
            ("-\u{1b}[2J:80", NEITHER),
            ("http://x:80", "it is a URL; give only its host and port"),
            ("10.0.0.0/8:80", NETWORK),
            ("10.0.0.0/8", NETWORK),
            ("[fd00::/8]:80", NETWORK),
            ("*.example.org:443", PATTERN),
            ("10.0.0.*:443", PATTERN),
        ] {
            let error = text.parse::<Endpoint>().expect_err(text);
            assert_eq!(
                error.to_string(),
                format!("`{}` is not HOST:PORT: {reason}", Escaped(text))
            );
        }
    }
}
