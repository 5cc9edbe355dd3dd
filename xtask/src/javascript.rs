//! `cargo xtask javascript`: the programs in JavaScript, into `target/components/js`, and their tests on wasmtime and on Node.
//!
//! That takes minutes, so the tests of every change only run components on Node.

use std::path::PathBuf;

use anyhow::Result;

use crate::languages::JAVASCRIPT;
use crate::steps::Tally;
use crate::toolchain::Choice;
use crate::{build, cargo, checkout, node, process, tools};

/// The variable by which the tests find the script that runs components on Node.
pub(crate) const VARIABLE: &str = "NODE_SCRIPT";

/// Builds the programs in JavaScript, and runs the tests of both, also those that take minutes.
///
/// # Errors
/// When there is no Node or npm, a program does not build, or a test fails.
pub(crate) fn javascript(choice: Choice) -> Result<()> {
    JAVASCRIPT.build(JAVASCRIPT.make()?)?;
    let toolchain = build::build(choice)?;
    build::test_programs(&toolchain)?;
    let mut command = cargo::native("test --locked --release");
    command.args(cargo::packages(&tools::HOSTS));
    command.args(["--test", "javascript", "--", "--include-ignored"]);
    command.env("WASMTIME", tools::WASMTIME.get()?);
    command.env(VARIABLE, script());
    process::run(&mut command, "the tests of programs in JavaScript")
}

/// Installs the script that runs components on Node, with its packages. Returns nothing, with a message, where it is left out.
///
/// # Errors
/// When `required` forbids to leave it out.
pub(crate) fn install(required: bool, tally: &mut Tally) -> Result<Option<PathBuf>> {
    if required {
        node::require()?;
    }
    let what = "installing what runs components on Node";
    let make = JAVASCRIPT.make();
    let installed = make
        .and_then(|mut make| process::run(make.arg("running"), what))
        .map(|()| script());
    tally.optional(required, "components on Node", installed)
}

fn script() -> PathBuf {
    checkout::target().join("js/run.js")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_lock_file_names_checksums_and_no_registry() {
        let file = checkout::root().join("bindings/js/package-lock.json");
        let lock = fs::read_to_string(file).expect("the lock file");
        let lock: serde_json::Value = serde_json::from_str(&lock).expect("JSON");
        let packages = lock["packages"].as_object().expect("packages");
        for (name, package) in packages.iter().filter(|(name, _)| !name.is_empty()) {
            assert!(package["integrity"].is_string(), "{name} has no checksum");
            assert!(package["resolved"].is_null(), "{name} names a registry");
        }
    }
}
