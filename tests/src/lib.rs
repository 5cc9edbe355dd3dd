//! Runs guest programs and reports their results: the host side of the tests.
//!
//! A test names a program of `tests/programs` and the place to run it, and checks the outcome:
//!
//! ```no_run
//! use asyncio_streams_tests::{In, Program};
//!
//! let outcome = Program::new("read_line").run(In::Concurrent);
//! outcome.assert_success();
//! ```
//!
//! or talks to it while it runs:
//!
//! ```no_run
//! use asyncio_streams_tests::{In, Program};
//!
//! let mut server = Program::handler("serve_echo").args(["127.0.0.1:0"]).start(In::CallAsync);
//! let address = server.line();
//! server.stop();
//! ```
//!
//! Most programs check themselves: they print a failed check to standard error and fail. [`programs!`] makes the
//! tests of those.

pub mod certificates;
mod components;
pub mod debian;
mod embedded;
mod names;
pub mod native;
mod output;
pub mod peers;
pub mod process_state;
mod program;
pub mod python;
pub mod resources;
mod running;
mod wasmtime_program;

pub use components::{component, folder, generator, node_script, tls};
pub use output::Output;
pub use program::{In, Network, Program};
pub use running::{Exit, Outcome, Running};
pub use wasmtime_program::wasmtime;

/// Makes tests of programs that check themselves: each runs embedded in every way, the main ones also under the
/// program `wasmtime`.
///
/// ```
/// asyncio_streams_tests::programs! {
///     embedded: [read_line, read_exactly],
///     under_wasmtime_too: [echo],
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! programs {
    (embedded: [$($name:ident),* $(,)?], under_wasmtime_too: [$($main:ident),* $(,)?] $(,)?) => {
        $(mod $name {
            $crate::programs!(@embedded $name);
        })*
        $(mod $main {
            $crate::programs!(@embedded $main);

            #[test]
            fn under_wasmtime() {
                if $crate::wasmtime().is_some() {
                    $crate::Program::new(stringify!($main)).run($crate::In::Wasmtime).assert_success();
                }
            }
        })*
    };
    (@embedded $name:ident) => {
        #[test]
        fn concurrent() {
            $crate::Program::new(stringify!($name)).run($crate::In::Concurrent).assert_success();
        }

        #[test]
        fn call_async() {
            $crate::Program::new(stringify!($name)).run($crate::In::CallAsync).assert_success();
        }
    };
}

/// Makes tests of the same programs linked: the engine is inside them, and nothing is composed. Each runs embedded and under the
/// program `wasmtime`.
///
/// ```
/// asyncio_streams_tests::linked![echo, read_exactly, read_line];
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! linked {
    ($($name:ident),* $(,)?) => {
        $(mod $name {
            #[test]
            fn call_async() {
                $crate::Program::linked(stringify!($name)).run($crate::In::CallAsync).assert_success();
            }

            #[test]
            fn under_wasmtime() {
                if $crate::wasmtime().is_some() {
                    $crate::Program::linked(stringify!($name)).run($crate::In::Wasmtime).assert_success();
                }
            }
        })*
    };
}
