//! `serve.wasm`: a command that listens on addresses and calls the composed handler's `client-connected` for each
//! connection, all of them concurrently; or that calls it once, for the client on standard input and output.
//!
//! Exit codes: 0 if it succeeded, 1 if it could not serve or had to abort clients. Its options can also come from the
//! variable `STREAMS_SERVE`; `--help` describes them.

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

mod arguments;
mod bindings;
mod errors;
mod output;
mod protection;
mod serving;
mod stdio;

use arguments::Request;
use bindings::wasi::cli::environment;
use output::Output;

struct Serve;

bindings::export!(Serve with_types_in bindings);

impl bindings::exports::wasi::cli::run::Guest for Serve {
    async fn run() -> Result<(), ()> {
        let mut output = Output::open();
        let environment = environment::get_environment();
        let request = arguments::parse(environment::get_arguments(), &environment);
        let result = match request {
            Ok(Request::Help) => {
                output.print(arguments::USAGE).await;
                Ok(())
            }
            Ok(Request::Serve(arguments)) => {
                serving::serve(&arguments, &environment, &mut output).await
            }
            Ok(Request::ServeStdio(tls)) => {
                stdio::serve(tls.as_ref(), &environment, &mut output).await
            }
            Err(reason) => {
                output.log(&reason).await;
                output.complain(arguments::HINT).await;
                Err(())
            }
        };
        output.close().await;
        result
    }
}
