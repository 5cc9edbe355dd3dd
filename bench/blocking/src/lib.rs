//! A peer of the benchmark: the crate's calls that block, one for each operation.

mod client;
mod server;

use std::error::Error;
use std::time::Duration;

use asyncio_streams::blocking::bindings::wasi02::wasi::clocks::monotonic_clock;
use asyncio_streams::blocking::cli;
use asyncio_streams_bench_plan::Order;

asyncio_streams::run_blocking!(main);

/// The reason why the program ends early.
type Failure = Box<dyn Error>;

type Result<T = ()> = std::result::Result<T, Failure>;

fn main() -> Result {
    match Order::parse(cli::arguments().iter())? {
        Order::Client(client) => client::work(&client),
        Order::Server(server, address) => server::serve(server, address),
    }
}

/// Returns the time since a fixed moment.
fn now() -> Duration {
    Duration::from_nanos(monotonic_clock::now())
}
