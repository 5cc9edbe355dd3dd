//! The CPythons of the machine at hand.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{checkout, process};

/// The names to look for on PATH, the newest first.
const NAMES: [&str; 7] = [
    "python3.15",
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
    "python3",
];

/// A CPython of this machine.
#[derive(Clone, Debug)]
pub(crate) struct Interpreter {
    pub(crate) program: PathBuf,
    /// As `3.13.5`.
    pub(crate) version: String,
    number: (u32, u32),
}

impl Interpreter {
    /// What `print(...)` of an expression says.
    pub(super) fn print(&self, import: &str, expression: &str) -> Option<String> {
        let code = format!("import {import}; print({expression})");
        process::output_of(Command::new(&self.program).args(["-c", &code]))
    }

    /// Whether it is 3.MINOR or later.
    pub(super) fn is_at_least(&self, minor: u32) -> bool {
        self.number >= (3, minor)
    }
}

/// One that can make environments: the one that people get by its plain name, if it will do.
///
/// # Errors
/// When there is none.
pub(super) fn any() -> Result<Interpreter> {
    let mut all = all();
    all.sort_by_key(|python| !python.program.ends_with("python3"));
    all.into_iter()
        .find(|python| {
            python.is_at_least(10) && python.print("venv, ensurepip", "venv.__name__").is_some()
        })
        .context("there is no such Python on PATH")
}

/// The newest one that runs what the tests and the benchmark compare with: 3.11 or later.
///
/// # Errors
/// When there is none.
pub(crate) fn stock() -> Result<Interpreter> {
    all()
        .into_iter()
        .find(|python| python.is_at_least(11))
        .context("there is no Python 3.11 or later on PATH")
}

/// All of them, the newest first.
pub(super) fn all() -> Vec<Interpreter> {
    let mut found: Vec<_> = NAMES
        .iter()
        .filter_map(|name| checkout::on_path(name))
        .chain(of_pyenv())
        .filter_map(|program| look_at(&program))
        .collect();
    found.sort_by_key(|python| std::cmp::Reverse(numbers(&python.version)));
    found
}

/// Those that pyenv has; on PATH it has one program for all, which starts one of them only.
fn of_pyenv() -> Vec<PathBuf> {
    let root = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".pyenv"));
    let versions = root.or(home).map(|root| root.join("versions"));
    let entries = versions.and_then(|versions| std::fs::read_dir(versions).ok());
    entries
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin/python3"))
        .filter(|program| program.is_file())
        .collect()
}

fn look_at(program: &Path) -> Option<Interpreter> {
    let code = "import platform as p; print(p.python_implementation(), p.python_version())";
    let said = process::output_of(Command::new(program).args(["-c", code]))?;
    let version = said.strip_prefix("CPython ")?.to_owned();
    let [major, minor, ..] = numbers(&version)[..] else {
        return None;
    };
    Some(Interpreter {
        program: program.to_owned(),
        version,
        number: (major, minor),
    })
}

/// `3.13.5` as numbers. What is no number, as in `3.15.0a1`, ends them.
fn numbers(version: &str) -> Vec<u32> {
    version
        .split('.')
        .map_while(|part| part.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(numbers("3.13.0") > numbers("3.9.18"));
        assert!(numbers("3.13.10") > numbers("3.13.9"));
        assert_eq!(numbers("3.15.0a1"), [3, 15]);
    }
}
