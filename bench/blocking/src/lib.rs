//! A peer of the benchmark: one call of the interface for each operation, and calls that block.

mod bindings;
mod client;
mod server;

use std::time::Duration;

use asyncio_streams_bench_plan::Order;
use bindings::asyncio::streams::blocking::Error;
use bindings::wasi02::wasi::cli::{environment, stderr, stdout};
use bindings::wasi02::wasi::clocks::monotonic_clock;

struct Program;

bindings::wasi02::export!(Program with_types_in bindings::wasi02);

/// The reason why the program ends early.
struct Failure(String);

type Result<T = ()> = std::result::Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure(format!("{error:?}"))
    }
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Failure(text)
    }
}

impl bindings::wasi02::exports::wasi::cli::run::Guest for Program {
    fn run() -> std::result::Result<(), ()> {
        work().map_err(|Failure(reason)| {
            let line = format!("{reason}\n");
            // Standard error may be closed.
            let _ = stderr::get_stderr().blocking_write_and_flush(line.as_bytes());
        })
    }
}

fn work() -> Result {
    let words = environment::get_arguments();
    match Order::parse(words.iter().skip(1))? {
        Order::Client(client) => client::work(&client),
        Order::Server(server, address) => server::serve(server, address),
    }
}

/// Returns the time since a fixed moment.
fn now() -> Duration {
    Duration::from_nanos(monotonic_clock::now())
}

fn print(line: &str) -> Result {
    let written = stdout::get_stdout().blocking_write_and_flush(format!("{line}\n").as_bytes());
    written.map_err(|_| Failure("the standard output is closed".into()))
}
