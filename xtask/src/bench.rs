//! `cargo xtask bench`: runs the benchmark, a separate program in `bench/harness`.

use std::time::Duration;

use anyhow::Result;
use clap::Args;

use crate::toolchain::{self, Choice};
use crate::{cargo, process};

/// Many runs of a long measurement of everything; each run has a shorter deadline.
const DEADLINE: Duration = Duration::from_secs(24 * 60 * 60);

/// The arguments of the benchmark, which parses them itself.
#[derive(Args)]
pub(crate) struct Options {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Builds the benchmark and runs it, with its own arguments.
///
/// # Errors
/// When it does not build, or fails.
pub(crate) fn bench(choice: Choice, options: &Options) -> Result<()> {
    let mut command =
        cargo::native("run --locked --profile quick --package asyncio-streams-bench-harness --");
    command.args(&options.arguments);
    command.env(toolchain::VARIABLE, choice.to_string());
    process::run_within(&mut command, "the benchmark", DEADLINE)
}

/// Runs each workload once for a short time, to check that it works.
///
/// # Errors
/// As [`bench`].
pub(crate) fn smoke(choice: Choice) -> Result<()> {
    let arguments = vec!["--smoke".to_owned()];
    bench(choice, &Options { arguments })
}
