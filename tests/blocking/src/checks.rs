//! The parts that all checks use: failures, time, output, and connections.

use crate::bindings::asyncio::streams::blocking::{
    self, ConnectOptions, Error, Reader, Server, ServerOptions, Writer,
};
use crate::bindings::asyncio::streams::types::{Address, NetworkCode};
use crate::bindings::wasi02::wasi::cli::{stderr, stdout};
use crate::bindings::wasi02::wasi::clocks::monotonic_clock;

/// One check, by the name with which the test asks for it.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    /// The argument is the port of the peer.
    pub(crate) run: fn(u16) -> Result,
    pub(crate) node: Node,
}

/// How a check runs on Node, where each wait asks for all connections, also for those that other checks have left.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Node {
    /// With the others, in the tests of every change.
    Quick,
    /// It moves megabytes, waits for deadlines or has many connections, and takes seconds.
    Slow,
    /// Slow, and in a program of its own.
    Alone,
    /// It always fails: docs/wasi-0.2.md says why.
    Differs,
    /// It may fail, in one of several ways, and runs there in no test: docs/wasi-0.2.md says why.
    Races,
    /// In no group: a test of its own names it.
    Named,
}

/// Lists functions as checks. Without `: KIND` a check is `Quick` on Node.
macro_rules! list {
    (@node) => {
        $crate::checks::Node::Quick
    };
    (@node $kind:ident) => {
        $crate::checks::Node::$kind
    };
    ($($name:ident $(: $kind:ident)?),* $(,)?) => {
        pub(crate) const CHECKS: &[$crate::checks::Check] = &[
            $($crate::checks::Check {
                name: stringify!($name),
                run: $name,
                node: $crate::checks::list!(@node $($kind)?),
            }),*
        ];
    };
}
pub(crate) use list;

/// A failed check, as a sentence.
pub(crate) struct Failure(pub(crate) String);

pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

impl From<&str> for Failure {
    fn from(text: &str) -> Self {
        Failure(text.into())
    }
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Failure(text)
    }
}

impl From<Error> for Failure {
    #[track_caller]
    fn from(error: Error) -> Self {
        Failure(format!("{}: {error:?}", std::panic::Location::caller()))
    }
}

/// Fails unless the condition holds.
macro_rules! check {
    ($holds:expr) => {
        if !$holds {
            return Err(format!("{}:{}: {}", file!(), line!(), stringify!($holds)).into());
        }
    };
}
pub(crate) use check;

/// Fails unless both are the same.
macro_rules! same {
    ($is:expr, $expected:expr $(,)?) => {{
        let (is, expected) = (&$is, &$expected);
        if is != expected {
            return Err(format!("{}:{}: {is:?} is not {expected:?}", file!(), line!()).into());
        }
    }};
}
pub(crate) use same;

/// Fails unless the value matches.
macro_rules! matching {
    ($is:expr, $pattern:pat $(if $guard:expr)?) => {
        match $is {
            $pattern $(if $guard)? => {}
            other => {
                return Err(format!(
                    "{}:{}: {other:?} is not {}", file!(), line!(), stringify!($pattern)
                ).into());
            }
        }
    };
}
pub(crate) use matching;

/// Nanoseconds.
pub(crate) const MILLISECOND: u64 = 1_000_000;
/// Nanoseconds.
pub(crate) const SECOND: u64 = 1_000_000_000;
/// The timeout of waits that end by themselves.
pub(crate) const SOON: Option<u64> = Some(20 * SECOND);
/// A timeout that is to pass.
pub(crate) const BRIEFLY: Option<u64> = Some(20 * MILLISECOND);
/// A call that does not wait.
pub(crate) const NOW: Option<u64> = Some(0);

/// Returns how long `act` takes, and its result.
pub(crate) fn timed<T>(act: impl FnOnce() -> T) -> (T, u64) {
    let begun = monotonic_clock::now();
    let result = act();
    (result, monotonic_clock::now().saturating_sub(begun))
}

pub(crate) fn say(text: &str) {
    let _ = stdout::get_stdout().blocking_write_and_flush(format!("{text}\n").as_bytes());
}

