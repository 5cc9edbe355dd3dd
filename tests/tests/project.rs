//! The project's own files: links between documents exist, `deny.toml` allows all dependencies, and `wkg.toml` names the files of
//! WIT.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, Result};
use serde_json::Value;

#[test]
fn links_between_documents_exist() -> Result<()> {
    let mut broken = Vec::new();
    for file in documents()? {
        let text = fs::read_to_string(&file)?;
        let folder = file.parent().context("a folder")?;
        for target in links(&text) {
            let (path, heading) = target.split_once('#').unwrap_or((target, ""));
            let to = if path.is_empty() {
                file.clone()
            } else {
                folder.join(path)
            };
            let page = if to.is_dir() {
                to.join("README.md")
            } else {
                to.clone()
            };
            let found = to.exists() && (heading.is_empty() || headings(&page)?.contains(heading));
            if !found {
                broken.push(format!("{}: {target}", file.display()));
            }
        }
    }
    assert!(
        broken.is_empty(),
        "these links lead nowhere:\n{}",
        broken.join("\n")
    );
    Ok(())
}

#[test]
fn every_crate_has_a_readme() -> Result<()> {
    for manifest in files("*Cargo.toml")? {
        let readme = manifest.with_file_name("README.md");
        assert!(readme.exists(), "there is no {}", readme.display());
    }
    Ok(())
}

#[test]
fn dependencies_have_the_licences_and_sources_of_deny_toml() -> Result<()> {
    let rules: toml::Table = toml::from_str(&fs::read_to_string(root().join("deny.toml"))?)?;
    let words = |part: &str, name: &str| -> BTreeSet<String> {
        let list = rules[part][name].as_array().into_iter().flatten();
        list.filter_map(|word| word.as_str().map(str::to_owned))
            .collect()
    };
    let (licences, registries) = (
        words("licenses", "allow"),
        words("sources", "allow-registry"),
    );
    for manifest in [
        "Cargo.toml",
        "guest/Cargo.toml",
        "guest/core/fuzz/Cargo.toml",
    ] {
        for package in packages(manifest)? {
            let name = &package["name"];
            // The packages of this repository have no source.
            let Some(source) = package["source"].as_str() else {
                continue;
            };
            let licence = package["license"].as_str().unwrap_or_default();
            assert!(
                is_allowed(licence, &licences),
                "{name} has the licence {licence:?}"
            );
            let registry = source.trim_start_matches("registry+");
            assert!(registries.contains(registry), "{name} comes from {source}");
        }
    }
    Ok(())
}

/// `wkg build` takes these files instead of asking a registry.
#[test]
fn wkg_toml_overrides_the_packages_of_wit_deps() -> Result<()> {
    let content: toml::Table = toml::from_str(&fs::read_to_string(root().join("wkg.toml"))?)?;
    let overrides = content["overrides"].as_table().context("overrides")?;
    let mut files = BTreeSet::new();
    for (package, place) in overrides {
        let path = place["path"].as_str().context("a path")?;
        let text = fs::read_to_string(root().join(path)).context(path.to_owned())?;
        let first = format!("package {package}@");
        assert!(text.starts_with(&first), "{path} is not {package}");
        files.insert(root().join(path));
    }
    for entry in fs::read_dir(root().join("wit/deps"))? {
        let file = entry?.path();
        if file.extension().is_some_and(|end| end == "wit") {
            assert!(files.contains(&file), "wkg.toml lacks {}", file.display());
        }
    }
    Ok(())
}

#[test]
fn the_checks_find_faults() {
    let text = "[a](b.md#c-d) `[x](y)`\n```text\n[no](link)\n```\n[web](https://example.org) ![picture](p.svg)";
    assert_eq!(links(text), ["b.md#c-d", "p.svg"]);
    assert_eq!(
        slug("What a call `promises`, and when"),
        "what-a-call-promises-and-when"
    );
    let allowed = BTreeSet::from([
        "MIT".to_owned(),
        "Apache-2.0 WITH LLVM-exception".to_owned(),
    ]);
    assert!(is_allowed("Apache-2.0/MIT", &allowed));
    assert!(is_allowed(
        "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
        &allowed
    ));
    assert!(!is_allowed("MIT AND GPL-3.0", &allowed));
    assert!(!is_allowed("", &allowed));
}

