//! `streams`: composes components to programs, runs them, and serves them.

mod compile;
mod compose;
mod grants;
mod input;
mod load;
#[cfg(unix)]
mod log;
mod run;
#[cfg(unix)]
mod serve;
#[cfg(unix)]
mod systemd;
#[cfg(unix)]
mod units;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Composes components that use asyncio:streams, runs them, and serves them.
#[derive(Parser)]
#[command(name = "streams", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a program: like `wasmtime run`, with a network that is granted piece by piece.
    Run(run::Run),
    /// Serve a program that listens, with all cores: the host accepts connections, and workers run the program.
    #[cfg(unix)]
    Serve(Box<serve::Serve>),
    /// Compile a program, so that it starts at once.
    Compile(compile::Compile),
    /// Join parts to one program, in whatever order they are given.
    Compose(compose::Compose),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run(run) => run.execute(),
        #[cfg(unix)]
        Command::Serve(serve) => serve.execute(),
        Command::Compile(compile) => compile.execute(),
        Command::Compose(compose) => compose.execute(),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("streams: {error:#}");
            ExitCode::FAILURE
        }
    }
}
