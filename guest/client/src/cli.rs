//! The command line of a program: arguments, environment, standard input, output and error.
//!
//! `std` cannot reach them in these components: its `println!` prints nothing, its `args` are
//! empty.

mod output;
mod panic;

use std::fmt::Display;

use crate::bindings::imports::wasi::cli::types::ErrorCode;
use crate::bindings::imports::wasi::cli::{environment, stdin as wasi_stdin};
use crate::{DEFAULT_LIMIT, Error, NetworkCode, NetworkError, Reader, from_stream};
use output::Output;

pub use panic::report_panics;

/// Displays text that a peer or another component sent on one line, whatever it holds.
///
/// Printed as it is, a newline in it forges a line of a log, and an escape sequence moves the
/// cursor of a terminal. Control characters, characters that reorder text, and bytes that are not
/// UTF-8 are shown as `\n`, `\u{1b}` and `\xff`; letters of all languages stay.
///
/// [`run!`](crate::run) and [`Server::serve_forever`](crate::Server::serve_forever) pass the errors
/// that they report through it, and so does `serve.wasm`.
///
/// ```
/// use asyncio_streams::cli::escaped;
///
/// assert_eq!(escaped("Grüße\n\x1b[2J").to_string(), r"Grüße\n\u{1b}[2J");
/// assert_eq!(escaped(b"caf\xe9").to_string(), r"caf\xe9");
/// ```
pub fn escaped<T: AsRef<[u8]> + ?Sized>(text: &T) -> impl Display + '_ {
    asyncio_streams_text::escaped(text)
}

/// The arguments of the program, without its name.
pub fn arguments() -> Vec<String> {
    environment::get_arguments().into_iter().skip(1).collect()
}

/// The environment of the program: names and values.
pub fn variables() -> Vec<(String, String)> {
    environment::get_environment()
}

/// Prints a line to standard output.
///
/// The text goes out as it is: pass what a peer sent through [`escaped`].
///
/// Returns when the system has taken it. Lines of several tasks come out whole, in the order of the
/// calls. Dropping the call may leave the line to be printed with the next.
///
/// # Errors
/// - [`Error::Network`] with `BrokenPipe`: the reader of standard output is gone; with `Other`:
///   writing to it failed.
pub async fn println(line: impl Display) -> Result<(), Error> {
    Output::Standard.write(format!("{line}\n").as_bytes()).await
}

/// Prints to standard output, without a line's end; bytes need not be text.
///
/// # Errors
/// Those of [`println()`].
pub async fn print(bytes: impl AsRef<[u8]>) -> Result<(), Error> {
    Output::Standard.write(bytes.as_ref()).await
}

/// Prints a line to standard error, as it is: see [`escaped`].
///
/// # Errors
/// Those of [`println()`], about standard error.
pub async fn eprintln(line: impl Display) -> Result<(), Error> {
    Output::Error.write(format!("{line}\n").as_bytes()).await
}

/// Prints to standard error, without a line's end; bytes need not be text.
///
/// # Errors
/// Those of [`println()`], about standard error.
pub async fn eprint(bytes: impl AsRef<[u8]>) -> Result<(), Error> {
    Output::Error.write(bytes.as_ref()).await
}

/// Standard input as a reader with the default limit. The future returns how it ended: the reader
/// sees only the end.
///
/// ```no_run
/// # async fn f() -> Result<(), asyncio_streams::Error> {
/// let (input, end) = asyncio_streams::cli::stdin().await?;
/// let first = input.readline().await?;
/// let rest = input.read_to_end().await?;
/// end.await?; // and not by a failure to read
/// # Ok(()) }
/// ```
///
/// # Errors
/// None in this version of the interface; the future's are those of [`println()`], about standard
/// input.
pub async fn stdin() -> Result<(Reader, impl Future<Output = Result<(), Error>> + use<>), Error> {
    let (data, end) = wasi_stdin::read_via_stream();
    let reader = from_stream(data, DEFAULT_LIMIT).await?;
    let end = async move { end.await.map_err(|code| failure(code, "standard input")) };
    Ok((reader, end))
}

/// Prints what dropped calls left behind, and ends both outputs: a program that ends without it may
/// cut them short.
pub(crate) async fn finish() {
    for output in [Output::Standard, Output::Error] {
        // The program is over: no caller is left to receive the error.
        let _ = output.finish().await;
    }
}

fn failure(code: ErrorCode, of: &str) -> Error {
    let (code, what) = match code {
        ErrorCode::Pipe => (NetworkCode::BrokenPipe, "its other end is gone"),
        ErrorCode::Io => (NetworkCode::Other, "input/output error"),
        ErrorCode::IllegalByteSequence => (NetworkCode::Other, "illegal byte sequence"),
    };
    Error::Network(NetworkError {
        code,
        message: format!("{of}: {what}"),
    })
}
