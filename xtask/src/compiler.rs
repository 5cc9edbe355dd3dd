//! A compiler for WebAssembly, and its answers to questions.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::{checkout, process};

/// A compiler and everything else that a component needs.
pub struct Toolchain {
    /// Its cargo.
    pub cargo: OsString,
    /// The compiler itself.
    pub rustc: OsString,
    /// Whether cargo has to build the target's library from the compiler's source.
    pub builds_std: bool,
    /// Its name for messages.
    pub name: String,
    /// The folder of its output. Each compiler has one, so that changing the compiler rebuilds nothing.
    pub target_dir: PathBuf,
}

/// The output of `rustc --print WORDS`.
pub fn rustc_print(rustc: &OsString, words: &str) -> Option<PathBuf> {
    let mut command = checkout::clean(rustc);
    command.arg("--print").args(words.split(' '));
    process::output_of(&mut command).map(PathBuf::from)
}

/// The version of a compiler, as `1.95.0`.
pub(crate) fn version_of(rustc: &OsString) -> String {
    let said = process::output_of(checkout::clean(rustc).arg("--version")).unwrap_or_default();
    said.split_whitespace()
        .nth(1)
        .unwrap_or("of an unknown version")
        .to_owned()
}
