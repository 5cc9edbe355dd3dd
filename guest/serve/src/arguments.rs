//! The options, from the command line, and from the environment for hosts that pass no arguments.

use std::fmt;
use std::time::Duration;

use lexopt::prelude::{Long, Short, Value};

/// The variable that holds addresses and options.
pub(crate) const VARIABLE: &str = "STREAMS_SERVE";

/// The output of `--help`.
pub(crate) const USAGE: &str = "\
Usage: serve [OPTIONS] HOST:PORT|unix:PATH... | --stdio

Listens on each address and calls the composed handler for each connection.
HOST is a name, an IPv4 address, an IPv6 address in brackets, or nothing for all
interfaces; PORT 0 is a free one. PATH is a Unix socket of the host, or @ and an
abstract name; it takes streams-unix.wasm and a host that grants it. A socket that
is there already is replaced. Each address is printed once it listens.

Options:
  --max-connections N    the most connections, at least 1; more wait in the system's backlog
  --idle-timeout SECONDS abort connections without traffic after this time [default: never]
  --tls-cert VARIABLE    use TLS, with the certificates in this environment variable (PEM)
  --tls-key VARIABLE     the environment variable with their private key (PEM)
  --tls-alpn PROTOCOL    an application protocol to offer; repeatable, in order of preference
  --until-stdin-closes   stop accepting when standard input ends; let clients finish
  --grace SECONDS        the time until these clients are aborted [default: 10]
  --stdio                serve one client on standard input and output, then end: for inetd,
                         and systemd's sockets with Accept=yes. Takes no addresses, and of the
                         options those of TLS
  -h, --help             print this text

Environment:
  STREAMS_SERVE          addresses and options, for hosts that pass no arguments:
                         STREAMS_SERVE=\"--max-connections 100 0.0.0.0:8888\"
                         White space separates the words; there is no quoting. The command
                         line takes precedence: an option there replaces the variable's;
                         addresses or --tls-alpn there replace all of the variable's.

Exit status:
  0  help was printed, every client finished after standard input closed, or the client of
     --stdio was served
  1  an option was wrong, an address or TLS could not be used, clients were aborted, or the
     handler of --stdio failed
";

/// Follows the error message about an option.
pub(crate) const HINT: &str = "\
Usage: serve [OPTIONS] HOST:PORT|unix:PATH... | --stdio
The option --help describes them.
";

/// The parsed request.
pub(crate) enum Request {
    Help,
    Serve(Arguments),
    /// The client on standard input and output.
    ServeStdio(Option<Tls>),
}

/// How to serve.
#[derive(Debug)]
pub(crate) struct Arguments {
    /// At least one.
    pub(crate) addresses: Vec<Place>,
    pub(crate) max_connections: Option<u32>,
    /// Nanoseconds.
    pub(crate) idle_timeout: Option<u64>,
    pub(crate) tls: Option<Tls>,
    pub(crate) until_stdin_closes: bool,
    /// Nanoseconds.
    pub(crate) grace: u64,
}

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A host and a port.
    Tcp(String, u16),
    /// A path, or `@` and an abstract name.
    Unix(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Tcp(host, port) => write!(f, "{host}:{port}"),
            Place::Unix(path) => write!(f, "unix:{path}"),
        }
    }
}

/// The TLS options.
#[derive(Debug)]
pub(crate) struct Tls {
    /// The environment variables that contain the certificates and the key.
    pub(crate) certificate: String,
    pub(crate) key: String,
    pub(crate) alpn: Vec<String>,
}

/// Ten seconds, in nanoseconds.
const GRACE: u64 = 10_000_000_000;

/// The options of one source; options that it does not name are unset.
#[derive(Default)]
struct Given {
    help: bool,
    addresses: Vec<Place>,
    max_connections: Option<u32>,
    idle_timeout: Option<u64>,
    certificate: Option<String>,
    key: Option<String>,
    alpn: Vec<String>,
    until_stdin_closes: bool,
    stdio: bool,
    grace: Option<u64>,
}

