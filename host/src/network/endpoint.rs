use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// `HOST:PORT` in a grant: `127.0.0.1:80`, `[::1]:*`, `example.org:443`, `*:8080`.
///
/// The host is an address, a name or `*` (any); the port is a number or `*` (any). IPv6 addresses stand in
/// brackets. Names are compared without regard to case or a final dot; other alphabets are written in their
/// `xn--` form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub(super) host: Host,
    pub(super) port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    Any,
    Address(IpAddr),
    Name(String),
}

/// Why a text is no [`Endpoint`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not HOST:PORT: {reason}")]
pub struct EndpointError {
    text: String,
    reason: &'static str,
}

impl Endpoint {
    pub(super) fn has_port(&self, port: u16) -> bool {
        self.port.is_none_or(|granted| granted == port)
    }
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
    let (host, port) = text
        .rsplit_once(':')
        .ok_or("the port is missing; `*` stands for any port")?;
    let port = match port {
        "*" => None,
        number => Some(
            number
                .parse()
                .map_err(|_| "the port is neither a number up to 65535 nor `*`")?,
        ),
    };
    let bracketed = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let host = match (bracketed, host) {
        (Some(address), _) => {
            let address: Ipv6Addr = address
                .parse()
                .map_err(|_| "what stands in brackets is no IPv6 address")?;
            Host::Address(IpAddr::V6(address).to_canonical())
        }
        (None, "") => return Err("the host is missing; `*` stands for any host"),
        (None, "*") => Host::Any,
        (None, host) if host.contains(':') => {
            return Err("an IPv6 address stands in brackets, as in `[::1]:80`");
        }
        (None, host) => match host.parse() {
            Ok(address) => Host::Address(address),
            Err(_) => Host::Name(name(host).ok_or("the host is neither an address nor a name")?),
        },
    };
    Ok(Endpoint { host, port })
}

/// A name in the form in which it is compared, if it can be one.
pub(super) fn name(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let label = |label: &str| !label.is_empty() && label.len() <= 63 && label.chars().all(plain);
    // What ends in a number is an address that is written wrongly (RFC 1123, section 2.1).
    let numeric = text
        .rsplit('.')
        .next()
        .is_some_and(|last| last.chars().all(|c| c.is_ascii_digit()));
    (text.len() <= 253 && !numeric && text.split('.').all(label)).then(|| text.to_ascii_lowercase())
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
    fn what_is_written_is_read_and_shown() {
        for (text, shown) in [
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("[::1]:0", "[::1]:0"),
            ("[::ffff:127.0.0.1]:1", "127.0.0.1:1"),
            ("*:8080", "*:8080"),
            ("Example.ORG.:*", "example.org:*"),
            ("xn--bcher-kva.example:443", "xn--bcher-kva.example:443"),
            ("_srv.a-b:65535", "_srv.a-b:65535"),
            ("*:*", "*:*"),
        ] {
            let endpoint: Endpoint = text.parse().expect(text);
            assert_eq!(endpoint.to_string(), shown);
            assert_eq!(endpoint.to_string().parse(), Ok(endpoint));
        }
    }

    #[test]
    fn what_is_no_endpoint_says_why() {
        for (text, reason) in [
            ("localhost", "the port is missing; `*` stands for any port"),
            (
                "localhost:",
                "the port is neither a number up to 65535 nor `*`",
            ),
            (
                "localhost:http",
                "the port is neither a number up to 65535 nor `*`",
            ),
            (
                "localhost:65536",
                "the port is neither a number up to 65535 nor `*`",
            ),
            (":80", "the host is missing; `*` stands for any host"),
            (
                "::1:80",
                "an IPv6 address stands in brackets, as in `[::1]:80`",
            ),
            (
                "[::1",
                "an IPv6 address stands in brackets, as in `[::1]:80`",
            ),
            (
                "[127.0.0.1]:80",
                "what stands in brackets is no IPv6 address",
            ),
            ("300.0.0.1:80", "the host is neither an address nor a name"),
            (
                "http://x:80",
                "an IPv6 address stands in brackets, as in `[::1]:80`",
            ),
            ("a/b:80", "the host is neither an address nor a name"),
            ("a..b:80", "the host is neither an address nor a name"),
            (
                "*.example.org:80",
                "the host is neither an address nor a name",
            ),
            (
                "bücher.example:80",
                "the host is neither an address nor a name",
            ),
        ] {
            let error = text.parse::<Endpoint>().expect_err(text);
            assert_eq!(
                error.to_string(),
                format!("`{text}` is not HOST:PORT: {reason}")
            );
        }
    }
}
