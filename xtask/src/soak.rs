//! `cargo xtask soak`: random operations on many connections for minutes, then a million messages and 100,000 short
//! connections to servers whose process memory must stay flat. The tests have short forms of both.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;

use crate::toolchain::Choice;
use crate::{build, cargo, process, tools};

#[derive(Args)]
pub(crate) struct Options {
    /// The time to run, in minutes; fractions are allowed.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// The number of connections at once.
    #[arg(long, default_value_t = 64)]
    connections: u32,
}

/// The messages and connections to a server whose process memory is measured.
const MESSAGES: u32 = 1_000_000;
const CONNECTIONS: u32 = 100_000;

/// Builds, then runs random operations on both ends of many connections. Every byte is checked, and memory must not grow.
///
/// # Errors
/// When a byte was lost, memory grew, or the build fails.
pub(crate) fn soak(choice: Choice, options: &Options) -> Result<()> {
    let minutes = options.minutes;
    // At most a year, which fits a duration.
    ensure!(
        minutes > 0.0 && minutes < 525_600.0,
        "--minutes {minutes}: expected more than 0 and less than 525,600"
    );
    let toolchain = build::build(choice)?;
    build::test_programs(&toolchain)?;
    let mut command = test("soak");
    command
        .env("SOAK_MINUTES", minutes.to_string())
        .env("SOAK_CONNECTIONS", options.connections.to_string());
    // Linked, the program runs for half the time after the composed one.
    let deadline = process::DEADLINE + Duration::from_secs_f64(minutes * 1.5 * 60.0);
    process::run_within(&mut command, "the soak", deadline)?;
    let mut command = test("process_memory");
    command
        .env("WASMTIME", tools::WASMTIME.get()?)
        .env("MEMORY_MESSAGES", MESSAGES.to_string())
        .env("MEMORY_CONNECTIONS", CONNECTIONS.to_string());
    process::run(&mut command, "the soak of processes")
}

/// Runs the tests of one file, and shows their output.
fn test(name: &str) -> Command {
    let mut command = cargo::native("test --release --package asyncio-streams-tests --test");
    command.args([name, "--", "--nocapture"]);
    command
}
