//! `cargo xtask test-python`: CPython's tests of streams, or programs with packages, with asyncio's streams and with this project's.

use anyhow::Result;
use clap::Args;

use crate::toolchain::Choice;
use crate::{build, python, tools};

/// The options of the command.
#[derive(Args)]
pub(crate) struct Options {
    /// Run only the tests whose names contain this.
    #[arg(long, conflicts_with = "publish")]
    only: Option<String>,
    /// Put the table into docs/python.md, or with `--packages` into docs/python-packages.md.
    #[arg(long)]
    publish: bool,
    /// Run programs that use packages of Python's index instead, and the own tests of packages. It downloads them.
    #[arg(long, conflicts_with = "only")]
    packages: bool,
}

/// Builds, runs CPython's tests or programs with packages on both sides, and prints the results. Without Python or CPython's
/// tests it only reports that.
///
/// # Errors
/// When stock Python passes a test that the component does not, or something does not build.
pub(crate) fn test_python(choice: Choice, options: &Options) -> Result<()> {
    build::build(choice)?;
    let mut arguments = vec!["compare"];
    if options.packages {
        tools::streams_in("release")?;
        arguments = vec!["packages"];
    }
    if let Some(only) = &options.only {
        arguments.extend(["--only", only]);
    }
    if options.publish {
        arguments.push("--publish");
    }
    python::run(&arguments).map(drop)
}
