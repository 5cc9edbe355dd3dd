//! Third-party programs that the automation uses. They are found on PATH, or built once into `target/tools`.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};
use semver::{Version, VersionReq};

use crate::process::Running;
use crate::{cargo, checkout, process};

/// The packages that run components. They are always built together: each alone enables other features of wasmtime,
/// and would compile it again.
pub(crate) const HOSTS: [&str; 3] = [
    "asyncio-streams-host",
    "asyncio-streams-tests",
    "asyncio-streams-test-tools",
];

/// A program that is built together with the tests, whose dependencies it shares: `tests/tools` depends on its crate.
pub struct Tool {
    program: &'static str,
    version: &'static str,
    /// The versions that fit.
    fits: &'static str,
}

/// Runs components, as users without Rust do.
pub const WASMTIME: Tool = Tool {
    program: "wasmtime",
    version: "48.0.8",
    fits: ">=48, <50",
};

/// Composes components.
pub const WAC: Tool = Tool {
    program: "wac",
    version: "0.12.0",
    fits: "0",
};

/// The program `streams`, built in a profile: `shipped` is that of releases.
///
/// # Errors
/// When it does not build.
pub fn streams_in(profile: &str) -> Result<PathBuf> {
    cargo::program(profile, &["asyncio-streams-host"], "streams")
}

/// The program `streams`, built with the tests' features: no dependency is built twice.
///
/// # Errors
/// When it does not build.
pub fn streams() -> Result<PathBuf> {
    build_with_the_tests("streams")
}

/// Builds all programs that run or compose components, and returns this one.
fn build_with_the_tests(name: &str) -> Result<PathBuf> {
    process::run(&mut with_the_tests(), BUILDING)?;
    Ok(cargo::built("release", name))
}

const BUILDING: &str = "building the programs that run components";

/// Starts the same build beside other steps: each leaves cores idle at times. Steps that use cargo's folder `release` wait for its
/// end.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn start_build_with_the_tests() -> Result<Running> {
    let log = checkout::tools().join("build.log");
    Running::start_into(log, &mut with_the_tests(), BUILDING)
}

fn with_the_tests() -> Command {
    // A test among the targets enables the features of the tests' dependencies, as the tests do.
    let mut command = cargo::native(
        "build --locked --release --bin wasmtime --bin wac --bin streams --test programs_and_tests",
    );
    command.args(cargo::packages(&HOSTS));
    command.args(cargo::packages(&["wasmtime-cli", "wac-cli"]));
    command
}

impl Tool {
    /// Finds the program on PATH or in `target/tools`, or builds it.
    ///
    /// # Errors
    /// When it cannot be built. The error names another way to get it.
    pub fn get(&self) -> Result<PathBuf> {
        let (program, version) = (self.program, self.version);
        let built = cargo::built("tools/bin", program);
        let mut candidates = checkout::on_path(program)
            .into_iter()
            .chain([built.clone()]);
        if let Some(found) = candidates.find(|file| reports(file, "--version", self.fits)) {
            return Ok(found);
        }
        eprintln!("PATH has no {program} that fits: building {version} once, which takes minutes");
        let done = build_with_the_tests(program).and_then(|file| {
            // A later build does not remove the copy.
            fs::create_dir_all(built.with_file_name(""))?;
            Ok(fs::copy(file, &built).map(drop)?)
        });
        done.with_context(|| {
            format!("the program {program} {version} could not be built (cargo says why above): put one on PATH")
        })?;
        Ok(built)
    }
}

/// Returns whether a program can be run and reports a version that fits, such as `wasmtime 48.0.8` or `v20.1.0`.
pub(crate) fn reports(program: impl Into<OsString>, argument: &str, wanted: &str) -> bool {
    let said = process::output_of(checkout::clean(program).arg(argument));
    said.is_some_and(|said| fits(&said, wanted))
}

/// Returns whether one of these words is a version that fits. Words may begin with letters: `go1.27.3`.
pub(crate) fn fits(said: &str, wanted: &str) -> bool {
    let mut versions = said
        .split_whitespace()
        .filter_map(|word| Version::parse(word.trim_start_matches(char::is_alphabetic)).ok());
    VersionReq::parse(wanted).is_ok_and(|wanted| versions.any(|version| wanted.matches(&version)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        for (said, wanted) in [
            ("wasmtime 48.0.8 (0123abc 2026-01-01)", WASMTIME.fits),
            ("wasmtime 49.0.0", WASMTIME.fits),
            ("wac-cli 0.12.0", WAC.fits),
            ("v20.20.2", ">=20"),
            ("v100.0.0", ">=20"),
            ("go version go1.27.3 linux/amd64", "~1.27"),
            ("rustc 1.100.0 (0123abc)", ">=1.95"),
            ("1.95.0", ">=1.95"),
        ] {
            assert!(fits(said, wanted), "{said}");
        }
        for (said, wanted) in [
            ("wasmtime 47.0.1", WASMTIME.fits),
            ("v18.19.0", ">=20"),
            ("go version go1.26.1 linux/amd64", "~1.27"),
            ("1.85.0", ">=1.95"),
            ("of an unknown version", ">=1.95"),
            ("", "*"),
        ] {
            assert!(!fits(said, wanted), "{said}");
        }
    }

    #[test]
    fn the_readme_installs_the_version_of_the_tests() {
        let readme = fs::read_to_string(checkout::root().join("README.md")).expect("the README");
        let line = format!("cargo install wac-cli --version {} --locked", WAC.version);
        assert!(readme.contains(&line), "{line}");
    }
}
