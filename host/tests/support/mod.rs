//! Shared by the tests of the program `streams`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(crate) fn streams<A: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_streams"));
    command.args(args).stdin(Stdio::null());
    command
}

/// Returns the path of a built component.
pub(crate) fn built(name: &str) -> PathBuf {
    let target = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    let folder = match std::env::var_os("COMPONENTS") {
        Some(folder) => folder.into(),
        None => std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(target, PathBuf::from)
            .join("components"),
    };
    let file = folder.join(format!("{name}.wasm"));
    assert!(
        file.exists(),
        "{} is missing. The components are built by `cargo xtask build`",
        file.display()
    );
    file
}
