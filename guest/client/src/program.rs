//! The macros that make a crate a program: they export its main function or its handler.

use std::cell::Cell;
use std::fmt::Display;
use std::pin::Pin;

use crate::backend;
use crate::cli;

#[cfg(feature = "imported")]
#[doc(hidden)]
pub use backend::handlers::handle;

/// Makes the component a command, which `wasmtime run` runs: its main function is `main`.
///
/// `main` is an `async fn` without arguments, and returns `()` or a `Result<(), E>` with any error
/// that has a text. An error is printed to standard error, on one line and [escaped](crate::cli::escaped),
/// and the program ends with the status 1.
///
/// The program ends when its closed connections have ended their lingering, as by
/// [`linger`](crate::linger): at once when their peers end too, after 1 s or 5 s of silence when they do
/// not, after 35 s at most.
///
/// ```no_run
/// # mod program {
/// use asyncio_streams::{Error, cli, open_connection};
///
/// asyncio_streams::run!(main);
///
/// async fn main() -> Result<(), Error> {
///     let (reader, writer) = open_connection("127.0.0.1", 8888).await?;
///     writer.send("Hello World!\n").await?;
///     let line = reader.readline().await?;
///     writer.close();
///     writer.wait_closed().await?;
///     cli::println(cli::escaped(line.trim_ascii_end())).await
/// }
/// # }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! run {
    ($main:path) => {
        const _: () = {
            // A name that no main function's path begins with.
            struct __Program;

            impl $crate::bindings::run::exports::wasi::cli::run::Guest for __Program {
                async fn run() -> ::core::result::Result<(), ()> {
                    $crate::cli::report_panics();
                    $crate::program::finish($main().await).await
                }
            }

            // Other systems have no place for such a name.
            #[cfg(target_family = "wasm")]
            $crate::bindings::run::__export_run!(
                __Program with_types_in $crate::bindings::run
            );
            #[cfg(not(target_family = "wasm"))]
            const _: () = {
                use $crate::bindings::run::exports::wasi::cli::run::Guest;
                let _checked = <__Program as Guest>::run;
            };
        };
    };
}

/// Makes the component a server application: its handler is called for each client, by `serve.wasm`
/// or by any component that imports `asyncio:streams/handler`.
///
/// The handler is an `async fn` that takes a [`Reader`](crate::Reader) and a
/// [`Writer`](crate::Writer), and returns `()` or a `Result<(), E>` with any error that has a text:
/// the caller writes it to its log, which `serve.wasm` does [escaped](crate::cli::escaped), and goes
/// on serving. All calls run in one instance, at once:
/// globals are shared. A side that the handler still owns when it returns is dropped, which closes
/// the connection; everything queued still goes out. A panic ends the whole program, all connections
/// included, and says why only after [`cli::report_panics`](crate::cli::report_panics).
///
/// ```no_run
/// use asyncio_streams::{Error, Reader, Writer};
///
/// asyncio_streams::serve!(echo);
///
/// async fn echo(reader: Reader, writer: Writer) -> Result<(), Error> {
///     loop {
///         let data = reader.read(65_536).await?;
///         if data.is_empty() {
///             return Ok(());
///         }
///         writer.send(data).await?;
///     }
/// }
/// ```
#[cfg(feature = "imported")]
#[macro_export]
macro_rules! serve {
    ($handler:path) => {
        const _: () = {
            // A name that no handler's path begins with.
            struct __Handler;

            impl $crate::bindings::handler::exports::asyncio::streams::handler::Guest
                for __Handler
            {
                async fn client_connected(
                    reader: $crate::bindings::streams::Reader,
                    writer: $crate::bindings::streams::Writer,
                ) -> ::core::result::Result<(), ::std::string::String> {
                    let reader = $crate::Reader::from(reader);
                    let writer = $crate::Writer::from(writer);
                    $crate::program::handle(async move {
                        $crate::Outcome::into_result($handler(reader, writer).await)
                    })
                    .await
                }
            }

            // Other systems have no place for such a name.
            #[cfg(target_family = "wasm")]
            $crate::bindings::handler::__export_handler!(
                __Handler with_types_in $crate::bindings::handler
            );
            #[cfg(not(target_family = "wasm"))]
            const _: () = {
                use $crate::bindings::handler::exports::asyncio::streams::handler::Guest;
                let _checked = <__Handler as Guest>::client_connected;
            };
        };
    };
}

/// Handlers are for composed programs: `serve.wasm` passes them its reader and writer, which this program must share.
#[cfg(not(feature = "imported"))]
#[macro_export]
macro_rules! serve {
    ($handler:path) => {
        ::core::compile_error!(
            "serve! makes a handler for serve.wasm, which takes a composition: build with the feature \"imported\" of \
             asyncio-streams, or listen in this program with start_server"
        );
    };
}

/// The result of a main function or a handler: nothing, or a result whose error has a text.
pub trait Outcome {
    /// The error's text; for errors that tell their causes in the alternate form, with those.
    ///
    /// # Errors
    /// The text, when there was an error.
    fn into_result(self) -> Result<(), String>;
}

impl Outcome for () {
    fn into_result(self) -> Result<(), String> {
        Ok(())
    }
}

impl<E: Display> Outcome for Result<(), E> {
    fn into_result(self) -> Result<(), String> {
        self.map_err(|error| format!("{error:#}"))
    }
}

thread_local! {
    /// How to wait for closed connections, once there has been one. A program without any has no such call, and so does
    /// not import the interface.
    static LINGER: Cell<Option<fn() -> Lingering>> = const { Cell::new(None) };
}

type Lingering = Pin<Box<dyn Future<Output = ()>>>;

/// A connection was made.
pub(crate) fn connected() {
    LINGER.set(Some(|| Box::pin(backend::linger())));
}

/// Waits until no connection that this side has closed can lose what it sent by the end of the program.
///
/// [`run!`](crate::run) does that by itself; it is for programs that export their main function in another way, to be called
/// last. It waits for the connections whose bytes the system has all taken, 35 s at most. The wait for one of them ends when its
/// peer ends or is silent for 5 s, at the latest 30 s after the end went out. The silence is 1 s if something was read after the
/// last byte was taken. If the program ended before, the system would answer further bytes of such a peer by a reset, and
/// drop the bytes that it had not delivered yet.
///
/// # Cancelling
/// Dropping the call ends the wait and has no effect on the connections.
pub async fn linger() {
    if let Some(linger) = LINGER.get() {
        linger().await;
    }
}

/// The end of a command: reports the error, waits for closed connections and for the output.
#[doc(hidden)]
pub async fn finish(outcome: impl Outcome) -> Result<(), ()> {
    let result = match outcome.into_result() {
        Ok(()) => Ok(()),
        Err(reason) => {
            // Without a standard error the message is lost; the status still reports the failure.
            let _ = cli::eprintln(format_args!("error: {}", cli::escaped(&reason))).await;
            Err(())
        }
    };
    linger().await;
    cli::finish().await;
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn an_error_becomes_its_text() {
        assert_eq!(().into_result(), Ok(()));
        assert_eq!(Ok::<(), Error>(()).into_result(), Ok(()));
        assert_eq!(
            Err::<(), _>(Error::WriteAfterEof).into_result(),
            Err("write after write_eof".into())
        );
        assert_eq!(Err::<(), _>("text").into_result(), Err("text".into()));
    }
}
