//! `cargo xtask reproduce`: builds the components a second time, in another folder, and compares all bytes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use crate::toolchain::Choice;
use crate::{build, cargo, checkout, process};

/// The folders of components for users, in `target/components`.
const FOLDERS: [&str; 2] = ["", "examples"];

/// Builds the components in this checkout, and those of its last commit in a clone of it, and compares them.
///
/// # Errors
/// When a file is not committed, something does not build, or two files differ. The error names the files.
pub(crate) fn reproduce(choice: Choice) -> Result<()> {
    let mut status = checkout::clean("git");
    status.args(["status", "--porcelain"]);
    let changed = process::output_of(&mut status).context("`git status` failed")?;
    ensure!(
        changed.is_empty(),
        "the second build has the last commit only; commit these files or remove them first:\n{changed}"
    );
    build::build(choice)?;
    let again = checkout::target().join("again");
    remove(&again)?;
    let mut clone = checkout::clean("git");
    clone.args(["clone", "--quiet", "."]).arg(&again);
    process::run(&mut clone, "`git clone`")?;
    let mut second = cargo::plain("--locked xtask build --toolchain");
    second.current_dir(&again).arg(choice.to_string());
    process::run(&mut second, "the second build")?;
    let others = again.join("target/components");
    let mut compared = 0;
    let mut different = Vec::new();
    for folder in FOLDERS {
        let (one, other) = (checkout::components().join(folder), others.join(folder));
        for name in names(&one)?.union(&names(&other)?) {
            let [one, other] = [&one, &other].map(|folder| fs::read(folder.join(name)).ok());
            if one != other {
                different.push(Path::new(folder).join(name).display().to_string());
            }
            compared += 1;
        }
    }
    if !different.is_empty() {
        bail!(
            "these components differ or exist once, in {} and {}: {}",
            checkout::shown(&checkout::components()),
            checkout::shown(&others),
            different.join(", ")
        );
    }
    ensure!(compared > 0, "there are no components to compare");
    println!("{compared} components are equal, byte by byte");
    remove(&again)
}

fn names(folder: &Path) -> Result<BTreeSet<PathBuf>> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let names = entries.flatten().map(|entry| entry.file_name().into());
    Ok(names
        .filter(|name: &PathBuf| name.extension().is_some_and(|end| end == "wasm"))
        .collect())
}

fn remove(folder: &Path) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))
}
