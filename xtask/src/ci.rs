//! `cargo xtask ci`: all checks that a change must pass. From nothing they take an hour on two cores.

use std::process::Command;

use anyhow::{Context as _, Result};

use crate::steps::Steps;
use crate::test::Options;
use crate::toolchain::{Choice, TARGET, Toolchain, rustc_print};
use crate::{build, checkout, clang, fuzz, process, python, test, wasm};

/// The packages that become WebAssembly. The others are the workspace's default members.
const GUESTS: [&str; 13] = [
    "asyncio-streams-component",
    "asyncio-streams-unix",
    "asyncio-streams-wasi03",
    "asyncio-streams-blocking",
    "asyncio-streams-wasi02",
    "asyncio-streams-blocking-programs",
    "asyncio-streams-blocking-clients",
    "asyncio-streams-blocking-examples",
    "asyncio-streams-serve",
    "asyncio-streams",
    "asyncio-streams-test-programs",
    "asyncio-streams-bench-guest",
    "asyncio-streams-bench-blocking",
];

/// Checks format, lints and documentation, builds, and runs every test. The first failed step ends it.
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
    steps.run("lints of native code", |_| lint_natives());
    steps.run("documentation of native code", |_| document_natives());
    let natives = test::start_natives(&mut steps);
    let toolchain = steps.run("a compiler for WebAssembly", |_| Toolchain::get(choice));
    let Some(toolchain) = toolchain else {
        return steps.finish();
    };
    steps.run("lints of code for WebAssembly", |_| {
        lint_guests(&toolchain)?;
        lint_tls(&toolchain)
    });
    steps.run("lints of Python, and the spelling of everything", |_| {
        python::require(&["lints"])
    });
    steps.run("documentation of code for WebAssembly", |_| {
        document_guests(&toolchain)
    });
    if steps
        .run("the components", |_| build::build(choice))
        .is_some()
    {
        test::tests(&mut steps, choice, &toolchain, &Options::of_ci(), natives);
    }
    steps.finish()
}

/// Fetches the dependencies for both targets first, so that a missing network is reported as such.
fn crates() -> Result<()> {
    let mut command = checkout::clean(checkout::cargo());
    command.args(["fetch", "--locked", "--target", TARGET]);
    if let Some(host) = rustc_print(&checkout::rustc(), "host-tuple", None) {
        command.arg("--target").arg(host);
    }
    let mut tls = checkout::clean(checkout::cargo());
    tls.args(["fetch", "--locked", "--target", TARGET]);
    tls.args(["--manifest-path", wasm::TLS_MANIFEST]);
    let fetched = process::run(&mut command, "`cargo fetch --locked`")
        .and_then(|()| process::run(&mut tls, "`cargo fetch --locked` in guest"));
    fetched.context(
        "either Cargo.lock does not fit the manifests (commit it as `cargo metadata` leaves it), \
         or the registry cannot be reached; cargo's message above says which",
    )
}

fn format_of(manifest: &str) -> Result<()> {
    let mut command = checkout::clean(checkout::cargo());
    command.args(["fmt", "--all", "--check", "--manifest-path", manifest]);
    process::run(&mut command, "`cargo fmt`")
}

fn lint_natives() -> Result<()> {
    let mut command = checkout::native_cargo("clippy");
    // With the tests' profile, which shares build scripts and macros.
    command.args(["--locked", "--release", "--all-targets"]);
    command.args(["--", "--deny", "warnings"]);
    process::run(&mut command, "`cargo clippy`")
}

/// Lints for WebAssembly if the compiler has its library. Otherwise it lints for this machine, without the code that is
/// compiled only for WebAssembly.
fn lint_guests(toolchain: &Toolchain) -> Result<()> {
    let mut command = if toolchain.builds_std {
        eprintln!("clippy has no library for {TARGET} here: linting for this machine instead");
        checkout::native_cargo("clippy")
    } else {
        toolchain.cargo("clippy")?
    };
    command.args(GUESTS.iter().flat_map(|package| ["--package", package]));
    command.args(["--profile", "guest", "--lib", "--examples"]);
    command.args(["--", "--deny", "warnings"]);
    process::run(&mut command, "`cargo clippy`")?;
    // Those programs are composed; the following ones are linked.
    let mut linked = if toolchain.builds_std {
        checkout::native_cargo("clippy")
    } else {
        toolchain.cargo("clippy")?
    };
    linked.args(["--package", "asyncio-streams-test-programs"]);
    linked.args(["--package", "asyncio-streams"]);
    linked.args(["--no-default-features", "--profile", "guest"]);
    linked.args(["--lib", "--examples", "--", "--deny", "warnings"]);
    process::run(&mut linked, "`cargo clippy` of linked programs")
}

/// Lints the workspace of the components with TLS.
fn lint_tls(toolchain: &Toolchain) -> Result<()> {
    let mut command = if toolchain.builds_std {
        checkout::native_cargo("clippy")
    } else {
        toolchain.cargo("clippy")?
    };
    command.args(["--manifest-path", wasm::TLS_MANIFEST, "--locked"]);
    clang::set(&mut command, &clang::get()?);
    command.args(["--profile", "guest", "--workspace", "--lib"]);
    command.args(["--", "--deny", "warnings"]);
    process::run(&mut command, "`cargo clippy` with TLS")
}

/// Builds the documentation of native code, with what its lints have compiled.
fn document_natives() -> Result<()> {
    let mut command = checkout::native_cargo("doc");
    command.args(["--locked", "--release", "--workspace"]);
    // Third-party tools, which have many dependencies.
    let others = GUESTS.iter().chain(&["asyncio-streams-test-tools"]);
    command.args(others.flat_map(|package| ["--exclude", package]));
    document(&mut command)
}

/// Builds that of code for WebAssembly, with what its lints have compiled.
fn document_guests(toolchain: &Toolchain) -> Result<()> {
    let mut command = if toolchain.builds_std {
        checkout::native_cargo("doc")
    } else {
        toolchain.cargo("doc")?
    };
    command.args(["--locked", "--profile", "guest", "--lib"]);
    command.args(GUESTS.iter().flat_map(|package| ["--package", package]));
    document(&mut command)
}

fn document(command: &mut Command) -> Result<()> {
    command.arg("--no-deps");
    command.env("RUSTDOCFLAGS", "--deny warnings");
    process::run(command, "`cargo doc`")
}
