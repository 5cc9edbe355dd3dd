//! Bills of materials, from cargo's resolved dependencies.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

/// Lists the package and everything that it depends on at run time.
pub(crate) fn write(manifest: &Path, package: &str, target: &str, out: &Path) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--format-version", "1", "--locked"]);
    command.args(["--filter-platform", target, "--manifest-path"]);
    let output = command.arg(manifest).output().context("cannot run cargo")?;
    ensure!(
        output.status.success(),
        "`cargo metadata`: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let bom = bom(&serde_json::from_slice(&output.stdout)?, package)?;
    fs::write(out, serde_json::to_string_pretty(&bom)?)
        .with_context(|| format!("cannot write {}", out.display()))
}

fn bom(metadata: &Value, package: &str) -> Result<Value> {
    let packages = by_id(&metadata["packages"]);
    let nodes = by_id(&metadata["resolve"]["nodes"]);
    let root = packages.iter().find(|(_, of)| of["name"] == package);
    let (root, about) = root.with_context(|| format!("there is no package {package}"))?;
    let mut open = vec![*root];
    let mut found = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !found.insert(id) {
            continue;
        }
        let node = nodes.get(id).context("cargo has not resolved a package")?;
        let runs = |of: &&Value| elements(&of["dep_kinds"]).any(|kind| kind["kind"].is_null());
        let needed = elements(&node["deps"]).filter(runs);
        open.extend(needed.filter_map(|of| of["pkg"].as_str()));
    }
    let parts: Vec<Value> = found
        .iter()
        .filter_map(|id| packages.get(id))
        .map(|of| part(of))
        .collect();
    Ok(json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"component": part(about)},
        "components": parts,
    }))
}

fn part(of: &Value) -> Value {
    let (name, version) = (text(&of["name"]), text(&of["version"]));
    json!({
        "type": "library", "name": name, "version": version,
        "purl": format!("pkg:cargo/{name}@{version}"),
        "licenses": [{"expression": text(&of["license"])}],
    })
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
    fn only_what_is_needed_at_run_time_is_listed() {
        let package =
            |name: &str| json!({"id": name, "name": name, "version": "1.0.0", "license": "MIT"});
        let metadata = json!({
            "packages": [package("root"), package("used"), package("below"), package("build")],
            "resolve": {"nodes": [
                {"id": "root", "deps": [
                    {"pkg": "used", "dep_kinds": [{"kind": "dev"}, {"kind": null}]},
                    {"pkg": "build", "dep_kinds": [{"kind": "build"}]}]},
                {"id": "used", "deps": [{"pkg": "below", "dep_kinds": [{"kind": null}]}]},
                {"id": "below", "deps": [{"pkg": "used", "dep_kinds": [{"kind": null}]}]},
                {"id": "build", "deps": []}]},
        });
        let bom = bom(&metadata, "root").expect("a bill");
        let names: Vec<&str> = elements(&bom["components"])
            .map(|of| text(&of["name"]))
            .collect();
        assert_eq!(names, ["below", "root", "used"]);
        assert_eq!(bom["components"][0]["purl"], "pkg:cargo/below@1.0.0");
        assert!(super::bom(&metadata, "other").is_err());
    }
}
