//! Support for the engine's tests: two hosts, connections between them, and the check that nothing is left.

#![allow(
    dead_code,
    unused_imports,
    reason = "each test program uses a part of it"
)]

mod ends;
pub(crate) mod unix;

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use asyncio_streams_engine::platform::Sink;
use asyncio_streams_engine::testing::{Host, Network, Peer, PeerListener, Random};
use asyncio_streams_engine::types::{Address, InetAddress};
use asyncio_streams_engine::{ConnectOptions, Engine, Limits, ServerOptions};

pub(crate) use asyncio_streams_engine::types::{Error, NetworkCode};
pub(crate) use ends::{Reader, Server, Writer, until};

pub(crate) const MILLISECOND: u64 = 1_000_000;
pub(crate) const SECOND: u64 = 1_000_000_000;

/// The seeds with which each test runs, after the run in order.
const SEEDS: u64 = 6;

/// The address of the server's host, where peers of a test listen.
pub(crate) const SERVER: &str = "192.0.2.2";
pub(crate) const CLIENT: &str = "192.0.2.1";

/// Two hosts, each with an engine.
#[derive(Clone)]
pub(crate) struct Lab {
    pub(crate) network: Network,
    pub(crate) here: Host,
    pub(crate) there: Host,
    pub(crate) engine: Engine,
    pub(crate) other: Engine,
}

impl Lab {
    fn new(network: Network, limits: Limits) -> Self {
        let here = network.host(&[CLIENT, "2001:db8::1"]);
        let there = network.host(&[SERVER, "2001:db8::2"]);
        Lab {
            engine: Engine::with_limits(here.clone(), limits),
            other: Engine::with_limits(there.clone(), limits),
            network,
            here,
            there,
        }
    }
}

/// Runs a test in order, and then with some seeds. At the end nothing may be left.
#[track_caller]
pub(crate) fn run<F: Future<Output = ()> + 'static>(test: impl Fn(Lab) -> F) {
    run_within(Limits::default(), test);
}

/// Runs a test as [`run`] does, with limits for both engines.
#[track_caller]
pub(crate) fn run_within<F: Future<Output = ()> + 'static>(
    limits: Limits,
    test: impl Fn(Lab) -> F,
) {
    run_once(Network::new(), limits, &test);
    for seed in 0..SEEDS {
        let failed = Failed(seed);
        run_once(Network::with_seed(seed), limits, &test);
        std::mem::forget(failed);
    }
}

/// Runs a test with exact times and turns: in order only.
#[track_caller]
pub(crate) fn run_in_order<F: Future<Output = ()> + 'static>(test: impl Fn(Lab) -> F) {
    run_once(Network::new(), Limits::default(), &test);
}

/// Runs a test with one seed.
#[track_caller]
pub(crate) fn run_with_seed<F: Future<Output = ()> + 'static>(seed: u64, test: impl Fn(Lab) -> F) {
    let failed = Failed(seed);
    run_once(Network::with_seed(seed), Limits::default(), &test);
    std::mem::forget(failed);
}

/// Reports the seed of a test that fails.
struct Failed(u64);

impl Drop for Failed {
    fn drop(&mut self) {
        eprintln!("failed with seed {}", self.0);
    }
}

#[track_caller]
fn run_once<F: Future<Output = ()> + 'static>(
    network: Network,
    limits: Limits,
    test: &impl Fn(Lab) -> F,
) {
    let lab = Lab::new(network, limits);
    lab.network.run(test(lab.clone()));
    lab.network.finish();
    for engine in [&lab.engine, &lab.other] {
        assert_eq!(engine.handles_in_use(), 0, "handles are still in use");
        assert_eq!(engine.bytes_held(), 0, "bytes are still held");
    }
}

impl Lab {
    /// Connects the engine of the client's host to a peer on the server's host.
    pub(crate) async fn peer(&self) -> (Reader, Writer, Peer) {
        self.peer_with(ConnectOptions::default()).await
    }

    pub(crate) async fn peer_with(&self, options: ConnectOptions) -> (Reader, Writer, Peer) {
        let mut listener = self.listen();
        let port = listener.address().port();
        let (reader, writer) = self
            .engine
            .open_connection(SERVER, port, options)
            .await
            .expect("the peer listens");
        let peer = listener.accept().await;
        (reader.into(), writer.into(), peer)
    }

    /// Listens on the server's host, for tests that act as the peer.
    pub(crate) fn listen(&self) -> PeerListener {
        let address = (SERVER.parse::<std::net::IpAddr>().expect("an address"), 0).into();
        self.there.listen(address, 100).expect("a free port")
    }

    /// Connects two engines.
    pub(crate) async fn pair(&self) -> ((Reader, Writer), (Reader, Writer)) {
        self.pair_with(ConnectOptions::default(), ServerOptions::default())
            .await
    }

    pub(crate) async fn pair_with(
        &self,
        client: ConnectOptions,
        server: ServerOptions,
    ) -> ((Reader, Writer), (Reader, Writer)) {
        let server = self.serve(server).await;
        let opened = self
            .open_with(server.port(), client)
            .await
            .expect("the server listens");
        let accepted = server.accept().await.expect("a connection");
        (opened, accepted)
    }

    /// Starts a server on a free port of the server's host.
    pub(crate) async fn serve(&self, options: ServerOptions) -> Server {
        self.other
            .start_server(&[SERVER.to_owned()], 0, options)
            .await
            .expect("a free port")
            .into()
    }

    /// Connects to a port of the server's host.
    pub(crate) async fn open(&self, port: u16) -> Result<(Reader, Writer), Error> {
        self.open_with(port, ConnectOptions::default()).await
    }

