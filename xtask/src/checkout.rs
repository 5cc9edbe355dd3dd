//! The folders of the checkout. All paths are relative to it, whatever the current folder is.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, Result};

/// The folder of the workspace.
pub fn root() -> PathBuf {
    // At run time, because a checkout may be moved together with its target folder.
    let manifest =
        env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
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
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The compiler that goes with [`cargo`].
pub fn rustc() -> OsString {
    env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

/// The beginnings of variables that cargo sets for this program, or that name the target and its folder, which each build sets anew.
const CARGO_VARIABLES: [&str; 4] = [
    "CARGO_PKG_",
    "CARGO_MANIFEST_",
    "CARGO_TARGET_DIR",
    "CARGO_BUILD_TARGET",
];

/// `program` in the workspace's folder, without these variables.
pub fn clean(program: impl Into<OsString>) -> Command {
    let mut command = Command::new(program.into());
    command.current_dir(root());
    for name in env::vars_os().filter_map(|(name, _)| name.into_string().ok()) {
        if CARGO_VARIABLES.iter().any(|of| name.starts_with(of)) {
            command.env_remove(name);
        }
    }
    command
}

/// `folders`, then the folders of PATH.
pub fn path_with(folders: impl IntoIterator<Item = PathBuf>) -> OsString {
    let known = env::var_os("PATH").unwrap_or_default();
    let folders = folders.into_iter().chain(env::split_paths(&known));
    // Joining fails only for a folder with the separator in its name; PATH is unchanged then.
    env::join_paths(folders).unwrap_or(known)
}

/// The first file on PATH with this name.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let mut files = env::split_paths(&path).map(|folder| folder.join(name));
    files.find(|file| file.is_file())
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

/// Removes a folder, if it exists.
///
/// # Errors
/// When it cannot be removed.
pub(crate) fn remove(folder: &Path) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))
}

/// A path relative to the checkout's folder, for messages.
pub fn shown(path: &Path) -> String {
    let relative = path.strip_prefix(root()).unwrap_or(path);
    relative.display().to_string()
}
