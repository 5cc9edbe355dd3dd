//! Runs cargo.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::{checkout, process};

/// The format of messages that [`artifacts`] reads.
pub(crate) const MESSAGES: &str = "json-render-diagnostics";

/// `cargo WORDS` in the workspace, for this machine. The first word is the subcommand.
pub fn native(words: &str) -> Command {
    let mut command = plain(words);
    command.env("CARGO_TARGET_DIR", checkout::target());
    command
}

/// `cargo WORDS` for a subcommand that builds nothing.
pub(crate) fn plain(words: &str) -> Command {
    let mut command = checkout::clean(checkout::cargo());
    command.args(words.split_whitespace());
    command
}

/// The options that name packages.
pub(crate) fn packages<'a>(names: &[&'a str]) -> impl Iterator<Item = &'a str> {
    names.iter().flat_map(|name| ["--package", name])
}

/// Builds a program of the workspace for this machine, and returns it. Packages that are built together share dependencies with equal
/// features.
///
/// # Errors
/// When it does not build.
pub fn program(profile: &str, together: &[&str], name: &str) -> Result<PathBuf> {
    let mut command = native("build --locked");
    command.args(["--profile", profile, "--bin", name]);
    command.args(packages(together));
    process::run(&mut command, &format!("building the program {name}"))?;
    Ok(built(profile, name))
}

/// A program in a folder of build output, such as that of a profile.
pub(crate) fn built(folder: &str, name: &str) -> PathBuf {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    checkout::target().join(folder).join(file)
}

/// Runs a build with `--message-format` [`MESSAGES`], and returns the messages about what it has compiled.
///
/// # Errors
/// When it fails.
pub(crate) fn artifacts(build: &mut Command, what: &str) -> Result<Vec<Value>> {
    let mut artifacts = Vec::new();
    process::run_reading(build, what, |line| {
        let message: Option<Value> = serde_json::from_str(line).ok();
        artifacts.extend(message.filter(|of| of["reason"] == "compiler-artifact"));
    })?;
    Ok(artifacts)
}

/// The packages and targets of a workspace, as cargo reports them.
///
/// # Errors
/// When cargo cannot read the manifests.
pub(crate) fn metadata(options: &str) -> Result<Value> {
    let mut command = plain("metadata --format-version 1 --locked");
    command.args(options.split_whitespace());
    let said = process::output_of(&mut command).context("`cargo metadata` failed")?;
    Ok(serde_json::from_str(&said)?)
}
