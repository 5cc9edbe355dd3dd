//! Python with uvloop, in an environment below target/.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use xtask::{checkout, process};

/// The interpreter of the peers in Python.
pub(crate) struct Python {
    pub(crate) program: PathBuf,
    /// `CPython 3.13.5`.
    pub(crate) version: String,
    /// The version of uvloop; none if it cannot be installed.
    pub(crate) uvloop: Option<String>,
}

/// Makes an environment, with uvloop if `uvloop` is set.
///
/// # Errors
/// When there is no Python that can make environments.
pub(crate) fn get(uvloop: bool) -> Result<Python> {
    let folder = crate::folder().join("python");
    let program = folder.join("bin/python");
    if version(&program).is_none() {
        let mut command = checkout::clean("python3");
        command.args(["-m", "venv", "--clear"]).arg(&folder);
        process::run(&mut command, "making an environment for Python")
            .context("the peers in Python need a `python3` with its module `venv`")?;
    }
    let version = version(&program)
        .context("the peers in Python: their interpreter does not report its version")?;
    let has = |program: &Path| print(program, "import uvloop; print(uvloop.__version__)");
    if uvloop && has(&program).is_none() {
        let mut command = checkout::clean(&program);
        command.args(["-m", "pip", "install", "--quiet", "uvloop"]);
        if let Err(error) = process::run(
            &mut command,
            "getting uvloop from Python's package registry",
        ) {
            eprintln!("\n!!! Left out: the peer uvloop ({error:#})");
        }
    }
    Ok(Python {
        uvloop: has(&program),
        program,
        version,
    })
}

fn version(program: &Path) -> Option<String> {
    print(
        program,
        "import platform as p; print(p.python_implementation(), p.python_version())",
    )
}

fn print(program: &Path, code: &str) -> Option<String> {
    process::output_of(Command::new(program).args(["-c", code]))
}
