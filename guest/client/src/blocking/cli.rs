//! The command line of a program of WASI 0.2: arguments, environment, standard input, output and error.
//!
//! On `wasm32-wasip2`, `std` has them too. On `wasm32-unknown-unknown` it has none.

use std::fmt::Display;

use crate::bindings::types;
use crate::{DEFAULT_LIMIT, Error};

use super::bindings::wasi02::wasi::cli::{environment, stderr, stdin as host_stdin, stdout};
use super::bindings::wasi02::wasi::io::streams::OutputStream;
use super::{Reader, from_stream};

/// The bytes that one call of the host takes.
const AT_ONCE: usize = 4096;

/// The arguments of the program, without its name.
pub fn arguments() -> Vec<String> {
    environment::get_arguments().into_iter().skip(1).collect()
}

/// The environment of the program: names and values.
pub fn variables() -> Vec<(String, String)> {
    environment::get_environment()
}

/// Prints a line to standard output, as it is: pass what a peer sent through [`escaped`](crate::cli::escaped).
///
/// Blocks until the system has taken it. Bytes of connections do not move meanwhile. A line for a closed output is lost.
pub fn println(line: impl Display) {
    print(&stdout::get_stdout(), line);
}

/// Prints a line to standard error, as [`println()`] does.
pub fn eprintln(line: impl Display) {
    print(&stderr::get_stderr(), line);
}

/// Standard input as a reader with the default limit. Its reads report its failures.
///
/// # Errors
/// `Network` with `OutOfResources`: the component has as many connections as it can.
pub fn stdin() -> Result<Reader, Error> {
    let limit = u32::try_from(DEFAULT_LIMIT).unwrap_or(u32::MAX);
    from_stream(host_stdin::get_stdin(), limit).map_err(|error: types::Error| error.into())
}

fn print(output: &OutputStream, line: impl Display) {
    for part in format!("{line}\n").as_bytes().chunks(AT_ONCE) {
        if output.blocking_write_and_flush(part).is_err() {
            return;
        }
    }
}
