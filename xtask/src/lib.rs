//! Automation: builds, composes, tests and demonstrates everything here. `cargo xtask help` lists the commands.
//!
//! The public modules serve the benchmark, which builds its peers with them.

mod artifacts;
mod bench;
mod binaries;
pub mod build;
pub mod cargo;
pub mod checkout;
mod ci;
pub mod clang;
mod compiler;
mod debian;
mod demo;
mod dist;
mod fuzz;
mod javascript;
pub mod languages;
mod linker;
mod node;
pub mod process;
pub mod python;
mod readme;
mod reproduce;
mod shell;
mod soak;
mod steps;
mod stripped;
mod test;
mod test_python;
pub mod toolchain;
pub mod tools;
pub mod wasm;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::toolchain::Choice;

/// Builds, composes, tests and demonstrates the asyncio:streams components.
#[derive(Parser)]
#[command(name = "xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// The compiler for WebAssembly; auto takes an installed one, else installs one.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        env = toolchain::VARIABLE
    )]
    toolchain: Choice,
}

#[derive(Subcommand)]
enum Command {
    /// Build the components and compose the examples, into target/components.
    Build(build::Options),
    /// Build, then run a composed echo client and a composed echo server over loopback TCP.
    Demo(demo::Options),
    /// Build, then run every test.
    Test(test::Options),
    /// Build, then run CPython's own tests of asyncio's streams inside a component, with asyncio's streams and with
    /// this project's.
    TestPython(test_python::Options),
    /// Build, then check random operations on many connections for minutes; the tests include a short run.
    Soak(soak::Options),
    /// Build, then compare the components with asyncio, uvloop, native tokio and raw sockets; takes 25 minutes.
    #[command(disable_help_flag = true)]
    Bench(bench::Options),
    /// Build the programs in C, C++ and Go, into target/components/c and target/components/go.
    Languages,
    /// Build the programs in JavaScript, into target/components/js, and test them on wasmtime and on Node; takes minutes.
    Javascript,
    /// Make the files of a release, in target/dist; takes half an hour, because every crate is built from its
    /// package.
    Dist(dist::Options),
    /// Build the components again in a clone of this checkout, and compare all bytes; takes as long as two builds.
    Reproduce,
    /// Run the checks that every change must pass: format, lints, documentation, build, every test.
    Ci,
}

/// Runs the command that the arguments name, and reports its error.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Build(options) => build::run(cli.toolchain, &options),
        Command::Demo(options) => demo::demo(cli.toolchain, &options),
        Command::Test(options) => test::test(cli.toolchain, &options),
        Command::TestPython(options) => test_python::test_python(cli.toolchain, &options),
        Command::Soak(options) => soak::soak(cli.toolchain, &options),
        Command::Bench(options) => bench::bench(cli.toolchain, &options),
        Command::Languages => languages::build_available(),
        Command::Javascript => javascript::javascript(cli.toolchain),
        Command::Dist(options) => dist::dist(cli.toolchain, &options),
        Command::Reproduce => reproduce::reproduce(cli.toolchain),
        Command::Ci => ci::ci(cli.toolchain),
    };
    report(done)
}

/// Prints an error with its causes. Returns the exit status of a command.
#[must_use]
pub fn report(done: anyhow::Result<()>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error}");
            for cause in error.chain().skip(1) {
                eprintln!("  because: {cause}");
            }
            ExitCode::FAILURE
        }
    }
}
