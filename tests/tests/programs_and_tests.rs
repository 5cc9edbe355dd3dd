//! Every guest program has a test, and every source file is a program.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Programs that can be linked and that run only composed, with the reasons.
const ONLY_COMPOSED: [(&str, &str); 1] = [(
    "tls_server",
    "tests of many messages use it; `linger`, `tls_contract` and `tls_lost` have linked servers",
)];

/// The functions of [`Program`](asyncio_streams_tests::Program) that run a program linked.
const LINKED: [&str; 4] = [
    "linked",
    "everywhere",
    "composed_and_linked",
    "on_each_host",
];

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

/// A program that can be linked must behave linked as it does composed.
#[test]
fn every_program_that_can_be_linked_runs_linked() -> Result<()> {
    let run = run_linked()?;
    let can = linked_programs()?;
    assert!(can.len() > 60, "only {} programs", can.len());
    let only_composed = ONLY_COMPOSED.map(|(name, _)| name.to_owned()).into();
    let without: BTreeSet<_> = can.difference(&run).cloned().collect();
    assert_eq!(
        without, only_composed,
        "these programs are linked, and no test runs them linked (left), but for those of ONLY_COMPOSED (right)"
    );
    let absent: Vec<_> = run.difference(&can).collect();
    assert!(
        absent.is_empty(),
        "tests run these programs linked, which only run composed: {absent:?}"
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

/// Returns the names of programs that need no composition. Those that need TLS are in another package.
fn linked_programs() -> Result<BTreeSet<String>> {
    let examples = examples()?.into_iter();
    let tls = toml::Value::from(vec!["tls"]);
    let linked = examples.filter(|example| {
        let features = example.get("required-features");
        features.is_none_or(|features| *features == tls)
    });
    let names = linked.map(|example| Some(example["name"].as_str()?.to_owned()));
    names.collect::<Option<_>>().context("names")
}

/// Returns the programs that tests run linked: those in the list of `linked.rs`, the arguments of [`LINKED`], and files.
fn run_linked() -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for file in sources()? {
        let code: String = code(&file)?.split_whitespace().collect();
        let starts = LINKED.map(|function| format!("Program::{function}(\""));
        let file = "\"linked/".to_owned();
        for start in starts.into_iter().chain([file]) {
            let after = code.split(start.as_str()).skip(1);
            names.extend(after.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
        }
        let lists = code.split("::linked![").skip(1);
        let lists = lists.filter_map(|rest| rest.split_once(']'));
        let listed = lists.flat_map(|(list, _)| list.split(','));
        names.extend(listed.map(str::to_owned));
    }
    // This file has the starts without a name.
    names.retain(|name| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_'));
    Ok(names)
}

/// Returns the programs in the manifest.
fn examples() -> Result<Vec<toml::Value>> {
    let manifest: toml::Table =
        toml::from_str(&fs::read_to_string(here().join("programs/Cargo.toml"))?)?;
    let examples = manifest["example"].as_array();
    Ok(examples.context("a list of programs")?.clone())
}

/// Returns the names in the manifest, each of which is also the name of its file.
fn programs() -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for example in examples()? {
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
    for file in sources()? {
        let code = code(&file)?;
        let found = code.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        words.extend(found.map(str::to_owned));
    }
    Ok(words)
}

/// Returns the sources of the tests. Those of the host crate use programs too.
fn sources() -> Result<Vec<PathBuf>> {
    Ok([files_below("tests")?, files_below("../host/tests")?].concat())
}

/// Returns a file without its comments.
fn code(file: &Path) -> Result<String> {
    let text = fs::read_to_string(file)?;
    let lines = text.lines().map(|line| line.split("//").next());
    Ok(lines
        .map(|code| format!("{}\n", code.unwrap_or_default()))
        .collect())
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
