//! The C compiler of `streams-tls.wasm`: a part of the cryptography is in C, and only clang makes WebAssembly of it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::toolchain::TARGET;
use crate::{checkout, debian, process};

/// What people call it; Debian's packages have a program for each version.
const NAMES: [&str; 8] = [
    "clang", "clang-22", "clang-21", "clang-20", "clang-19", "clang-18", "clang-17", "clang-16",
];

/// Debian's packages, of which the first is taken that it has.
const PACKAGES: [&str; 2] = ["clang-19", "clang"];

/// Where the crates that compile C look first: whoever sets it has chosen.
const VARIABLE: &str = "CC_wasm32_unknown_unknown";

/// Finds a clang that makes WebAssembly, or installs Debian's.
///
/// # Errors
/// When there is none and none can be installed: how to get one.
pub fn get() -> Result<PathBuf> {
    if let Some(found) = find() {
        return Ok(found);
    }
    // Only the package lists know which of them there is, and they may have to be fetched first.
    let [best, other] = PACKAGES;
    let installed = debian::apt_install(&[best]).or_else(|_| debian::apt_install(&[other]));
    installed.with_context(|| {
        format!("there is no clang on PATH that makes {TARGET}, and Debian's packages {best} and {other} could not be installed")
    })?;
    find().with_context(|| format!("Debian's clang is installed, but it does not make {TARGET}"))
}

fn find() -> Option<PathBuf> {
    let chosen = std::env::var_os(VARIABLE).map(PathBuf::from);
    let known = NAMES.iter().filter_map(|name| checkout::on_path(name));
    chosen.into_iter().chain(known).find(makes_wasm)
}

/// Others have clangs without this target, under the same name.
fn makes_wasm(clang: &PathBuf) -> bool {
    let mut command = checkout::clean(clang);
    command.arg(format!("--target={TARGET}")).args([
        "-x",
        "c",
        "-c",
        "/dev/null",
        "-o",
        "/dev/null",
    ]);
    process::output_of(&mut command).is_some()
}

/// Has the crates that compile C use it.
pub fn set(command: &mut Command, clang: &PathBuf) {
    command.env(VARIABLE, clang);
    // Flags for the machine at hand do not fit WebAssembly.
    command.env_remove("CFLAGS");
    // The archiver of any system will do: the objects go into a library of Rust's.
    if std::env::var_os("AR_wasm32_unknown_unknown").is_none() {
        command.env("AR_wasm32_unknown_unknown", "ar");
    }
}
