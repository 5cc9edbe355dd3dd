//! `cargo xtask dist`: what is given to people, into `target/dist`.

use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;

use super::{Interpreter, environment};
use crate::toolchain::Choice;
use crate::{build, checkout, process};

/// What makes wheels, in versions that are known to.
const TOOLS: [&str; 2] = ["build==1.6.1", "setuptools==84.2.1"];

/// Compiling the host from nothing takes most of it.
const DEADLINE: Duration = Duration::from_secs(45 * 60);

#[derive(Args)]
pub(crate) struct DistOptions {
    /// The wheel for Python: the package, the components and the program `streams`.
    #[arg(long, required = true)]
    python: bool,
}

/// Builds everything, and makes what is asked for.
///
/// # Errors
/// When something does not build, or there is no Python.
pub(crate) fn dist(choice: Choice, options: &DistOptions) -> Result<()> {
    if !options.python {
        bail!("nothing is asked for: --python makes the wheel");
    }
    build::build(choice)?;
    let mut command = checkout::native_cargo("build");
    command.args(["--release", "--package", "asyncio-streams-host"]);
    process::run(
        &mut command,
        "`cargo build` of the program streams",
        DEADLINE,
    )?;
    wheel()
}

/// Makes the wheel of what is built.
fn wheel() -> Result<()> {
    let mut command = checkout::clean(environment("dist", &TOOLS)?);
    command.arg(checkout::root().join("bindings/python/tools/wheel.py"));
    process::run(&mut command, "making the wheel", DEADLINE)
}

/// Makes the wheel, installs it where nothing else is, and tests it there; then some packages of Python's index.
///
/// # Errors
/// When a test fails, or Python's index cannot be reached.
pub(crate) fn test_installed(python: &Interpreter) -> Result<()> {
    wheel()?;
    for arguments in [
        ["-m", "unittest", "tests.python.installed.test_installed"].as_slice(),
        &["tests/python/packages/run.py", "--short"],
    ] {
        let mut command = checkout::clean(&python.program);
        command.args(arguments).current_dir(checkout::root());
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        process::run(&mut command, &arguments.join(" "), DEADLINE)?;
    }
    Ok(())
}
