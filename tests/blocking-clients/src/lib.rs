//! Programs of `tests/programs` as a program of WASI 0.2: this crate has the names that they use, over calls that block.

// The programs import two crates. Both are this one.
extern crate self as asyncio_streams;
extern crate self as asyncio_streams_test_programs;

mod bindings;
mod cli;
mod connect;
mod executor;
mod pairs;
#[path = "../../programs/src/peer.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "public in a crate that has all programs"
)]
mod peer;
mod programs;
mod reader;
mod server;
mod serving;
mod started;
mod time;
mod writer;

pub(crate) use asyncio_streams_contract::{
    Failure, Result, check, follow, matching, pattern, pending, same,
};
pub(crate) use bindings::asyncio::streams::blocking::Wanted;
pub(crate) use bindings::asyncio::streams::types::{
    Address, ConnectAttempt, Error, Incomplete, NetworkCode, Overrun,
};
pub(crate) use connect::{ConnectOptions, open_connection};
pub(crate) use pairs::{Pair, ServerOptions, Side, clog, memory, tcp, tcp_with};
pub(crate) use peer::{is_loss, is_refused, is_reset, peer, peer_port, peer_with};
pub(crate) use reader::Reader;
pub(crate) use server::{Server, port, start_server};
pub(crate) use time::{sleep, timeout};
pub(crate) use writer::Writer;

struct Program;

bindings::wasi02::export!(Program with_types_in bindings::wasi02);

impl bindings::wasi02::exports::wasi::cli::run::Guest for Program {
    fn run() -> std::result::Result<(), ()> {
        programs::run().map_err(|failure| cli::complain(&failure.to_string()))
    }
}
