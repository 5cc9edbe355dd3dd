//! `streams`: composes components to programs, and runs them.

mod compile;
mod compose;
mod input;
mod run;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Composes components that use asyncio:streams, and runs them.
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
    /// Join parts to one program, in whatever order they are given.
    Compose(compose::Compose),
    /// Compile a program to machine code, which `streams run --allow-precompiled` starts in milliseconds.
    Compile(compile::Compile),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run(run) => run.execute(),
        Command::Compose(compose) => compose.execute(),
        Command::Compile(compile) => compile.execute(),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("streams: {error:#}");
            ExitCode::FAILURE
        }
    }
}
