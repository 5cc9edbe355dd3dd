//! Arguments and standard streams.

use std::future::{Future, ready};

use crate::bindings::asyncio::streams::blocking::from_stream;
use crate::bindings::wasi02::wasi::cli::{environment, stderr, stdin as host, stdout};
use crate::{Error, Reader};

/// The bytes that one call of the host takes.
const AT_ONCE: usize = 4096;

/// The name of the program, and its own arguments.
pub(crate) fn all_arguments() -> Vec<String> {
    environment::get_arguments().into_iter().skip(1).collect()
}

/// The arguments of the program that runs.
pub(crate) fn arguments() -> Vec<String> {
    all_arguments().into_iter().skip(1).collect()
}

/// Standard input, and how it ended: here, its reads say so.
pub(crate) async fn stdin() -> Result<(Reader, impl Future<Output = Result<(), Error>>), Error> {
    let reader = from_stream(host::get_stdin(), 65_536)?;
    Ok((Reader(reader), ready(Ok(()))))
}

/// Prints a line.
#[allow(clippy::unused_async, reason = "async in the crate for Rust programs")]
pub(crate) async fn println(line: impl ToString) -> Result<(), Error> {
    say(&line.to_string());
    Ok(())
}

pub(crate) fn say(line: &str) {
    for part in format!("{line}\n").as_bytes().chunks(AT_ONCE) {
        let _ = stdout::get_stdout().blocking_write_and_flush(part);
    }
}

pub(crate) fn complain(line: &str) {
    for part in format!("{line}\n").as_bytes().chunks(AT_ONCE) {
        let _ = stderr::get_stderr().blocking_write_and_flush(part);
    }
}
