//! `serve.wasm`: a command that listens on the addresses it is given and calls the composed handler's
//! `client-connected` for each connection, all of them concurrently.
//!
//! It exits with 0 when all went well, with 1 when it could not serve or had to abort clients.

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
mod output;
mod protection;
mod serving;

use arguments::Request;
use bindings::wasi::cli::environment;
use output::Output;

struct Serve;

bindings::export!(Serve with_types_in bindings);

impl bindings::exports::wasi::cli::run::Guest for Serve {
    async fn run() -> Result<(), ()> {
        let mut output = Output::open();
        let result = match arguments::parse(environment::get_arguments()) {
            Ok(Request::Help) => {
                output.print(arguments::USAGE).await;
                Ok(())
            }
            Ok(Request::Serve(arguments)) => serving::serve(&arguments, &mut output).await,
            Err(reason) => {
                output.log(&format!("{reason}\n{}", arguments::USAGE)).await;
                Err(())
            }
        };
        output.close().await;
        result
    }
}
