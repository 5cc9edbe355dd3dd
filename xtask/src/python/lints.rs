//! Lints, format and types of what is written in Python.

use std::path::PathBuf;

use anyhow::Result;

use super::{DEADLINE, environment, package_folder, place};
use crate::{checkout, process};

/// The tools, in versions that agree with the sources.
const TOOLS: [&str; 2] = ["ruff==0.17.6", "mypy==2.4.1"];

/// What holds for programs too: mistakes, and words that Python has better ones for.
const RULES: &str = "E4,E7,E9,F,UP";

/// Where programs in Python are, beside the package.
const PROGRAMS: [&str; 3] = ["bench", "examples/python", "tests/python"];

/// Checks the package strictly, its format and its types too, and the programs by the usual lints.
///
/// # Errors
/// When a check fails, or the tools cannot be had.
pub(crate) fn lints() -> Result<()> {
    let python = environment("lints", &TOOLS)?;
    let run = |tool: &str, arguments: &[&str], folder: PathBuf| {
        let mut command = checkout::clean(python.with_file_name(tool));
        command.args(arguments).current_dir(folder);
        // What they remember would lie among the sources.
        command.env("RUFF_CACHE_DIR", place().join("lints/ruff"));
        command.env("MYPY_CACHE_DIR", place().join("lints/mypy"));
        process::run(&mut command, &format!("`{tool}`"), DEADLINE)
    };
    run("ruff", &["check"], package_folder())?;
    run("ruff", &["format", "--check"], package_folder())?;
    run("mypy", &["asyncio_streams"], package_folder())?;
    let programs: Vec<_> = ["check", "--select", RULES]
        .into_iter()
        .chain(PROGRAMS)
        .collect();
    run("ruff", &programs, checkout::root())
}
