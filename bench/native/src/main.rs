//! The native side of the benchmark, one thread on tokio: a peer, and the load for all peers.
//!
//! * `bench-native client ...` and `bench-native server ...`: the peer; also the load for servers.
//! * `bench-native load ...`: the servers for clients, the crowds for servers, and requests over HTTP.
//! * `bench-native threads COUNT server ...`: the peer with threads that share nothing but the process; each has a
//!   listener of its own.
//! * `bench-native start COMMAND...`: the time from a command's start to its first byte.
//! * `bench-native certificate`: the certificate and key for TLS, for the environment of all.

mod client;
mod crowd;
mod network;
mod requests;
mod server;
mod sources;
mod start;

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use asyncio_streams_bench_plan::{Client, Order};
use tokio::task::LocalSet;

type Meter = asyncio_streams_bench_plan::Meter<Box<dyn Fn() -> Duration>>;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [first, count, peer @ ..] = words.as_slice() else {
        return on_this_thread(&words);
    };
    if first != "threads" {
        return on_this_thread(&words);
    }
    let count: usize = count.parse()?;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|_| scope.spawn(|| on_this_thread(peer)))
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| match thread.join() {
                Ok(ended) => ended,
                Err(panic) => std::panic::resume_unwind(panic),
            })
    })
}

fn on_this_thread(words: &[String]) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, run(words))
}

async fn run(words: &[String]) -> Result<()> {
    if words == ["certificate"] {
        return network::print_certificate();
    }
    if let [first, command @ ..] = words
        && first == "start"
    {
        return start::measure(command).await;
    }
    if let [first, load @ ..] = words
        && first == "load"
    {
        let load: Vec<&str> = load.iter().map(String::as_str).collect();
        return match load.as_slice() {
            ["idle", address, connections] => {
                crowd::idle(&echo_client(address, "1", connections, "0", "0")?).await
            }
            ["wake-up", address, connections, warmup, measured] => {
                crowd::wake_up(&echo_client(address, "1", connections, warmup, measured)?).await
            }
            ["requests", address, connections, warmup, measured] => {
                requests::ask(&echo_client(address, "1", connections, warmup, measured)?).await
            }
            ["spread", addresses, size, connections, warmup, measured] => {
                let all: Vec<_> = addresses.split(',').collect();
                let order = echo_client(all[0], size, connections, warmup, measured)?;
                let all: Vec<_> = all.into_iter().map(str::parse).collect::<Result<_, _>>()?;
                client::spread(&order, &all).await
            }
            [kind, size] => sources::serve(kind, size.parse()?).await,
            other => bail!("{other:?} is no load"),
        };
    }
    match Order::parse(words).map_err(anyhow::Error::msg)? {
        Order::Client(order) => client::work(&order).await,
        Order::Server(kind, address) => server::serve(kind, address).await,
    }
}

/// The job of a client whose connections send messages of `size` bytes and receive them back.
fn echo_client(
    address: &str,
    size: &str,
    connections: &str,
    warmup: &str,
    measured: &str,
) -> Result<Client> {
    let words = [
        "client",
        "echo",
        address,
        size,
        connections,
        warmup,
        measured,
    ];
    match Order::parse(words).map_err(anyhow::Error::msg)? {
        Order::Client(order) => Ok(order),
        Order::Server(..) => bail!("{words:?} is no client"),
    }
}

/// The meter of a job, which starts now.
fn meter(order: &Client) -> Meter {
    let start = Instant::now();
    Meter::new(order, Box::new(move || start.elapsed()))
}