    pub(crate) async fn open_with(
        &self,
        port: u16,
        options: ConnectOptions,
    ) -> Result<(Reader, Writer), Error> {
        let (reader, writer) = self.engine.open_connection(SERVER, port, options).await?;
        Ok((reader.into(), writer.into()))
    }

    /// Connects a peer on the client's host to a server on the other.
    pub(crate) async fn connect(&self, port: u16) -> Peer {
        let address = (
            SERVER.parse::<std::net::IpAddr>().expect("an address"),
            port,
        )
            .into();
        self.here
            .connect(address)
            .await
            .expect("the server listens")
    }

    /// Waits until everything has happened that needs no change of the clock.
    pub(crate) async fn quiet(&self) {
        self.network.quiet().await;
    }

    /// Returns the nanoseconds that `future` takes on the fake clock.
    pub(crate) async fn timed<T>(&self, future: impl Future<Output = T>) -> (T, u64) {
        let begun = self.network.now();
        let output = future.await;
        (output, self.network.now() - begun)
    }

    /// Polls a future once; panics unless it waits.
    #[track_caller]
    pub(crate) fn pending<F: Future + ?Sized>(&self, future: Pin<&mut F>)
    where
        F::Output: std::fmt::Debug,
    {
        if let Poll::Ready(output) = future.poll(&mut Context::from_waker(Waker::noop())) {
            panic!("it did not wait, but returned {output:?}");
        }
    }

    /// Lets a future wait for `nanoseconds` of the fake clock; panics if it ends.
    pub(crate) async fn waits_for<F: Future + Unpin>(&self, future: &mut F, nanoseconds: u64)
    where
        F::Output: std::fmt::Debug,
    {
        use futures::future::{Either, select};
        let late = Box::pin(self.network.sleep(nanoseconds));
        if let Either::Left((output, _)) = select(future, late).await {
            panic!("it did not wait, but returned {output:?}");
        }
    }
}

/// Returns `n` bytes of the pattern from `start`; each byte depends on its position.
pub(crate) fn pattern(start: usize, n: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(n);
    while bytes.len() < n {
        let place = (start + bytes.len()) % PERIOD;
        let piece = &PATTERN[place..];
        bytes.extend_from_slice(&piece[..piece.len().min(n - bytes.len())]);
    }
    bytes
}

/// A prime, so that no block size is a divisor of it.
const PERIOD: usize = 65_521;

static PATTERN: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut random = Random::new(0);
    std::iter::repeat_with(|| random.below(256) as u8)
        .take(PERIOD)
        .collect()
});

/// Panics unless `bytes` are the pattern from `start`.
#[track_caller]
pub(crate) fn assert_pattern(start: usize, bytes: &[u8]) {
    let expected = pattern(start, bytes.len());
    if bytes != expected {
        let place = bytes
            .iter()
            .zip(&expected)
            .position(|(one, two)| one != two);
        panic!(
            "not the pattern from {start}: at {place:?} of {}",
            bytes.len()
        );
    }
}

/// Returns whether `error` is a network failure of this kind.
pub(crate) fn is_network(error: &Error, code: NetworkCode) -> bool {
    matches!(error, Error::Network(network) if network.code == code)
}

/// Panics unless the result is a network failure of this kind.
#[track_caller]
pub(crate) fn assert_network<T: std::fmt::Debug>(result: Result<T, Error>, code: NetworkCode) {
    match result {
        Err(error) if is_network(&error, code) => {}
        other => panic!("{other:?} instead of {code:?}"),
    }
}

/// Panics unless the connection was lost.
#[track_caller]
pub(crate) fn assert_lost<T: std::fmt::Debug>(result: Result<T, Error>) {
    match result {
        Err(Error::Network(_)) => {}
        other => panic!("{other:?} instead of a loss"),
    }
}

pub(crate) fn incomplete(partial: &[u8], expected: Option<u32>) -> Error {
    Error::IncompleteRead {
        partial: partial.to_vec(),
        expected,
    }
}

/// Returns an address in the form for callers.
pub(crate) fn inet(address: SocketAddr) -> Address {
    Address::Inet(InetAddress {
        host: address.ip().to_string(),
        port: address.port(),
        scope_id: 0,
        flow_info: 0,
    })
}

pub(crate) fn port_of(address: &Address) -> u16 {
    match address {
        Address::Inet(address) => address.port,
        Address::Unix(path) => panic!("no port: {path}"),
    }
}

/// Waits for `n` turns.
pub(crate) async fn turns(n: usize) {
    let mut left = n;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Runs `future` for at most `n` turns, then drops it; `None` if it was dropped.
pub(crate) async fn interrupted<T>(future: impl Future<Output = T>, n: usize) -> Option<T> {
    use futures::future::{Either, select};
    match select(std::pin::pin!(future), std::pin::pin!(turns(n))).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}

/// Waits for `future` for a limited time of the fake clock.
pub(crate) async fn within<T>(
    network: &Network,
    nanoseconds: u64,
    future: impl Future<Output = T>,
) -> Option<T> {
    use futures::future::{Either, select};
    let late = std::pin::pin!(network.sleep(nanoseconds));
    match select(std::pin::pin!(future), late).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}

/// Writes the rest of a sink's write, part by part.
pub(crate) struct Rest<'a>(pub(crate) &'a mut dyn Sink);

impl Rest<'_> {
    /// Waits until the next part is taken; returns 0 when nothing is left.
    pub(crate) async fn next(&mut self) -> Result<usize, Error> {
        poll_fn(|cx| self.0.poll_rest(cx)).await
    }
}

impl Drop for Rest<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}
