//! `cargo xtask dist`: everything that a release publishes, into `target/dist`, with checksums. docs/releasing.md has the steps.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::steps::Tally;
use crate::toolchain::{Choice, TARGET};
use crate::{build, checkout, languages, process, python};

/// Verifying the crate of the host builds wasmtime anew.
const DEADLINE: Duration = Duration::from_secs(60 * 60);

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The components, with the package and the manifest of each.
const COMPONENTS: [(&str, &str, &str); 7] = [
    ("streams", "asyncio-streams-component", "Cargo.toml"),
    ("streams-tls", "asyncio-streams-tls", "guest/tls/Cargo.toml"),
    ("streams-unix", "asyncio-streams-component", "Cargo.toml"),
    (
        "streams-unix-tls",
        "asyncio-streams-tls",
        "guest/tls/Cargo.toml",
    ),
    ("streams-p2", "asyncio-streams-blocking", "Cargo.toml"),
    (
        "streams-p2-tls",
        "asyncio-streams-blocking-tls",
        "guest/tls/Cargo.toml",
    ),
    ("serve", "asyncio-streams-serve", "Cargo.toml"),
];

/// The crates that are published, each after its dependencies. `publish` in their manifests agrees.
const CRATES: [&str; 6] = [
    "asyncio-streams-core",
    "asyncio-streams-text",
    "asyncio-streams-engine",
    "asyncio-streams-wasi03",
    "asyncio-streams",
    "asyncio-streams-host",
];

/// The options of `cargo xtask dist`.
#[derive(Args)]
pub(crate) struct Options {
    /// Make only the wheel for Python: the package with the components and the program `streams`.
    #[arg(long)]
    python: bool,
}

/// Makes all of it, or only the wheel.
///
/// # Errors
/// When a part cannot be made. The error names the part and the reason.
pub(crate) fn dist(choice: Choice, options: &Options) -> Result<()> {
    build::build(choice)?;
    if options.python {
        return wheel();
    }
    languages::build(true, &mut Tally::default())?;
    let out = checkout::target().join("dist");
    if out.exists() {
        fs::remove_dir_all(&out)?;
    }
    fs::create_dir_all(&out)?;
    components(&out).context("the components")?;
    crates(&out).context("the crates")?;
    wit(&out).context("the WIT package")?;
    bindings(&out).context("the packages for npm, C and Go")?;
    wheel().context("the wheel for Python")?;
    run(
        Command::new("sh")
            .arg("-c")
            .arg("sha256sum -- * > SHA256SUMS")
            .current_dir(&out),
        "sha256sum",
    )?;
    println!("{}", fs::read_to_string(out.join("SHA256SUMS"))?);
    Ok(())
}

fn run(command: &mut Command, what: &str) -> Result<()> {
    process::run(command, what, DEADLINE)
}

/// The components, each with a list of its dependencies (CycloneDX).
fn components(out: &Path) -> Result<()> {
    for (name, package, manifest) in COMPONENTS {
        let file = format!("{name}.wasm");
        fs::copy(checkout::components().join(&file), out.join(&file))?;
        let mut command = checkout::clean(languages::generator()?);
        command.args(["sbom", manifest, package, "--target", TARGET, "--out"]);
        run(
            command.arg(out.join(format!("{name}.cdx.json"))),
            "listing what it is made of",
        )?;
    }
    Ok(())
}

/// The public crates, each built from its package.
fn crates(out: &Path) -> Result<()> {
    let mut command = checkout::native_cargo("package");
    command.arg("--locked");
    run(
        command.args(CRATES.iter().flat_map(|name| ["--package", name])),
        "`cargo package`",
    )?;
    for name in CRATES {
        let file = format!("{name}-{VERSION}.crate");
        fs::copy(
            checkout::target().join("package").join(&file),
            out.join(&file),
        )?;
    }
    Ok(())
}

/// The interface as a package of the component model, for registries of WIT.
fn wit(out: &Path) -> Result<()> {
    let mut command = checkout::clean(languages::generator()?);
    command
        .args(["wit", "wit", "--out"])
        .arg(out.join(format!("asyncio-streams-wit-{VERSION}.wasm")));
    run(&mut command, "encoding the WIT package")
}

/// The packages for npm, C and Go, with generated code.
fn bindings(out: &Path) -> Result<()> {
    let mut command = checkout::clean("make");
    command.args(["--silent", "--directory", "bindings"]);
    command.arg(format!("OUT={}", out.display()));
    run(
        command.arg(format!("VERSION={VERSION}")),
        "`make` in bindings, which takes npm and GNU tar",
    )
}

/// The wheel for Python, for this machine's platform: it contains the program `streams`.
fn wheel() -> Result<()> {
    let mut command = checkout::native_cargo("build");
    command.args(["--locked", "--release", "--package", "asyncio-streams-host"]);
    run(
        command.args(["--bin", "streams"]),
        "building the program streams",
    )?;
    python::require(&["wheel"])
}
