//! `cargo xtask javascript`: the programs in JavaScript, into `target/components/js`, and their tests on wasmtime and on Node.
//!
//! That takes minutes, so the tests of every change only run components on Node.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::artifacts::Artifacts;
use crate::steps::Tally;
use crate::toolchain::Choice;
use crate::{build, cargo, checkout, npm, process, tools};

/// The least version of Node.
const NODE: u32 = 20;

/// The variable by which the tests find the script that runs components on Node.
pub(crate) const VARIABLE: &str = "NODE_SCRIPT";

/// The packages of npm to install.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Packages {
    /// Those that run components.
    Running,
    /// Those that make components, too.
    All,
}

/// Builds the programs in JavaScript, and runs the tests of both, also those that take minutes.
///
/// # Errors
/// When there is no Node or npm, a program does not build, or a test fails.
pub(crate) fn javascript(choice: Choice) -> Result<()> {
    let folder = install(Packages::All)?;
    let mut artifacts = Artifacts::new(&["js"]);
    for program in programs()? {
        let name = program.file_stem().context("a name")?;
        let out = folder.join(name).with_extension("wasm");
        let mut command = node();
        command.arg(folder.join("build.js")).arg(&program);
        command.args(["bindings/wit-p2", "command"]).arg(&out);
        let shown = checkout::shown(&program);
        process::run(&mut command, &format!("building {shown}"))?;
        artifacts.add(Path::new("js").join(name).with_extension("wasm"), &out)?;
    }
    artifacts.finish()?;
    let toolchain = build::build(choice)?;
    build::test_programs(&toolchain)?;
    let mut command = cargo::native("test --locked --release");
    command.args(cargo::packages(&tools::HOSTS));
    command.args(["--test", "javascript", "--", "--include-ignored"]);
    command.env("WASMTIME", tools::WASMTIME.get()?);
    command.env(VARIABLE, folder.join(SCRIPT));
    process::run(&mut command, "the tests of programs in JavaScript")
}

/// The script that runs components on Node.
const SCRIPT: &str = "run.js";

/// Installs it with its packages. Returns nothing, with a message, where it is left out.
///
/// # Errors
/// When `required` forbids to leave it out.
pub(crate) fn script(required: bool, tally: &mut Tally) -> Result<Option<PathBuf>> {
    if required {
        npm::require()?;
    }
    match install(Packages::Running) {
        Ok(folder) => Ok(Some(folder.join(SCRIPT))),
        Err(error) if required => Err(error),
        Err(error) => {
            eprintln!("\n!!! Left out: components on Node. {error:#}\n");
            tally.skipped += 1;
            Ok(None)
        }
    }
}

fn programs() -> Result<Vec<PathBuf>> {
    let folder = checkout::root().join("examples/js");
    let entries = fs::read_dir(&folder).with_context(|| checkout::shown(&folder))?;
    let files = entries.map(|entry| Ok(entry?.path()));
    let mut files: Vec<PathBuf> = files.collect::<Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "js"));
    files.sort();
    Ok(files)
}

/// Copies `bindings/js` to `target/js`, and installs the packages of its lock file there. Returns the folder.
fn install(packages: Packages) -> Result<PathBuf> {
    check_node()?;
    let folder = checkout::target().join("js");
    fs::create_dir_all(&folder)?;
    let mut changed = false;
    for entry in fs::read_dir(checkout::root().join("bindings/js"))? {
        let file = entry?;
        let (content, copy) = (fs::read(file.path())?, folder.join(file.file_name()));
        if fs::read(&copy).ok().as_ref() != Some(&content) {
            fs::write(&copy, content)?;
            changed = true;
        }
    }
    // The packages that make components include those that run them.
    let installed = |packages: Packages| {
        let package = match packages {
            Packages::Running => "jco-transpile",
            Packages::All => "componentize-js",
        };
        let modules = folder.join("node_modules");
        // npm writes the file last.
        modules.join(".package-lock.json").is_file()
            && modules.join("@bytecodealliance").join(package).is_dir()
    };
    if changed || !installed(packages) {
        let mut command = checkout::clean("npm");
        command.arg("ci").current_dir(&folder);
        if packages == Packages::Running {
            command.arg("--omit=dev");
        }
        process::run(&mut command, "`npm ci` in target/js")
            .context("the packages of bindings/js could not be installed; npm says why above")?;
    }
    Ok(folder)
}

fn node() -> Command {
    checkout::clean("node")
}

fn check_node() -> Result<()> {
    let said = process::output_of(node().arg("--version")).unwrap_or_default();
    let npm = process::output_of(checkout::clean("npm").arg("--version"));
    if !is_fit(&said) || npm.is_none() {
        bail!("it takes Node {NODE} or newer, and npm, on PATH");
    }
    Ok(())
}

/// Returns whether the words of `node --version` are a version that fits.
fn is_fit(version: &str) -> bool {
    let numbers = version.strip_prefix('v').unwrap_or_default();
    let major = numbers.split('.').next().unwrap_or_default();
    major.parse::<u32>().is_ok_and(|major| major >= NODE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_node() {
        assert!(is_fit("v20.20.2"));
        assert!(is_fit("v100.0.0"));
        for other in ["v18.19.0", "", "20.1.0", "v", "vnone"] {
            assert!(!is_fit(other), "{other}");
        }
    }

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

    #[test]
    fn there_are_programs() {
        let names: Vec<_> = programs().expect("the examples");
        assert_eq!(names.len(), 2, "{names:?}");
    }
}
