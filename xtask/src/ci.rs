//! `cargo xtask ci`: what every change must pass, from nothing, in less than an hour on two cores.

use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::steps::Steps;
use crate::test::Options;
use crate::toolchain::{Choice, TARGET, Toolchain, rustc_print};
use crate::{build, checkout, clang, fuzz, process, python, test, wasm};

/// One check of the sources, compiling the dependencies included.
const DEADLINE: Duration = Duration::from_secs(30 * 60);

/// The members that become WebAssembly; the others are the workspace's default members.
const GUESTS: [&str; 6] = [
    "asyncio-streams-component",
    "asyncio-streams-task",
    "asyncio-streams-serve",
    "asyncio-streams",
    "asyncio-streams-test-programs",
    "asyncio-streams-bench-guest",
];

/// Checks format, lints and documentation, builds, and runs every test; ends at the first step that fails.
///
/// # Errors
/// The name of the step that failed.
pub(crate) fn ci(choice: Choice) -> Result<()> {
    let mut steps = Steps::new(true);
    steps.run("the crates of Cargo.lock, which is up to date", |_| {
        crates()
    });
    steps.run("format", |_| {
        format_of("Cargo.toml")?;
        format_of(wasm::TLS_MANIFEST)?;
        format_of(&format!("{}/Cargo.toml", fuzz::FOLDER))
    });
    steps.run("lints of what runs here", |_| lint_natives());
    let toolchain = steps.run("a compiler for WebAssembly", |_| Toolchain::get(choice));
    let Some(toolchain) = toolchain else {
        return steps.finish();
    };
    steps.run("lints of what becomes WebAssembly", |_| {
        lint_guests(&toolchain)?;
        lint_tls(&toolchain)
    });
    steps.run("lints of Python, and the spelling of everything", |_| {
        python::require("lints")
    });
    steps.run("documentation", |_| documentation());
    if steps
        .run("the components", |_| build::build(choice))
        .is_some()
    {
        test::tests(&mut steps, choice, &toolchain, &Options::of_ci());
    }
    steps.finish()
}

/// Fetches what both targets take, so that a network that is missing is said first, and by this name.
fn crates() -> Result<()> {
    let mut command = checkout::clean(checkout::cargo());
    command.args(["fetch", "--locked", "--target", TARGET]);
    if let Some(host) = rustc_print(&checkout::rustc(), "host-tuple", None) {
        command.arg("--target").arg(host);
    }
    let mut tls = checkout::clean(checkout::cargo());
    tls.args(["fetch", "--locked", "--target", TARGET]);
    tls.args(["--manifest-path", wasm::TLS_MANIFEST]);
    let fetched = process::run(&mut command, "`cargo fetch --locked`", DEADLINE)
        .and_then(|()| process::run(&mut tls, "`cargo fetch --locked` in guest/tls", DEADLINE));
    fetched.context(
        "either Cargo.lock does not fit the manifests (commit it as `cargo metadata` leaves it), \
         or crates' registry cannot be reached; cargo says which above",
    )
}

fn format_of(manifest: &str) -> Result<()> {
    let mut command = checkout::clean(checkout::cargo());
    command.args(["fmt", "--all", "--check", "--manifest-path", manifest]);
    process::run(&mut command, "`cargo fmt`", DEADLINE)
}

fn lint_natives() -> Result<()> {
    let mut command = checkout::native_cargo("clippy");
    command.args(["--all-targets", "--", "--deny", "warnings"]);
    process::run(&mut command, "`cargo clippy`", DEADLINE)
}

/// Lints for the target itself where the compiler has its library; else for the machine at hand, which leaves out
/// what is compiled for WebAssembly only.
fn lint_guests(toolchain: &Toolchain) -> Result<()> {
    let mut command = if toolchain.builds_std {
        eprintln!("clippy has no library for {TARGET} here: linting for this machine instead");
        checkout::native_cargo("clippy")
    } else {
        toolchain.cargo("clippy")?
    };
    command.args(GUESTS.iter().flat_map(|package| ["--package", package]));
    command.args(["--lib", "--examples", "--", "--deny", "warnings"]);
    process::run(&mut command, "`cargo clippy`", DEADLINE)
}

/// The same for what is compiled with TLS alone.
fn lint_tls(toolchain: &Toolchain) -> Result<()> {
    let mut command = if toolchain.builds_std {
        checkout::native_cargo("clippy")
    } else {
        toolchain.cargo("clippy")?
    };
    command.args(["--manifest-path", wasm::TLS_MANIFEST, "--locked"]);
    clang::set(&mut command, &clang::get()?);
    command.args(["--workspace", "--lib", "--", "--deny", "warnings"]);
    process::run(&mut command, "`cargo clippy` with TLS", DEADLINE)
}

fn documentation() -> Result<()> {
    let mut command = checkout::native_cargo("doc");
    command.args(["--workspace", "--no-deps"]);
    command.env("RUSTDOCFLAGS", "--deny warnings");
    process::run(&mut command, "`cargo doc`", DEADLINE)
}
