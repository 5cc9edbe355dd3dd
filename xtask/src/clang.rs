//! Finds the C compiler for `streams-tls.wasm`: part of the cryptography is in C, and only clang compiles it to WebAssembly.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::toolchain::TARGET;
use crate::{checkout, debian, process};

/// The names of the program; Debian's packages have one for each version.
const NAMES: [&str; 8] = [
    "clang", "clang-22", "clang-21", "clang-20", "clang-19", "clang-18", "clang-17", "clang-16",
];

/// Debian's packages, the preferred one first.
const PACKAGES: [&str; 2] = ["clang-19", "clang"];

/// The first variable that crates with C code read. The user may have set it.
const VARIABLE: &str = "CC_wasm32_unknown_unknown";

/// Finds a clang that makes WebAssembly, or installs Debian's.
///
/// # Errors
/// When there is none and none can be installed. The error names the remedy.
pub fn get() -> Result<PathBuf> {
    if let Some(found) = find() {
        return Ok(found);
    }
    // Which package exists is known only after apt has fetched its lists.
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

/// Some systems have a clang without this target.
fn makes_wasm(clang: &PathBuf) -> bool {
    let mut command = checkout::clean(clang);
    command.arg(format!("--target={TARGET}"));
    command.args("-x c -c /dev/null -o /dev/null".split(' '));
    process::output_of(&mut command).is_some()
}

/// Makes the crates with C code use it.
pub fn set(command: &mut Command, clang: &PathBuf) {
    command.env(VARIABLE, clang);
    // Flags for native code do not fit WebAssembly.
    command.env_remove("CFLAGS");
    // Any archiver fits: the objects go into a Rust library.
    if std::env::var_os("AR_wasm32_unknown_unknown").is_none() {
        command.env("AR_wasm32_unknown_unknown", "ar");
    }
}
