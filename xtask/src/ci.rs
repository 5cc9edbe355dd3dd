//! `cargo xtask ci`: all checks that a change must pass. From nothing they take less than 45 minutes on two quiet cores.

use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::steps::Steps;
use crate::test::OF_CI;
use crate::toolchain::{Choice, TARGET, Toolchain, rustc_print};
use crate::{build, cargo, checkout, clang, fuzz, process, python, test, wasm};

/// Checks format, lints and documentation, builds, and runs every test. The first failed step ends it.
///
/// # Errors
/// The name of the step that failed.
pub(crate) fn ci(choice: Choice) -> Result<()> {
    let mut steps = Steps::new(true);
    // First, so that a missing network is reported as such.
    steps.run("the crates of Cargo.lock, which is up to date", |_| {
        let host = rustc_print(&checkout::rustc(), "host-tuple").context("rustc names no target")?;
        let words = format!("fetch --locked --target {TARGET} --target {}", host.display());
        each_of(&["Cargo.toml", wasm::TLS_MANIFEST], &words).context(
            "either Cargo.lock does not fit the manifests (commit it as `cargo metadata` leaves it), \
             or the registry cannot be reached; cargo's message above says which",
        )
    });
    let fuzz = format!("{}/Cargo.toml", fuzz::FOLDER);
    steps.run("format", |_| {
        each_of(
            &["Cargo.toml", wasm::TLS_MANIFEST, &fuzz],
            "fmt --all --check",
        )
    });
    // With the tests' profile, which shares build scripts and macros.
    steps.run("lints of native code", |_| {
        let words = "clippy --locked --release --all-targets -- --deny warnings";
        check(&mut cargo::native(words))
    });
    steps.run("documentation of native code", |_| {
        check(&mut cargo::native("doc --locked --release --no-deps"))
    });
    let natives = test::start_natives(&mut steps);
    let toolchain = steps.run("a compiler for WebAssembly", |_| Toolchain::get(choice));
    let Some(toolchain) = toolchain else {
        return steps.finish();
    };
    steps.run("lints of code for WebAssembly", |_| {
        let guests = guests()?;
        for part in [
            &format!("{guests} --examples"),
            // Those programs are composed; these ones are linked.
            " --package asyncio-streams-test-programs --package asyncio-streams --no-default-features --examples",
            &format!(" --manifest-path {} --locked --workspace", wasm::TLS_MANIFEST),
        ] {
            let words = format!("clippy --profile guest --lib{part} -- --deny warnings");
            check_guests(&toolchain, &words)?;
        }
        Ok(())
    });
    steps.run("lints of Python, and the spelling of everything", |_| {
        python::require(&["lints"])
    });
    steps.run("documentation of code for WebAssembly", |_| {
        let words = format!("doc --locked --profile guest --lib --no-deps{}", guests()?);
        check_guests(&toolchain, &words)
    });
    if steps
        .run("the components", |_| build::build(choice))
        .is_some()
    {
        test::tests(&mut steps, choice, &toolchain, &OF_CI, natives);
    }
    steps.finish()
}

/// Runs `cargo WORDS` in the workspaces of these manifests.
fn each_of(manifests: &[&str], words: &str) -> Result<()> {
    for manifest in manifests {
        let mut command = cargo::plain(words);
        check(command.args(["--manifest-path", manifest]))?;
    }
    Ok(())
}

/// The options that name the packages for WebAssembly: the members of the workspace that are not compiled by default, but third-party
/// tools, which have many dependencies.
fn guests() -> Result<String> {
    let metadata = cargo::metadata("--no-deps")?;
    let is_default = |of: &Value| {
        let ids = metadata["workspace_default_members"].as_array();
        ids.is_some_and(|ids| ids.contains(&of["id"]))
    };
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let names = packages
        .filter(|of| !is_default(of))
        .filter_map(|of| of["name"].as_str())
        .filter(|name| *name != "asyncio-streams-test-tools");
    Ok(names.map(|name| format!(" --package {name}")).collect())
}

/// Runs `cargo WORDS` over code for WebAssembly. Without the target's library it runs for this machine, without the code that is compiled
/// only for WebAssembly.
fn check_guests(toolchain: &Toolchain, words: &str) -> Result<()> {
    let mut command = if toolchain.builds_std {
        eprintln!("cargo has no library for {TARGET} here: checking for this machine instead");
        cargo::native(words)
    } else {
        toolchain.cargo(words)?
    };
    clang::set(&mut command, &clang::get()?);
    check(&mut command)
}

/// Runs cargo. The warnings of rustdoc are errors.
fn check(command: &mut Command) -> Result<()> {
    command.env("RUSTDOCFLAGS", "--deny warnings");
    let subcommand = command.get_args().next().unwrap_or_default();
    let what = format!("`cargo {}`", subcommand.to_string_lossy());
    process::run(command, &what)
}
