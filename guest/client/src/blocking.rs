//! The same streams with calls that block, for hosts of WASI 0.2 (feature `blocking`).
//!
//! A program of this module imports `asyncio:streams/blocking` and WASI 0.2, and nothing of WASI 0.3, as long as it uses nothing
//! else of the crate but [`Error`](crate::Error), [`cli::escaped`](crate::cli::escaped) and the types of addresses and errors. It
//! is composed with `streams-p2.wasm`:
//!
//! ```no_run
//! # mod program {
//! use std::time::Duration;
//!
//! use asyncio_streams::Error;
//! use asyncio_streams::blocking::{ConnectOptions, cli, open_connection, timeout};
//! use asyncio_streams::cli::escaped;
//!
//! asyncio_streams::run_blocking!(main);
//!
//! fn main() -> Result<(), Error> {
//!     let soon = timeout(Duration::from_secs(10));
//!     let options = ConnectOptions::new();
//!     options.set_deadline(soon);
//!     let (reader, writer) = open_connection("127.0.0.1", 8888, Some(&options))?;
//!     writer.write(b"Hello World!\n")?;
//!     let line = reader.readline(soon)?;
//!     cli::println(escaped(line.trim_ascii_end()));
//!     writer.close();
//!     writer.wait_closed(soon)?;
//!     Ok(())
//! }
//! # }
//! # fn main() {}
//! ```
//!
//! ```sh
//! cargo rustc --release --target wasm32-wasip2 --crate-type cdylib
//! wac plug client.wasm --plug streams-p2.wasm -o app.wasm
//! wasmtime run -S inherit-network app.wasm
//! ```
//!
//! The functions and types are those of the interface, one for one; their documentation says what differs from the async ones. A
//! [`Reader`], a [`Writer`] and a [`Server`] hold the binding's resource. Each dereferences to it, and `From` converts in both
//! directions. Their frequent calls take numbers, and move bytes in blocks (WIT: `bulk`).
//! A timeout is in nanoseconds: `None` waits without end, `Some(0)` does not wait, and [`timeout`] converts a duration. A call that
//! times out returns `Cancelled`, and has lost nothing. A bare error of a call becomes an [`Error`](crate::Error) by `?`; a
//! `match` on it names the cases of [`CallError`].
//!
//! # Version of the imports
//! The linker may raise imports of WASI 0.2 to the latest version that it knows. For hosts that have 0.2.0 alone, a build script
//! of the program prints `cargo::rustc-link-arg=--merge-imports-based-on-semver=false`.

mod blocks;
pub mod cli;
mod connecting;
mod reader;
mod writer;

use std::time::Duration;

use crate::program::Outcome;

pub use crate::bindings::types::Error as CallError;
pub use bindings::asyncio::streams::blocking::{
    ConnectOptions, Event, ServerOptions, Wanted, Watch, linger, wait_any,
};
pub use connecting::{Server, from_stream, open_connection, start_server, wrap};
pub use reader::Reader;
pub use writer::Writer;

/// The bindings that wit-bindgen generates. Errors, addresses and settings of TLS are those of [`bindings`](crate::bindings).
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]
#[allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "generated"
)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "wit",
        world: "client-p2",
        generate_all,
        runtime_path: "wit_bindgen::rt",
        with: {
            "asyncio:streams/types@0.1.0": crate::bindings::types,
            "asyncio:streams/tls@0.1.0": crate::bindings::tls,
            "wasi:io/error@0.2.0": wasi02::wasi::io::error,
            "wasi:io/poll@0.2.0": wasi02::wasi::io::poll,
            "wasi:io/streams@0.2.0": wasi02::wasi::io::streams,
        },
    });

    pub use numbered::asyncio::streams::bulk;

    /// Bytes that cross in blocks are borrowed as arguments.
    mod numbered {
        wit_bindgen::generate!({
            inline: "
                package asyncio:rust-bulk;

                world program {
                    import asyncio:streams/bulk@0.1.0;
                }
            ",
            path: "wit",
            world: "asyncio:rust-bulk/program",
            generate_all,
            ownership: Borrowing { duplicate_if_necessary: true },
            runtime_path: "wit_bindgen::rt",
            with: {
                "asyncio:streams/types@0.1.0": crate::bindings::types,
                "asyncio:streams/tls@0.1.0": crate::bindings::tls,
                "asyncio:streams/blocking@0.1.0": super::asyncio::streams::blocking,
                "wasi:io/error@0.2.0": super::wasi02::wasi::io::error,
                "wasi:io/poll@0.2.0": super::wasi02::wasi::io::poll,
                "wasi:io/streams@0.2.0": super::wasi02::wasi::io::streams,
            },
        });
    }

    /// The parts of WASI 0.2 that a command has.
    pub mod wasi02 {
        wit_bindgen::generate!({
            path: "wit/wasi-0.2",
            inline: "
                package asyncio:rust-p2;

                world program {
                    include asyncio:wasi-p2/command@0.1.0;
                    import wasi:cli/stdin@0.2.0;
                }
            ",
            world: "asyncio:rust-p2/program",
            generate_all,
            runtime_path: "wit_bindgen::rt",
            pub_export_macro: true,
            export_macro_name: "__export_run_blocking",
        });
    }
}

/// Returns a duration as the timeout of a call, in nanoseconds; 584 years at the most.
pub fn timeout(duration: Duration) -> Option<u64> {
    Some(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}

/// Makes the component a command of WASI 0.2, which every host runs: its main function is `main`.
///
/// `main` is a `fn` without arguments, and returns `()` or a `Result<(), E>` with any error that has a text. An error is printed
/// to standard error, on one line and [escaped](crate::cli::escaped), and the program ends with the status 1.
///
/// The program ends when its closed connections have ended their lingering ([`linger`](crate::blocking::linger)), 35 s later at
/// most. [`blocking`](crate::blocking) has an example.
#[macro_export]
macro_rules! run_blocking {
    ($main:path) => {
        const _: () = {
            // A name that no main function's path begins with.
            struct __Program;

            impl $crate::blocking::bindings::wasi02::exports::wasi::cli::run::Guest for __Program {
                fn run() -> ::core::result::Result<(), ()> {
                    $crate::blocking::finish($main())
                }
            }

            // Other systems have no place for such a name.
            #[cfg(target_family = "wasm")]
            $crate::blocking::bindings::wasi02::__export_run_blocking!(
                __Program with_types_in $crate::blocking::bindings::wasi02
            );
            #[cfg(not(target_family = "wasm"))]
            const _: () = {
                use $crate::blocking::bindings::wasi02::exports::wasi::cli::run::Guest;
                let _checked = <__Program as Guest>::run;
            };
        };
    };
}

/// The end of a command: reports the error, and waits for closed connections.
#[doc(hidden)]
#[allow(
    clippy::result_unit_err,
    reason = "the result of `wasi:cli/run`, whose error has no content"
)]
pub fn finish(outcome: impl Outcome) -> Result<(), ()> {
    let result = outcome.into_result().map_err(|reason| {
        cli::eprintln(format_args!("error: {}", crate::cli::escaped(&reason)));
    });
    // Each connection has its own bound.
    linger(None);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_becomes_nanoseconds() {
        assert_eq!(timeout(Duration::ZERO), Some(0));
        assert_eq!(timeout(Duration::from_micros(3)), Some(3_000));
        assert_eq!(timeout(Duration::MAX), Some(u64::MAX));
    }
}