/// Prints a line, then waits for the test's answer on standard input.
pub(crate) fn pause(input: &Reader, at: &str) -> Result {
    say(at);
    check!(!input.readline(SOON)?.is_empty());
    Ok(())
}

pub(crate) fn complain(text: &str) {
    // A stream takes 4096 bytes at once.
    for part in format!("{text}\n").as_bytes().chunks(4096) {
        let _ = stderr::get_stderr().blocking_write_and_flush(part);
    }
}

/// Connects to the peer of the test, which does what the line says.
pub(crate) fn peer(port: u16, order: &str) -> Result<(Reader, Writer)> {
    peer_with(port, order, &ConnectOptions::new())
}

/// The same with options.
pub(crate) fn peer_with(
    port: u16,
    order: &str,
    options: &ConnectOptions,
) -> Result<(Reader, Writer)> {
    let (reader, writer) = blocking::open_connection("127.0.0.1", port, Some(options))?;
    writer.write(format!("{order}\n").as_bytes())?;
    writer.flush(SOON)?;
    Ok((reader, writer))
}

/// Starts a server on a free port of loopback.
pub(crate) fn serve(options: &ServerOptions) -> Result<(Server, u16)> {
    let server = blocking::start_server(&["127.0.0.1".into()], 0, Some(options), SOON)?;
    let port = port_of(&server)?;
    Ok((server, port))
}

/// Returns the port of a server with one socket.
pub(crate) fn port_of(server: &Server) -> Result<u16> {
    match server.sockets().as_slice() {
        [Address::Inet(inet)] => Ok(inet.port),
        other => Err(format!("not one TCP socket: {other:?}").into()),
    }
}

/// The two ends of a connection within this program.
pub(crate) struct Pair {
    pub(crate) left: (Reader, Writer),
    pub(crate) right: (Reader, Writer),
    _server: Server,
}

/// Connects this program to itself.
pub(crate) fn pair() -> Result<Pair> {
    pair_with(&ConnectOptions::new(), &ServerOptions::new())
}

/// The same with options for the left and the right end.
pub(crate) fn pair_with(left: &ConnectOptions, right: &ServerOptions) -> Result<Pair> {
    let (server, port) = serve(right)?;
    let left = blocking::open_connection("127.0.0.1", port, Some(left))?;
    let right = server.accept(SOON)?;
    Ok(Pair {
        left,
        right,
        _server: server,
    })
}

/// Queues more than the system buffers for a connection whose other end does not read; returns how many bytes.
pub(crate) fn clog(writer: &Writer) -> Result<usize> {
    const PIECE: usize = 1 << 20;
    const PIECES: usize = 48;
    for _ in 0..PIECES {
        writer.write(&[0; PIECE])?;
    }
    Ok(PIECES * PIECE)
}

/// Reads to the end or a loss, which are the system's choice after an abort; returns how many bytes came.
pub(crate) fn to_the_end(reader: &Reader) -> Result<usize> {
    let mut all = 0;
    loop {
        match reader.read(Some(1 << 20), SOON) {
            Ok(bytes) if bytes.is_empty() => return Ok(all),
            Ok(bytes) => all += bytes.len(),
            Err(error) if is_loss(&error) => return Ok(all),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Computes for that long, without a call that moves bytes.
pub(crate) fn compute(nanoseconds: u64) {
    let begun = monotonic_clock::now();
    while monotonic_clock::now().saturating_sub(begun) < nanoseconds {
        std::hint::spin_loop();
    }
}

/// Returns whether an error is the network's, with this code.
pub(crate) fn is_network(error: &Error, code: NetworkCode) -> bool {
    matches!(error, Error::Network(error) if error.code == code)
}

/// Returns whether an error is one that a reset can cause.
pub(crate) fn is_loss(error: &Error) -> bool {
    use NetworkCode::{BrokenPipe, ConnectionAborted, ConnectionReset};
    [BrokenPipe, ConnectionAborted, ConnectionReset]
        .into_iter()
        .any(|code| is_network(error, code))
}
