//! The command line.

use std::time::Duration;

use lexopt::prelude::{Long, Short, Value, ValueExt as _};

/// What `--help` says.
pub(crate) const USAGE: &str = "\
Usage: serve [OPTIONS] HOST:PORT...

Listens on each HOST:PORT and calls the composed handler for each connection.
HOST is a name, an IPv4 address, an IPv6 address in brackets, or nothing for all
interfaces; PORT 0 is a free one. Each address is printed once it listens.

Options:
  --max-connections N    connections at once; more wait in the system's backlog
  --idle-timeout SECONDS end connections on which nothing moves for so long [default: never]
  --tls-cert VARIABLE    speak TLS, with the certificates that the environment has there (PEM)
  --tls-key VARIABLE     and with their private key (PEM)
  --tls-alpn PROTOCOL    an application protocol to offer; may be repeated, the best first
  --until-stdin-closes   end when standard input does: stop accepting, let clients finish
  --grace SECONDS        how long they may take before they are aborted [default: 10]
  -h, --help             this text
";

/// What was asked for.
pub(crate) enum Request {
    Help,
    Serve(Arguments),
}

/// How to serve.
pub(crate) struct Arguments {
    /// Hosts and ports, at least one.
    pub(crate) addresses: Vec<(String, u16)>,
    pub(crate) max_connections: Option<u32>,
    /// Nanoseconds.
    pub(crate) idle_timeout: Option<u64>,
    pub(crate) tls: Option<Tls>,
    pub(crate) until_stdin_closes: bool,
    /// Nanoseconds.
    pub(crate) grace: u64,
}

/// How to protect connections.
#[derive(Default)]
pub(crate) struct Tls {
    /// The variables in the environment that hold it.
    pub(crate) certificate: String,
    pub(crate) key: String,
    pub(crate) alpn: Vec<String>,
}

/// Reads the arguments, the first of which is the program's name.
pub(crate) fn parse(arguments: Vec<String>) -> Result<Request, String> {
    parse_all(arguments).map_err(|error| error.to_string())
}

fn parse_all(arguments: Vec<String>) -> Result<Request, lexopt::Error> {
    let mut parsed = Arguments {
        addresses: Vec::new(),
        max_connections: None,
        idle_timeout: None,
        tls: None,
        until_stdin_closes: false,
        grace: 10_000_000_000,
    };
    let mut tls = Tls::default();
    let mut parser = lexopt::Parser::from_args(arguments.into_iter().skip(1));
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Request::Help),
            Long("max-connections") => {
                let n: u32 = parser.value()?.parse()?;
                if n == 0 {
                    return Err("--max-connections: must be at least 1".into());
                }
                parsed.max_connections = Some(n);
            }
            Long("idle-timeout") => {
                let nanoseconds = seconds("--idle-timeout", &parser.value()?.string()?)?;
                if nanoseconds == 0 {
                    return Err("--idle-timeout: must be more than 0".into());
                }
                parsed.idle_timeout = Some(nanoseconds);
            }
            Long("tls-cert") => tls.certificate = parser.value()?.string()?,
            Long("tls-key") => tls.key = parser.value()?.string()?,
            Long("tls-alpn") => tls.alpn.push(parser.value()?.string()?),
            Long("until-stdin-closes") => parsed.until_stdin_closes = true,
            Long("grace") => parsed.grace = seconds("--grace", &parser.value()?.string()?)?,
            Value(address) => parsed.addresses.push(address_of(&address.string()?)?),
            other => return Err(other.unexpected()),
        }
    }
    if parsed.addresses.is_empty() {
        return Err("no address to listen on".into());
    }
    parsed.tls = match (tls.certificate.is_empty(), tls.key.is_empty()) {
        (false, false) => Some(tls),
        (true, true) if tls.alpn.is_empty() => None,
        _ => return Err("--tls-cert and --tls-key go together".into()),
    };
    Ok(Request::Serve(parsed))
}

