//! Bills of materials, from cargo's resolved dependencies.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

/// Lists everything that is compiled into the package. Macros and build scripts run on the machine that builds, so they and their
/// dependencies are not listed.
pub(crate) fn write(manifest: &Path, package: &str, target: &str, out: &Path) -> Result<()> {
    let manifest = manifest.to_string_lossy();
    let metadata = metadata(&["--filter-platform", target, "--manifest-path", &manifest])?;
    let bom = bom(&metadata, package)?;
    fs::write(out, serde_json::to_string_pretty(&bom)?)
        .with_context(|| format!("cannot write {}", out.display()))
}

/// Returns cargo's metadata of a workspace.
pub(crate) fn metadata(options: &[&str]) -> Result<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--format-version", "1", "--locked"]);
    let output = command.args(options).output().context("cannot run cargo")?;
    ensure!(
        output.status.success(),
        "`cargo metadata`: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn bom(metadata: &Value, package: &str) -> Result<Value> {
    let packages = by_id(&metadata["packages"]);
    let nodes = by_id(&metadata["resolve"]["nodes"]);
    let root = packages.iter().find(|(_, of)| of["name"] == package);
    let (root, about) = root.with_context(|| format!("there is no package {package}"))?;
    let mut open = vec![*root];
    let mut found = BTreeSet::new();
    while let Some(id) = open.pop() {
        if packages.get(id).is_some_and(|of| is_macro(of)) || !found.insert(id) {
            continue;
        }
        let node = nodes.get(id).context("cargo has not resolved a package")?;
        let runs = |of: &&Value| elements(&of["dep_kinds"]).any(|kind| kind["kind"].is_null());
        let needed = elements(&node["deps"]).filter(runs);
        open.extend(needed.filter_map(|of| of["pkg"].as_str()));
    }
    let parts: Vec<Value> = found
        .iter()
        .filter(|id| *id != root)
        .filter_map(|id| packages.get(id))
        .map(|of| part(of))
        .collect();
    Ok(json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"component": part(about)},
        "components": parts,
    }))
}

fn is_macro(package: &Value) -> bool {
    elements(&package["targets"])
        .any(|target| elements(&target["kind"]).any(|of| of == "proc-macro"))
}

fn part(of: &Value) -> Value {
    let (name, version) = (text(&of["name"]), text(&of["version"]));
    // Older manifests separate licences by `/`.
    let licence = text(&of["license"]).replace('/', " OR ");
    let mut part = json!({
        "type": "library", "name": name, "version": version,
        "licenses": [{"expression": licence}],
    });
    // The registry's package of the same name may have other content, as that of a replaced one has.
    if !of["source"].is_null() {
        part["purl"] = format!("pkg:cargo/{name}@{version}").into();
    }
    part
}

fn by_id(list: &Value) -> BTreeMap<&str, &Value> {
    elements(list)
        .filter_map(|of| Some((of["id"].as_str()?, of)))
        .collect()
}

fn elements(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_compiled_into_the_package_is_listed() {
        let package = |name: &str, kind: &str, source: Value| {
            json!({"id": name, "name": name, "version": "1.0.0", "license": "MIT/Zlib",
                "targets": [{"kind": [kind]}], "source": source})
        };
        let of_registry = |name: &str| package(name, "lib", "registry".into());
        let metadata = json!({
            "packages": [
                package("root", "cdylib", Value::Null), package("ours", "lib", Value::Null),
                package("macro", "proc-macro", "registry".into()),
                of_registry("used"), of_registry("below"), of_registry("build"), of_registry("of-macro")],
            "resolve": {"nodes": [
                {"id": "root", "deps": [
                    {"pkg": "used", "dep_kinds": [{"kind": "dev"}, {"kind": null}]},
                    {"pkg": "ours", "dep_kinds": [{"kind": null}]},
                    {"pkg": "macro", "dep_kinds": [{"kind": null}]},
                    {"pkg": "build", "dep_kinds": [{"kind": "build"}]}]},
                {"id": "used", "deps": [{"pkg": "below", "dep_kinds": [{"kind": null}]}]},
                {"id": "below", "deps": [{"pkg": "used", "dep_kinds": [{"kind": null}]}]},
                {"id": "ours", "deps": []},
                {"id": "macro", "deps": [{"pkg": "of-macro", "dep_kinds": [{"kind": null}]}]},
                {"id": "of-macro", "deps": []},
                {"id": "build", "deps": []}]},
        });
        let bom = bom(&metadata, "root").expect("a bill");
        let names: Vec<&str> = elements(&bom["components"])
            .map(|of| text(&of["name"]))
            .collect();
        assert_eq!(names, ["below", "ours", "used"]);
        assert_eq!(bom["metadata"]["component"]["name"], "root");
        let [below, ours, _] = [0, 1, 2].map(|at| &bom["components"][at]);
        assert_eq!(below["purl"], "pkg:cargo/below@1.0.0");
        assert_eq!(below["licenses"][0]["expression"], "MIT OR Zlib");
        assert!(ours["purl"].is_null());
        assert!(super::bom(&metadata, "other").is_err());
    }
}
