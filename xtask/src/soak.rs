//! `cargo xtask soak`: random conversations over many connections, for minutes; then a million messages and 100,000 short
//! connections to servers whose processes' memory is watched. The tests have short ones.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;

use crate::toolchain::Choice;
use crate::{build, checkout, process, tools};

/// Compiling, and ending what has begun.
const AROUND: Duration = Duration::from_secs(45 * 60);

#[derive(Args)]
pub(crate) struct Options {
    /// For how long; parts of minutes are fine.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// How many connections at once.
    #[arg(long, default_value_t = 64)]
    connections: u32,
}

/// Messages to a saturated server, and connections to one, while the memory of its process is watched.
const MESSAGES: u32 = 1_000_000;
const CONNECTIONS: u32 = 100_000;

/// Builds, then lets both ends of many connections do random operations; every byte is checked, and memory must not grow.
///
/// # Errors
/// When something was lost, memory grew, or something does not build.
pub(crate) fn soak(choice: Choice, options: &Options) -> Result<()> {
    let Options {
        minutes,
        connections,
    } = options;
    // No more than a year: a duration has to hold it.
    if !(*minutes > 0.0 && *minutes < 525_600.0) {
        bail!("{minutes} is no number of minutes that can be waited for");
    }
    let toolchain = build::build(choice)?;
    build::test_programs(&toolchain)?;
    let mut command = test("soak");
    command
        .env("SOAK_MINUTES", minutes.to_string())
        .env("SOAK_CONNECTIONS", connections.to_string());
    let deadline = AROUND + Duration::from_secs_f64(minutes * 60.0);
    process::run(&mut command, "the soak", deadline)?;
    let mut command = test("process_memory");
    command
        .env("WASMTIME", tools::WASMTIME.get()?)
        .env("MEMORY_MESSAGES", MESSAGES.to_string())
        .env("MEMORY_CONNECTIONS", CONNECTIONS.to_string());
    process::run(&mut command, "the soak of processes", AROUND)
}

/// Runs the tests of one file, and shows what they print.
fn test(name: &str) -> Command {
    let mut command = checkout::native_cargo("test");
    command.args(["--release", "--package", "asyncio-streams-tests"]);
    command.args(["--test", name, "--", "--nocapture"]);
    command
}
