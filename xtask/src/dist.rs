//! `cargo xtask dist`: everything that a release publishes, into `target/dist`, with checksums. docs/releasing.md has the steps.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::build::{COMPONENTS, Component};
use crate::steps::Steps;
use crate::toolchain::{Choice, TARGET};
use crate::{build, cargo, checkout, languages, node, process, python, tools};

/// Verifying the crate of the host builds wasmtime anew, for an hour on a busy machine.
const DEADLINE: Duration = Duration::from_secs(3 * 60 * 60);

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The crates that are published, each after its dependencies. `publish` in their manifests agrees.
const CRATES: [&str; 7] = [
    "asyncio-streams-core",
    "asyncio-streams-text",
    "asyncio-streams-engine",
    "asyncio-streams-face",
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

/// Makes all of it, or only the wheel. Prints the time of each step.
///
/// # Errors
/// The name of the step that failed.
pub(crate) fn dist(choice: Choice, options: &Options) -> Result<()> {
    let mut steps = Steps::new(true);
    let out = checkout::target().join("dist");
    steps.run("the components", |_| build::build(choice));
    if !options.python {
        steps.run("programs in C, C++ and Go", |tally| {
            languages::build(true, tally)
        });
        steps.run("copies of the components, and lists of their parts", |_| {
            components(&out)
        });
        steps.run("the crates", |_| crates(&out));
        steps.run(
            "packages for registries of WIT, npm and registries of containers, C and Go",
            |_| bindings(&out),
        );
    }
    steps.run("the wheel for Python", |_| wheel());
    if !options.python {
        steps.run("checksums", |_| checksums(&out));
    }
    steps.finish()
}

fn checksums(out: &Path) -> Result<()> {
    let mut command = checkout::clean("sh");
    command.args(["-c", "sha256sum -- * > SHA256SUMS"]);
    process::run(command.current_dir(out), "sha256sum")?;
    println!("{}", fs::read_to_string(out.join("SHA256SUMS"))?);
    Ok(())
}

/// Copies a file to another folder; the error names it.
fn copy(from: &Path, name: &str, to: &Path) -> Result<()> {
    let file = from.join(name);
    fs::copy(&file, to.join(name))
        .with_context(|| format!("cannot copy {}", checkout::shown(&file)))?;
    Ok(())
}

/// The components, each with a list of its dependencies (CycloneDX).
fn components(out: &Path) -> Result<()> {
    // Nothing of an earlier release may remain.
    checkout::remove(out)?;
    fs::create_dir_all(out)?;
    let generator = languages::generator()?;
    for component in COMPONENTS {
        let Component { name, package, .. } = component;
        copy(&checkout::components(), &format!("{name}.wasm"), out)?;
        let words = format!(
            "sbom {} {package} --target {TARGET} --out",
            component.manifest()
        );
        let mut command = checkout::clean(&generator);
        command.args(words.split(' '));
        command.arg(out.join(format!("{name}.cdx.json")));
        process::run(&mut command, "listing what it is made of")?;
    }
    Ok(())
}

/// The public crates, each built from its package.
fn crates(out: &Path) -> Result<()> {
    let mut command = cargo::native("package --locked");
    // The check only compiles. Information for debuggers would take a third of its time, and gigabytes.
    command.env("CARGO_PROFILE_DEV_DEBUG", "0");
    command.args(cargo::packages(&CRATES));
    process::run_within(&mut command, "`cargo package`", DEADLINE)?;
    let built = checkout::target().join("package");
    for name in CRATES {
        copy(&built, &format!("{name}-{VERSION}.crate"), out)?;
    }
    Ok(())
}

/// The packages for registries of WIT, for npm, for registries of containers, and for C and Go with generated code.
fn bindings(out: &Path) -> Result<()> {
    node::require()?;
    let mut command = checkout::clean("make");
    command.args(["--silent", "--directory", "bindings"]);
    command.arg(format!("OUT={}", out.display()));
    command.arg(format!("VERSION={VERSION}"));
    process::run(
        &mut command,
        "`make` in bindings, which takes npm and GNU tar",
    )
}

/// The wheel for Python, for this machine's platform: it contains the program `streams`.
fn wheel() -> Result<()> {
    let program = tools::streams_in("shipped")?;
    python::require(&["wheel", "--streams", &program.to_string_lossy()])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    /// The packages of the workspace that `publish` does not hold back.
    fn public() -> Vec<Value> {
        let metadata = cargo::metadata("--no-deps").expect("metadata");
        let packages = metadata["packages"].as_array().expect("packages").clone();
        packages
            .into_iter()
            .filter(|package| package["publish"].is_null())
            .collect()
    }

    #[test]
    fn every_public_crate_is_published_after_its_dependencies() {
        let public = public();
        let names: BTreeSet<_> = public
            .iter()
            .filter_map(|package| package["name"].as_str())
            .collect();
        assert_eq!(names, BTreeSet::from(CRATES));
        for package in &public {
            let place = |name: &Value| CRATES.iter().position(|of| name == of);
            let dependencies = package["dependencies"].as_array().expect("dependencies");
            let ours = dependencies
                .iter()
                .filter(|of| of["path"].is_string() && of["kind"].is_null());
            for dependency in ours {
                let (name, version) = (&dependency["name"], &dependency["req"]);
                assert_eq!(*version, format!("^{VERSION}"), "{name}");
                assert!(place(name).is_some(), "{name} is not public");
                assert!(place(name) < place(&package["name"]), "{name}");
            }
        }
    }

    /// cargo derives the names of symbols from the absolute path of a crate outside of its workspace: then the component depends on
    /// the folder of the checkout.
    #[test]
    fn components_consist_of_crates_of_their_workspace() {
        for component in COMPONENTS {
            let options = format!("--manifest-path {}", component.manifest());
            let metadata = cargo::metadata(&options).expect("metadata");
            let component = component.package;
            let workspace = Path::new(metadata["workspace_root"].as_str().expect("a path"));
            let packages = metadata["packages"].as_array().expect("packages");
            let id_of = |name: &str| {
                let found = packages.iter().find(|package| package["name"] == name);
                found.expect("the package")["id"].clone()
            };
            let mut used = vec![id_of(component)];
            let mut next = 0;
            while let Some(id) = used.get(next).cloned() {
                next += 1;
                let nodes = metadata["resolve"]["nodes"].as_array().expect("nodes");
                let node = nodes.iter().find(|node| node["id"] == id);
                let dependencies = node.expect("a node")["dependencies"].as_array();
                for dependency in dependencies.into_iter().flatten() {
                    if !used.contains(dependency) {
                        used.push(dependency.clone());
                    }
                }
            }
            let ours = packages
                .iter()
                .filter(|package| package["source"].is_null() && used.contains(&package["id"]));
            let mut crates = 0;
            for package in ours {
                let file = Path::new(package["manifest_path"].as_str().expect("a path"));
                assert!(
                    file.starts_with(workspace),
                    "{component} uses {} outside of {}",
                    file.display(),
                    workspace.display()
                );
                crates += 1;
            }
            assert!(crates > 1, "{component} uses no crate of this repository");
        }
    }

    #[test]
    fn the_steps_of_a_release_name_the_crates_in_this_order() {
        let file = checkout::root().join("docs/releasing.md");
        let text = fs::read_to_string(file).expect("the steps");
        let named: Vec<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix("cargo publish --locked --package "))
            .collect();
        assert_eq!(named, CRATES);
    }

    #[test]
    fn public_crates_are_described_and_complete() {
        for package in public() {
            let name = package["name"].as_str().expect("a name");
            for field in ["description", "license", "readme", "documentation"] {
                assert!(package[field].is_string(), "{name} has no {field}");
            }
            for field in ["keywords", "categories"] {
                let words = package[field].as_array().expect("a list");
                assert!((1..=5).contains(&words.len()), "{name}: {field}");
            }
            let manifest = Path::new(package["manifest_path"].as_str().expect("a path"));
            let folder = manifest.parent().expect("a folder");
            for file in ["LICENSE", "README.md"] {
                assert!(folder.join(file).is_file(), "{name} has no {file}");
            }
            outside(&folder.join("src"));
        }
    }

    #[test]
    fn profiles_that_the_automation_names_exist() {
        let manifest = fs::read_to_string(checkout::root().join("Cargo.toml")).expect("a manifest");
        let mut named = 0;
        for entry in fs::read_dir(checkout::root().join("xtask/src")).expect("sources") {
            let path = entry.expect("an entry").path();
            let text = fs::read_to_string(&path).unwrap_or_default();
            let words = text.split("--profile ").skip(1);
            let words = words.chain(text.split("tools::streams_in(\"").skip(1));
            let names = words.filter_map(|rest| rest.split([' ', '"']).next());
            for profile in names.filter(|name| !["", "release"].contains(name)) {
                let header = format!("[profile.{profile}]\n");
                assert!(
                    manifest.contains(&header),
                    "{} of {}",
                    header,
                    path.display()
                );
                named += 1;
            }
        }
        assert!(named > 2, "only {named} profiles are named");
    }

    /// Fails if a file refers to a folder outside its crate, which a package does not contain.
    fn outside(folder: &Path) {
        for entry in fs::read_dir(folder).expect("sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                outside(&path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source");
                let refers = text
                    .lines()
                    .any(|line| line.contains("path: \"..") || line.contains("!(\"../../.."));
                assert!(!refers, "{} refers to another folder", path.display());
            }
        }
    }
}
