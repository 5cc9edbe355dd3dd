//! Builds a package of the workspace for WebAssembly, and tells what came out.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::toolchain::{self, Toolchain};
use crate::{checkout, clang, process};

/// A build of everything from nothing takes a few minutes.
const DEADLINE: Duration = Duration::from_secs(45 * 60);

/// One component that cargo made.
#[derive(Debug, PartialEq, Eq)]
pub struct Built {
    /// The name of the target in its Cargo.toml.
    pub name: String,
    /// The component.
    pub file: PathBuf,
}

/// What of a package to build.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Its library, a component.
    Library,
    /// Its examples, each a component.
    Examples,
    /// The same without optimization across crates, which takes a quarter of the time: for programs of tests.
    QuickExamples,
    /// Some of its examples.
    Named(&'static [&'static str]),
    /// One example as a module, to which no component is made: for what imports and exports no interface.
    Module(&'static str),
}

/// Builds for WebAssembly: the component of a package's library, or of each of its examples, in order of name.
///
/// Packages are built one by one, since cargo gives packages that are built together each other's features.
///
/// # Errors
/// When cargo fails, or nothing comes out that is WebAssembly.
pub fn build(toolchain: &Toolchain, package: &str, what: What) -> Result<Vec<Built>> {
    run(toolchain, package, what, |_| {})
}

/// The workspace of the component with TLS.
pub const TLS_MANIFEST: &str = "guest/tls/Cargo.toml";

/// Builds the component of a package in that workspace.
///
/// # Errors
/// As [`build`].
pub fn build_tls(toolchain: &Toolchain, clang: &PathBuf, package: &str) -> Result<Vec<Built>> {
    run(toolchain, package, What::Library, |command| {
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
    // `rustc` is `build` with arguments for the last compilation, and takes one target only.
    let module = matches!(what, What::Module(_));
    let mut command = toolchain.cargo(if module { "rustc" } else { "build" })?;
    let profile = if what == What::QuickExamples {
        "guest-test"
    } else {
        "guest"
    };
    command.args(["--profile", profile, "--package", package]);
    command.args(["--message-format", "json-render-diagnostics"]);
    settle(&mut command);
    match what {
        What::Library => command.arg("--lib"),
        What::Examples | What::QuickExamples => command.arg("--examples"),
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
    process::run_reading(&mut command, &title, DEADLINE, |line| {
        built.extend(artifact(line, what));
    })
    .with_context(|| explain(package))?;
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

/// The WebAssembly that one of cargo's messages tells of.
fn artifact(line: &str, what: What) -> Option<Built> {
    let message: Value = serde_json::from_str(line).ok()?;
    let target = &message["target"];
    // An example is of kind `example`, whatever its crate type.
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

/// Why a build may have failed that is no fault of the code.
fn explain(package: &str) -> String {
    let mut fetch = checkout::clean(checkout::cargo());
    fetch.args([
        "fetch",
        "--locked",
        "--offline",
        "--target",
        toolchain::TARGET,
    ]);
    if process::output_of(&mut fetch).is_some() {
        return format!("{package} could not be built; cargo says why above");
    }
    format!(
        "{package} could not be built: crates that Cargo.lock names are not on this machine, and cargo could not get \
         them (it says why above). Run `cargo fetch --locked` where crates' registry can be reached"
    )
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
    fn other_messages_are_passed_over() {
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