#[test]
fn the_shortest_programs_of_the_readme_have_at_most_ten_lines() -> Result<()> {
    let text = fs::read_to_string(root().join("README.md"))?;
    let (_, table) = text
        .split_once("## Which of these is for me")
        .context("the table")?;
    let (table, _) = table.split_once("\n## ").context("its end")?;
    let mut programs = 0;
    for row in table.lines().filter(|line| line.starts_with('|')) {
        let shortest = row.trim_end_matches('|').rsplit('|').next();
        for file in links(shortest.unwrap_or_default()) {
            if file.starts_with('#') {
                continue;
            }
            let lines = code_lines(&fs::read_to_string(root().join(file))?);
            assert!((4..=10).contains(&lines), "{file} has {lines} lines");
            programs += 1;
        }
    }
    assert_eq!(programs, 6);
    Ok(())
}

/// Counts the lines of a program, without empty lines and comments.
fn code_lines(text: &str) -> usize {
    let comments = ["//", "\"\"\"", "#!"];
    let lines = text.lines().map(str::trim);
    let code = lines
        .filter(|line| !line.is_empty() && !comments.iter().any(|mark| line.starts_with(mark)));
    code.count()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Returns the documents of the repository, as listed by git.
fn documents() -> Result<Vec<PathBuf>> {
    files("*.md")
}

/// Returns the files of the repository with such a name, as listed by git.
fn files(name: &str) -> Result<Vec<PathBuf>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-co", "--exclude-standard", name])
        .current_dir(root());
    let listed = git.output().context("git, which lists the files")?;
    let names = String::from_utf8(listed.stdout)?;
    let files: Vec<_> = names
        .lines()
        .map(|name| root().join(name))
        .filter(|file| file.exists())
        .collect();
    assert!(files.len() > 5, "git lists too few files: {names}");
    Ok(files)
}

/// Returns the targets of the links to files, without code.
fn links(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            code = !code;
        }
        if code {
            continue;
        }
        // Every second part is between backquotes.
        for part in line.split('`').step_by(2) {
            let targets = part
                .split("](")
                .skip(1)
                .filter_map(|rest| rest.split(')').next());
            found.extend(targets.filter(|target| !target.contains("://")));
        }
        // The text of a link may be code.
        let targets = line
            .split("`](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        found.extend(targets.filter(|target| !target.contains("://")));
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Returns the anchors of a document's headings.
fn headings(file: &Path) -> Result<BTreeSet<String>> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let named = text
        .split("<a id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    let headings = text.lines().filter(|line| line.starts_with('#'));
    Ok(headings
        .map(|line| slug(line.trim_start_matches('#')))
        .chain(named.map(str::to_owned))
        .collect())
}

fn slug(heading: &str) -> String {
    let kept = heading
        .trim()
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| {
        if c == ' ' {
            '-'
        } else {
            c.to_ascii_lowercase()
        }
    })
    .collect()
}

fn packages(manifest: &str) -> Result<Vec<Value>> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args([
        "metadata",
        "--locked",
        "--format-version",
        "1",
        "--manifest-path",
        manifest,
    ]);
    let output = cargo.current_dir(root()).output()?;
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    Ok(metadata["packages"].as_array().context("packages")?.clone())
}

fn is_allowed(licence: &str, allowed: &BTreeSet<String>) -> bool {
    let expression = spdx::Expression::parse_mode(licence, spdx::ParseMode::LAX);
    expression.is_ok_and(|expression| expression.evaluate(|one| allowed.contains(&one.to_string())))
}
