//! The folders of the checkout. All paths are relative to it, whatever the current folder is.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

/// The folder of the workspace.
pub fn root() -> PathBuf {
    // At run time, because a checkout may be moved together with its target folder.
    let manifest =
        std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let above = Path::new(&manifest).ancestors();
    let mut above = above.filter(|folder| folder.join("xtask/Cargo.toml").is_file());
    above.next().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// The folder of all build output.
pub fn target() -> PathBuf {
    root().join("target")
}

/// The folder of the built components.
pub fn components() -> PathBuf {
    target().join("components")
}

/// The folder of the programs that were built because this machine had none.
pub fn tools() -> PathBuf {
    target().join("tools")
}

/// The cargo that runs this program.
pub fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The compiler that goes with [`cargo`].
pub fn rustc() -> OsString {
    std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

/// `program` in the workspace's folder, without the variables that cargo set for this program.
pub fn clean(program: impl Into<OsString>) -> Command {
    let mut command = Command::new(program.into());
    command.current_dir(root());
    for (name, _) in std::env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        // Each command line names the target and its folder.
        let ours = text.starts_with("CARGO_PKG_")
            || text.starts_with("CARGO_MANIFEST_")
            || matches!(
                text,
                "CARGO_TARGET_DIR" | "CARGO_BUILD_TARGET" | "CARGO_BUILD_TARGET_DIR"
            );
        if ours {
            command.env_remove(text);
        }
    }
    command
}

/// `folders`, then the folders of PATH.
pub fn path_with(folders: impl IntoIterator<Item = PathBuf>) -> OsString {
    let known = std::env::var_os("PATH").unwrap_or_default();
    let folders = folders.into_iter().chain(std::env::split_paths(&known));
    // Joining fails only for a folder with the separator in its name; PATH is unchanged then.
    std::env::join_paths(folders).unwrap_or(known)
}

/// The first file on PATH with this name.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// The files in a folder whose names end with this extension, sorted. A folder that does not exist has none.
///
/// # Errors
/// When the folder cannot be read.
pub fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.and_then(|entries| entries.collect::<Result<Vec<_>, _>>()),
    };
    let entries = entries.with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files: Vec<_> = entries.iter().map(fs::DirEntry::path).collect();
    files.retain(|file| file.extension().is_some_and(|of| of == extension));
    files.sort();
    Ok(files)
}

/// A path relative to the checkout's folder, for messages.
pub fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}
