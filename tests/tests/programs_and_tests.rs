//! Every guest program has a test, and every source file is a program.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A program without a test would look like one that passes.
#[test]
fn every_program_has_its_test() -> Result<()> {
    let words = words_of_the_tests()?;
    let without: Vec<_> = programs()?
        .into_iter()
        .filter(|program| !words.contains(program))
        .collect();
    assert!(
        without.is_empty(),
        "no file of tests/tests or host/tests names these programs: {without:?}"
    );
    Ok(())
}

#[test]
fn every_source_file_is_a_program() -> Result<()> {
    let mut files = BTreeSet::new();
    for file in files_of("programs/programs")? {
        files.insert(
            file.file_stem()
                .context("a name")?
                .to_string_lossy()
                .into_owned(),
        );
    }
    let programs = programs()?;
    let difference: Vec<_> = files.symmetric_difference(&programs).collect();
    assert!(
        difference.is_empty(),
        "these are programs without a source file, or files without a program: {difference:?}"
    );
    Ok(())
}

/// Returns the names in the manifest, each of which is also the name of its file.
fn programs() -> Result<BTreeSet<String>> {
    let manifest: toml::Table =
        toml::from_str(&fs::read_to_string(here().join("programs/Cargo.toml"))?)?;
    let examples = manifest["example"]
        .as_array()
        .context("a list of programs")?;
    let mut names = BTreeSet::new();
    for example in examples {
        let name = example["name"].as_str().context("a name")?;
        let path = example["path"].as_str().context("a path")?;
        assert_eq!(path, format!("programs/{name}.rs"));
        assert!(names.insert(name.to_owned()), "{name} is there twice");
    }
    Ok(names)
}

/// Returns all words of the tests that could be a program's name, without comments.
fn words_of_the_tests() -> Result<BTreeSet<String>> {
    let mut words = BTreeSet::new();
    // The tests of the host crate use programs too.
    for file in files_below("tests")?
        .into_iter()
        .chain(files_below("../host/tests")?)
    {
        for line in fs::read_to_string(&file)?.lines() {
            let code = line.split("//").next().unwrap_or_default();
            let found = code.split(|c: char| !(c.is_alphanumeric() || c == '_'));
            words.extend(found.map(str::to_owned));
        }
    }
    Ok(words)
}

/// Returns the sources in a folder and its subfolders.
fn files_below(folder: &str) -> Result<Vec<PathBuf>> {
    let mut files = files_of(folder)?;
    for entry in fs::read_dir(here().join(folder))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            let inner = Path::new(folder).join(entry.file_name());
            files.extend(files_of(&inner.to_string_lossy())?);
        }
    }
    Ok(files)
}

fn files_of(folder: &str) -> Result<Vec<PathBuf>> {
    let folder = here().join(folder);
    let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