/// Parses the command line, whose first argument is the program's name, and [`VARIABLE`] of the environment.
///
/// # Errors
/// One line that names the option, its value and the expected value.
pub(crate) fn parse(
    arguments: Vec<String>,
    environment: &[(String, String)],
) -> Result<Request, String> {
    let given = read(arguments.into_iter().skip(1))?;
    // `--help` works for any content of the variable.
    if given.help {
        return Ok(Request::Help);
    }
    let variable = environment.iter().find(|(name, _)| name == VARIABLE);
    let words = variable.map_or("", |(_, value)| value).split_whitespace();
    let default =
        read(words.map(str::to_owned)).map_err(|reason| format!("{VARIABLE}: {reason}"))?;
    if default.help {
        return Ok(Request::Help);
    }
    given.over(default).check()
}

fn read(words: impl Iterator<Item = String>) -> Result<Given, String> {
    let mut given = Given::default();
    let mut parser = lexopt::Parser::from_args(words);
    while let Some(argument) = parser.next().map_err(complaint)? {
        match argument {
            Short('h') | Long("help") => {
                given.help = true;
                return Ok(given);
            }
            Long("max-connections") => {
                let expected = format!("a whole number from 1 to {}", u32::MAX);
                let n = value(&mut parser, "--max-connections", &expected, |text| {
                    text.parse().ok().filter(|n: &u32| *n > 0)
                })?;
                given.max_connections = Some(n);
            }
            Long("idle-timeout") => {
                let expected = "a number of seconds above 0, such as 60 or 0.5";
                let timeout = value(&mut parser, "--idle-timeout", expected, |text| {
                    seconds(text).filter(|nanoseconds| *nanoseconds > 0)
                })?;
                given.idle_timeout = Some(timeout);
            }
            Long("tls-cert") => given.certificate = Some(name(&mut parser, "--tls-cert")?),
            Long("tls-key") => given.key = Some(name(&mut parser, "--tls-key")?),
            Long("tls-alpn") => {
                let expected = "the name of a protocol, such as h2";
                let protocol = value(&mut parser, "--tls-alpn", expected, not_empty)?;
                given.alpn.push(protocol);
            }
            Long("until-stdin-closes") => given.until_stdin_closes = true,
            Long("stdio") => given.stdio = true,
            Long("grace") => {
                let expected = "a number of seconds, such as 10 or 0.5";
                given.grace = Some(value(&mut parser, "--grace", expected, seconds)?);
            }
            Value(address) => given
                .addresses
                .push(address_of(&address.to_string_lossy())?),
            other => return Err(complaint(other.unexpected())),
        }
    }
    Ok(given)
}

