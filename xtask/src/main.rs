//! Automation: builds, composes, tests and demonstrates everything here. `cargo xtask help` lists the commands.

mod artifacts;
mod bench;
mod build;
mod by_hand;
mod checkout;
mod ci;
mod clang;
mod debian;
mod demo;
mod fuzz;
mod linker;
mod process;
mod python;
mod readme;
mod shell;
mod soak;
mod steps;
mod strip;
mod test;
mod toolchain;
mod tools;
mod wasm;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::toolchain::Choice;

/// Builds, composes, tests and demonstrates the asyncio:streams components.
#[derive(Parser)]
#[command(name = "xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// The compiler that makes WebAssembly; auto takes what is there, then what can be installed.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        env = "XTASK_TOOLCHAIN"
    )]
    toolchain: Choice,
}

#[derive(Subcommand)]
enum Command {
    /// Build the components and compose the examples, into target/components.
    Build(build::Options),
    /// Build, then let an echo client and an echo server, both composed, talk over loopback TCP.
    Demo(demo::Options),
    /// Build, then run every test.
    Test(test::Options),
    /// Build, then run CPython's own tests of asyncio's streams inside a component, with asyncio's own streams and with ours.
    TestPython(python::Options),
    /// Build, then make what is given to people, into target/dist.
    Dist(python::DistOptions),
    /// Build, then check random operations on many connections for minutes; no part of the tests, which have a short one.
    Soak(soak::Options),
    /// Build, then measure the components beside asyncio, uvloop, native tokio and raw sockets; fifteen minutes for everything.
    Bench(bench::Options),
    /// What a change must pass: format, lints and documentation as errors, build, every test.
    Ci,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Build(options) => build::run(cli.toolchain, &options),
        Command::Demo(options) => demo::demo(cli.toolchain, &options),
        Command::Test(options) => test::test(cli.toolchain, &options),
        Command::TestPython(options) => python::test_python(cli.toolchain, &options),
        Command::Dist(options) => python::dist(cli.toolchain, &options),
        Command::Soak(options) => soak::soak(cli.toolchain, &options),
        Command::Bench(options) => bench::bench(cli.toolchain, &options),
        Command::Ci => ci::ci(cli.toolchain),
    };
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