/// Reads the value of `option`, a number of seconds; returns nanoseconds.
fn seconds(option: &str, value: &str) -> Result<u64, String> {
    let seconds = value.parse().ok().map(Duration::try_from_secs_f64);
    let Some(Ok(seconds)) = seconds else {
        return Err(format!(
            "{option}: \"{}\" is not a number of seconds, such as 30 or 0.5",
            value.escape_default()
        ));
    };
    Ok(u64::try_from(seconds.as_nanos()).unwrap_or(u64::MAX))
}

fn address_of(text: &str) -> Result<(String, u16), String> {
    let wrong = || format!("{text:?} is not HOST:PORT");
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let port = port.parse().map_err(|_| wrong())?;
    let host = match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(ipv6) => ipv6,
        None if host.contains(':') => {
            return Err(format!("{text:?}: put the IPv6 address in brackets"));
        }
        None => host,
    };
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(arguments: &[&str]) -> Arguments {
        match parse_words(arguments) {
            Ok(Request::Serve(arguments)) => arguments,
            Ok(Request::Help) => panic!("asked for help"),
            Err(reason) => panic!("{reason}"),
        }
    }

    fn parse_words(arguments: &[&str]) -> Result<Request, String> {
        parse(
            std::iter::once("serve.wasm")
                .chain(arguments.iter().copied())
                .map(String::from)
                .collect(),
        )
    }

    #[test]
    fn addresses() {
        let arguments = served(&["127.0.0.1:80", "[::1]:0", "localhost:65535", ":1"]);
        let expected = [("127.0.0.1", 80), ("::1", 0), ("localhost", 65535), ("", 1)];
        assert_eq!(
            arguments.addresses,
            expected.map(|(host, port)| (host.to_owned(), port))
        );
    }

    #[test]
    fn options() {
        let arguments = served(&[
            "--max-connections=3",
            "--grace",
            "0.5",
            "--idle-timeout=60",
            "--until-stdin-closes",
            "localhost:1",
        ]);
        assert_eq!(arguments.max_connections, Some(3));
        assert_eq!(arguments.grace, 500_000_000);
        assert_eq!(arguments.idle_timeout, Some(60_000_000_000));
        assert_eq!(served(&[":1"]).idle_timeout, None);
        assert!(arguments.until_stdin_closes);
    }

    #[test]
    fn a_certificate_and_its_key() {
        let arguments = served(&["--tls-cert", "CERT", "--tls-key=KEY", ":1"]);
        let Some(tls) = arguments.tls else {
            panic!("no TLS")
        };
        assert_eq!((tls.certificate, tls.key), ("CERT".into(), "KEY".into()));
        assert!(served(&[":1"]).tls.is_none());
    }

    #[test]
    fn mistakes_are_named() {
        for (arguments, named) in [
            (&[][..], "no address"),
            (&["localhost"][..], "localhost"),
            (&["localhost:http"][..], "localhost:http"),
            (&["localhost:65536"][..], "localhost:65536"),
            (&["::1:80"][..], "brackets"),
            (&["--max-connections", "0", "a:1"][..], "--max-connections"),
            (&["--grace", "-1", "a:1"][..], "--grace"),
            (&["--grace", "NaN", "a:1"][..], "--grace"),
            (&["--grace", "soon", "a:1"][..], "--grace"),
            (&["--idle-timeout", "0", "a:1"][..], "--idle-timeout"),
            (&["--idle-timeout", "1\nm", "a:1"][..], "1\\nm"),
            (&["--backlog", "a:1"][..], "--backlog"),
            (&["--tls-cert", "CERT", "a:1"][..], "--tls-key"),
            (&["--tls-alpn", "h2", "a:1"][..], "--tls-key"),
        ] {
            let reason = parse_words(arguments)
                .err()
                .unwrap_or_else(|| panic!("{arguments:?} was taken"));
            assert!(reason.contains(named), "{reason:?} does not name {named:?}");
        }
    }

    #[test]
    fn help() {
        assert!(matches!(
            parse_words(&["-h", "nonsense"]),
            Ok(Request::Help)
        ));
    }
}