/// Returns the value of an option, parsed by `read`; `expected` describes the valid values.
fn value<T>(
    parser: &mut lexopt::Parser,
    option: &str,
    expected: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<T, String> {
    let Ok(value) = parser.value() else {
        return Err(format!("{option} has no value: expected {expected}"));
    };
    let value = value.to_string_lossy();
    let shown = if value.is_empty() { "\"\"" } else { &value };
    read(&value).ok_or_else(|| format!("{option} {shown}: expected {expected}"))
}

/// Returns the name of a variable.
fn name(parser: &mut lexopt::Parser, option: &str) -> Result<String, String> {
    let expected = "the name of a variable in the environment";
    value(parser, option, expected, not_empty)
}

fn not_empty(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

/// Returns the error message for a wrong option.
fn complaint(error: lexopt::Error) -> String {
    match error {
        lexopt::Error::UnexpectedOption(option) => {
            format!("{option}: no such option")
        }
        lexopt::Error::UnexpectedValue { option, value } => {
            format!("{option}={}: expected no value", value.to_string_lossy())
        }
        other => other.to_string(),
    }
}

impl Given {
    /// Returns these options, and those of `default` where these are unset. Addresses and `--stdio` replace each other.
    fn over(self, default: Given) -> Given {
        let place_given = self.stdio || !self.addresses.is_empty();
        let (addresses, stdio) = if place_given {
            (self.addresses, self.stdio)
        } else {
            (default.addresses, default.stdio)
        };
        Given {
            help: self.help,
            addresses,
            max_connections: self.max_connections.or(default.max_connections),
            idle_timeout: self.idle_timeout.or(default.idle_timeout),
            certificate: self.certificate.or(default.certificate),
            key: self.key.or(default.key),
            alpn: first_given(self.alpn, default.alpn),
            until_stdin_closes: self.until_stdin_closes || default.until_stdin_closes,
            stdio,
            grace: self.grace.or(default.grace),
        }
    }

    fn check(self) -> Result<Request, String> {
        if self.stdio {
            self.check_stdio()?;
        } else if self.addresses.is_empty() {
            return Err(format!(
                "no address to listen on: expected HOST:PORT or unix:PATH as an argument or in {VARIABLE}, or --stdio"
            ));
        }
        let tls = tls_of(self.certificate, self.key, self.alpn)?;
        Ok(if self.stdio {
            Request::ServeStdio(tls)
        } else {
            Request::Serve(Arguments {
                addresses: self.addresses,
                max_connections: self.max_connections,
                idle_timeout: self.idle_timeout,
                tls,
                until_stdin_closes: self.until_stdin_closes,
                grace: self.grace.unwrap_or(GRACE),
            })
        })
    }

    /// Refuses addresses and options that have no meaning for one client on standard input and output.
    fn check_stdio(&self) -> Result<(), String> {
        let refused = if let Some(address) = self.addresses.first() {
            address.to_string()
        } else if self.max_connections.is_some() {
            "--max-connections".to_owned()
        } else if self.idle_timeout.is_some() {
            "--idle-timeout".to_owned()
        } else if self.until_stdin_closes {
            "--until-stdin-closes".to_owned()
        } else if self.grace.is_some() {
            "--grace".to_owned()
        } else {
            return Ok(());
        };
        Err(format!(
            "{refused}: expected no --stdio, which serves one client on standard input and output, for any time"
        ))
    }
}

/// Returns the TLS options, which need each other.
fn tls_of(
    certificate: Option<String>,
    key: Option<String>,
    alpn: Vec<String>,
) -> Result<Option<Tls>, String> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some(Tls {
            certificate,
            key,
            alpn,
        })),
        (Some(certificate), None) => {
            Err(format!("--tls-cert {certificate}: expected --tls-key too"))
        }
        (None, Some(key)) => Err(format!("--tls-key {key}: expected --tls-cert too")),
        (None, None) => match alpn.first() {
            Some(protocol) => Err(format!(
                "--tls-alpn {protocol}: expected --tls-cert and --tls-key too"
            )),
            None => Ok(None),
        },
    }
}

fn first_given<T>(given: Vec<T>, default: Vec<T>) -> Vec<T> {
    if given.is_empty() { default } else { given }
}

/// Parses a number of seconds. Returns nanoseconds.
fn seconds(text: &str) -> Option<u64> {
    let seconds = Duration::try_from_secs_f64(text.parse().ok()?).ok()?;
    Some(u64::try_from(seconds.as_nanos()).unwrap_or(u64::MAX))
}

fn address_of(text: &str) -> Result<Place, String> {
    if let Some(path) = text.strip_prefix("unix:") {
        return match path {
            "" | "@" => Err(format!(
                "{text}: expected a path, or @ and an abstract name, after unix:"
            )),
            path => Ok(Place::Unix(path.to_owned())),
        };
    }
    let wrong = || {
        format!(
            "{text}: expected HOST:PORT, with a port from 0 to {}, or unix:PATH",
            u16::MAX
        )
    };
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let port = port.parse().map_err(|_| wrong())?;
    let host = match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(ipv6) => ipv6,
        None if host.contains(':') => {
            return Err(format!(
                "{text}: expected the IPv6 address in brackets: [{host}]:{port}"
            ));
        }
        None => host,
    };
    Ok(Place::Tcp(host.to_owned(), port))
}

#[cfg(test)]
mod tests;
