//! Builds a package for WebAssembly, and returns the built files.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::toolchain::Toolchain;
use crate::{clang, process};

/// A component that cargo built.
#[derive(Debug, PartialEq, Eq)]
pub struct Built {
    /// The name of the target in its Cargo.toml.
    pub name: String,
    /// The component.
    pub file: PathBuf,
}

/// The part of a package to build.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Its library, a component.
    Library,
    /// Its examples, each a component.
    Examples,
    /// The same without optimization across crates, which takes far less time: for test programs.
    QuickExamples,
    /// Like `QuickExamples`, but the examples that need no composition, without the package's default features.
    Linked,
    /// One of its examples without the package's default features: a program with the engine inside.
    LinkedNamed(&'static str),
    /// Some of its examples.
    Named(&'static [&'static str]),
    /// One example as a core module, without a component around it.
    Module(&'static str),
}

/// Builds the component of a package's library, or of its examples, sorted by name.
///
/// Packages are built one by one, because cargo merges the features of packages that it builds together.
///
/// # Errors
/// When cargo fails, or builds no WebAssembly.
pub fn build(toolchain: &Toolchain, package: &str, what: What) -> Result<Vec<Built>> {
    run(toolchain, package, what, |_| {})
}

/// The crate for programs in Rust.
const CLIENT: &str = "asyncio-streams";

/// The workspace of the components with TLS.
pub const TLS_MANIFEST: &str = "guest/Cargo.toml";

/// Builds the component of a package in that workspace.
///
/// # Errors
/// As [`build`].
pub fn build_tls(
    toolchain: &Toolchain,
    clang: &PathBuf,
    package: &str,
    what: What,
) -> Result<Vec<Built>> {
    run(toolchain, package, what, |command| {
        command.args(["--manifest-path", TLS_MANIFEST, "--locked"]);
        clang::set(command, clang);
    })
}

fn run(
    toolchain: &Toolchain,
    package: &str,
    what: What,
    settle: impl FnOnce(&mut Command),
) -> Result<Vec<Built>> {
    // `rustc` is `build` with arguments for one target.
    let module = matches!(what, What::Module(_));
    let mut command = toolchain.cargo(if module { "rustc" } else { "build" })?;
    command.args(["--profile", "guest", "--package", package]);
    if matches!(what, What::QuickExamples | What::Linked) {
        // A separate profile would compile build scripts and macros again.
        command.args(["--config", "profile.guest.lto=\"off\""]);
        command.args(["--config", "profile.guest.codegen-units=16"]);
    }
    if package == CLIENT {
        // Its examples are composed.
        command.args(["--features", "imported"]);
    }
    command.args(["--message-format", "json-render-diagnostics"]);
    settle(&mut command);
    match what {
        What::Library => command.arg("--lib"),
        What::Examples | What::QuickExamples => command.arg("--examples"),
        What::Linked => command.args(["--examples", "--no-default-features"]),
        What::LinkedNamed(name) => command.args([
            "--example",
            name,
            "--no-default-features",
            // The engine is a part of the program, which users compile for speed.
            "--config",
            "profile.guest.opt-level=3",
        ]),
        What::Named(names) => command.args(names.iter().flat_map(|name| ["--example", name])),
        What::Module(name) => command.args([
            "--example",
            name,
            "--",
            "-C",
            "link-arg=--skip-wit-component",
        ]),
    };
    let mut built = Vec::new();
    let title = format!("building {package}");
    process::run_reading(&mut command, &title, |line| {
        built.extend(artifact(line, what));
    })
    .with_context(|| {
        format!("{package} could not be built; cargo's message is above. If crates are missing, run `cargo fetch --locked`")
    })?;
    built.sort_by(|a, b| a.name.cmp(&b.name));
    if built.is_empty() {
        let kind = if what == What::Library {
            "library"
        } else {
            "example"
        };
        bail!(
            "{package} has no {kind} that becomes WebAssembly (crate-type = [\"cdylib\"] in its Cargo.toml)"
        );
    }
    Ok(built)
}

/// The WebAssembly file that one of cargo's messages names.
fn artifact(line: &str, what: What) -> Option<Built> {
    let message: Value = serde_json::from_str(line).ok()?;
    let target = &message["target"];
    // An example has the kind `example` for every crate type.
    let kind = if what == What::Library {
        "cdylib"
    } else {
        "example"
    };
    let kinds = target["kind"].as_array()?;
    if message["reason"] != "compiler-artifact" || !kinds.iter().any(|of| of == kind) {
        return None;
    }
    let mut files = message["filenames"]
        .as_array()?
        .iter()
        .filter_map(Value::as_str);
    let file = files.find(|file| file.ends_with(".wasm"))?;
    Some(Built {
        name: target["name"].as_str()?.to_owned(),
        file: file.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = r#"{"reason":"compiler-artifact","target":{"kind":["example"],"crate_types":["cdylib"],
        "name":"echo-client"},"filenames":["/t/examples/echo_client.wasm"],"fresh":true}"#;

    #[test]
    fn an_example_keeps_the_name_of_its_manifest() {
        let built = artifact(EXAMPLE, What::Examples);
        assert_eq!(
            built,
            Some(Built {
                name: "echo-client".into(),
                file: "/t/examples/echo_client.wasm".into()
            })
        );
        assert_eq!(artifact(EXAMPLE, What::Library), None);
    }

    #[test]
    fn other_messages_are_ignored() {
        assert_eq!(
            artifact(
                r#"{"reason":"build-finished","success":true}"#,
                What::Library
            ),
            None
        );
        assert_eq!(artifact("not a message", What::Library), None);
    }
}
