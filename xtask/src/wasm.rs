//! Builds a package for WebAssembly, and returns the built files.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::toolchain::Toolchain;
use crate::{cargo, clang};

/// The part of a package to build is a string of options for cargo. This one is its library, a component.
pub const LIBRARY: &str = "--lib";

/// Its examples, each a component.
pub const EXAMPLES: &str = "--examples";

/// The examples of test programs: without optimization across crates, which takes far less time. A separate profile would compile build
/// scripts and macros again.
pub(crate) const QUICK_EXAMPLES: &str =
    "--examples --config profile.guest.lto=\"off\" --config profile.guest.codegen-units=16";

/// Like [`QUICK_EXAMPLES`], but those that need no composition, without the package's default features.
pub(crate) const LINKED: &str = "--examples --no-default-features --config profile.guest.lto=\"off\" --config profile.guest.codegen-units=16";

/// Like [`QUICK_EXAMPLES`], but in the workspace of the components with TLS, which needs clang.
pub(crate) const LINKED_TLS: &str = "--examples --locked --manifest-path guest/Cargo.toml --config profile.guest.lto=\"off\" --config profile.guest.codegen-units=16";

/// Its library, which needs clang, in the workspace of the components with TLS.
pub const TLS: &str = "--lib --locked --manifest-path guest/Cargo.toml";

/// The manifest of that workspace.
pub const TLS_MANIFEST: &str = "guest/Cargo.toml";

/// The crate for programs in Rust.
const CLIENT: &str = "asyncio-streams";

/// A component that cargo built.
#[derive(Debug, PartialEq, Eq)]
pub struct Built {
    /// The name of the target in its Cargo.toml.
    pub name: String,
    /// The component.
    pub file: PathBuf,
}

/// Builds a part of a package: one component, or several, sorted by name.
///
/// Packages are built one by one, because cargo merges the features of packages that it builds together.
///
/// # Errors
/// When cargo fails, or builds no WebAssembly.
pub fn build(toolchain: &Toolchain, package: &str, part: &str) -> Result<Vec<Built>> {
    // `rustc` is `build` with arguments for one target.
    let subcommand = if part.contains(" -- ") {
        "rustc"
    } else {
        "build"
    };
    let mut command = toolchain.cargo(&format!("{subcommand} --profile guest"))?;
    command.args(["--package", package]);
    if package == CLIENT {
        // Its examples are composed.
        command.args(["--features", "imported"]);
    }
    if part.contains(TLS_MANIFEST) {
        clang::set(&mut command, &clang::get()?);
    }
    command.args(["--message-format", cargo::MESSAGES]);
    command.args(part.split(' '));
    let messages = cargo::artifacts(&mut command, &format!("building {package}"))
        .with_context(|| {
            format!("{package} could not be built; cargo's message is above. If crates are missing, run `cargo fetch --locked`")
        })?;
    let mut built: Vec<_> = messages.iter().filter_map(component).collect();
    built.sort_by(|a, b| a.name.cmp(&b.name));
    if built.is_empty() {
        bail!(
            "{package} has nothing that `{part}` builds as WebAssembly (crate-type = [\"cdylib\"] in its Cargo.toml)"
        );
    }
    Ok(built)
}

/// Builds a part of a package that is one file, and returns it.
///
/// # Errors
/// As [`build`].
pub fn build_one(toolchain: &Toolchain, package: &str, part: &str) -> Result<PathBuf> {
    let built = build(toolchain, package, part)?.into_iter().next();
    Ok(built.context("cargo named no component")?.file)
}

/// The WebAssembly file in one of cargo's messages.
fn component(message: &Value) -> Option<Built> {
    let mut files = message["filenames"]
        .as_array()?
        .iter()
        .filter_map(Value::as_str);
    let file = files.find(|file| file.ends_with(".wasm"))?;
    Some(Built {
        name: message["target"]["name"].as_str()?.to_owned(),
        file: file.into(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_example_keeps_the_name_of_its_manifest() {
        let files = ["/t/examples/echo_client.wasm"];
        let message = json!({"target": {"name": "echo-client"}, "filenames": files});
        let expected = Built {
            name: "echo-client".into(),
            file: "/t/examples/echo_client.wasm".into(),
        };
        assert_eq!(component(&message), Some(expected));
    }

    #[test]
    fn other_files_are_ignored() {
        let message = json!({"target": {"name": "core"}, "filenames": ["/t/libcore.rlib"]});
        assert_eq!(component(&message), None);
        assert_eq!(component(&json!({"reason": "build-finished"})), None);
    }
}
