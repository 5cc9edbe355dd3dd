//! `cargo xtask reproduce`: builds the components a second time, in another folder, and compares all bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

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
    checkout::remove(&again)?;
    let mut clone = checkout::clean("git");
    clone.args(["clone", "--quiet", "."]).arg(&again);
    process::run(&mut clone, "`git clone`")?;
    let mut second = cargo::plain("--locked xtask build --toolchain");
    second.current_dir(&again).arg(choice.to_string());
    process::run(&mut second, "the second build")?;
    let (ours, others) = (checkout::components(), again.join("target/components"));
    let (one, other) = (contents(&ours)?, contents(&others)?);
    let names: BTreeSet<_> = one.keys().chain(other.keys()).collect();
    let different = names
        .iter()
        .filter(|name| one.get(**name) != other.get(**name));
    let different: Vec<_> = different.map(|name| name.to_string_lossy()).collect();
    ensure!(
        different.is_empty(),
        "these components differ or exist once, in {} and {}: {}",
        checkout::shown(&ours),
        checkout::shown(&others),
        different.join(", ")
    );
    ensure!(!names.is_empty(), "there are no components to compare");
    println!("{} components are equal, byte by byte", names.len());
    checkout::remove(&again)
}

/// The components for users in a folder, by their names.
fn contents(components: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut contents = BTreeMap::new();
    for folder in FOLDERS {
        for file in checkout::files(&components.join(folder), "wasm")? {
            let name = file.strip_prefix(components)?.to_owned();
            let content =
                fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            contents.insert(name, content);
        }
    }
    Ok(contents)
}
