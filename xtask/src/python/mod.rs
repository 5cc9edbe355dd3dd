//! Python programs as components: the tools that make them, and the commands about them.

mod cpython;
pub(crate) mod demo;
mod dist;
mod lints;
mod machine;
mod outcome;
mod programs;
mod table;
mod test_python;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

pub(crate) use dist::{DistOptions, dist, test_installed};
pub(crate) use lints::lints;
pub(crate) use machine::{Interpreter, stock};
pub(crate) use programs::{Program, Programs, all, folder};
pub(crate) use test_python::{Options, compare, test_python};

use crate::{checkout, process};

/// What makes components of Python programs, by its name in Python's package registry. It has a CPython of its own, 3.14.
const COMPONENTIZE: &str = "componentize-py";
const VERSION: &str = "0.25.1";

/// Making the environment, and getting one package of 17 MB into it.
const DEADLINE: Duration = Duration::from_secs(10 * 60);

/// An environment of its own, in which programs become components.
pub(crate) struct Python {
    program: PathBuf,
}

impl Python {
    /// Finds the environment under `target/python`, or makes it.
    ///
    /// # Errors
    /// When there is no Python that can make environments, or no package registry: what to install.
    pub(crate) fn get() -> Result<Self> {
        Ok(Self {
            program: environment("environment", &[&format!("{COMPONENTIZE}=={VERSION}")])?,
        })
    }

    /// The environment's Python, which finds the package that is in this checkout.
    pub(crate) fn command(&self) -> Command {
        let mut command = checkout::clean(&self.program);
        command.env("PYTHONPATH", package_folder());
        // Compiled files would lie among the sources.
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }
}

/// Where everything of Python's is made.
pub(crate) fn place() -> PathBuf {
    checkout::target().join("python")
}

/// The folder that holds the package `asyncio_streams`.
pub(crate) fn package_folder() -> PathBuf {
    checkout::root().join("bindings/python")
}

/// Runs the package's own tests, of what needs no component.
///
/// # Errors
/// When one fails.
pub(crate) fn test_package(python: &Interpreter) -> Result<()> {
    let mut command = checkout::clean(&python.program);
    command.args(["-m", "unittest", "discover", "--start-directory", "tests"]);
    command
        .args(["--top-level-directory", "."])
        .current_dir(package_folder());
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    process::run(
        &mut command,
        "the tests of the package for Python",
        DEADLINE,
    )
}

/// Finds the environment of that name under `target/python`, or makes it, with these packages of Python's registry. Gives its
/// Python.
fn environment(name: &str, packages: &[&str]) -> Result<PathBuf> {
    let folder = place().join(name);
    let program = folder.join("bin/python");
    if packages.iter().all(|package| has(&program, package)) {
        return Ok(program);
    }
    let base = machine::any().context(
        "what is written in Python takes a Python 3.10 or later with its module `venv` (on Debian: python3 and python3-venv)",
    )?;
    let wanted = packages.join(", ");
    eprintln!("Making an environment for Python, once, with {wanted}");
    let mut command = checkout::clean(&base.program);
    command.args(["-m", "venv", "--clear"]).arg(&folder);
    process::run(&mut command, "making an environment for Python", DEADLINE)?;
    let mut command = checkout::clean(&program);
    command.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]);
    let what = format!("getting {wanted} from Python's package registry");
    process::run(command.args(packages), &what, DEADLINE)?;
    Ok(program)
}

/// Whether an environment has a package in its version: `NAME==VERSION`.
fn has(program: &Path, package: &str) -> bool {
    let (name, version) = package.split_once("==").unwrap_or((package, ""));
    let print = format!("import importlib.metadata as m; print(m.version('{name}'))");
    process::output_of(Command::new(program).args(["-c", &print])).as_deref() == Some(version)
}

/// Writes a file of `target/`, with the folders above it.
fn write(file: &Path, content: &[u8]) -> Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, content).with_context(|| format!("cannot write {}", file.display()))
}
