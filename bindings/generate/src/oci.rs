//! Components as OCI artifacts: a folder in the OCI image layout, which tools for registries of containers push.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use wit_component::DecodedWasm;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const COMPONENT: &str = "application/wasm";

/// The description of a component, which registries and hosts read without loading it.
const CONFIG: &str = "application/vnd.wasm.config.v0+json";

/// Equal components make equal artifacts.
const CREATED: &str = "1970-01-01T00:00:00Z";

/// Writes a layout with these components. The reference of each is its file's name without `.wasm`.
pub(crate) fn write(files: &[PathBuf], version: &str, out: &Path) -> Result<()> {
    let layout = Layout::new(out)?;
    let mut manifests = Vec::new();
    for file in files {
        let name = file.file_stem().and_then(|name| name.to_str());
        let name = name.with_context(|| format!("{} has no name", file.display()))?;
        let content = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let mut manifest = layout
            .artifact(&content, name, version)
            .with_context(|| format!("{} cannot be described", file.display()))?;
        manifest["annotations"] = json!({"org.opencontainers.image.ref.name": name});
        manifests.push(manifest);
    }
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
    layout.put("index.json", index.to_string().as_bytes())?;
    layout.put("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)
}

struct Layout<'a> {
    folder: &'a Path,
}

impl<'a> Layout<'a> {
    fn new(folder: &'a Path) -> Result<Self> {
        let blobs = folder.join("blobs/sha256");
        fs::create_dir_all(&blobs).with_context(|| format!("cannot make {}", blobs.display()))?;
        Ok(Self { folder })
    }

    /// Writes a component, its description and its manifest. Returns the descriptor of the manifest.
    fn artifact(&self, component: &[u8], name: &str, version: &str) -> Result<Value> {
        let layer = self.blob(component, COMPONENT)?;
        let (imports, exports) = interfaces(component)?;
        let config = json!({
            "created": CREATED, "architecture": "wasm", "os": "wasip2",
            "layerDigests": [layer["digest"]],
            "component": {"imports": imports, "exports": exports},
        });
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": self.blob(config.to_string().as_bytes(), CONFIG)?,
            "layers": [layer],
            "annotations": {
                "org.opencontainers.image.title": format!("{name}.wasm"),
                "org.opencontainers.image.version": version,
                "org.opencontainers.image.licenses": "Apache-2.0 WITH LLVM-exception",
            },
        });
        self.blob(manifest.to_string().as_bytes(), MANIFEST)
    }

    /// Writes a blob, and returns its descriptor.
    fn blob(&self, content: &[u8], media_type: &str) -> Result<Value> {
        let digest = Sha256::digest(content);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        self.put(&format!("blobs/sha256/{digest}"), content)?;
        Ok(
            json!({"mediaType": media_type, "digest": format!("sha256:{digest}"), "size": content.len()}),
        )
    }

    fn put(&self, name: &str, content: &[u8]) -> Result<()> {
        let file = self.folder.join(name);
        fs::write(&file, content).with_context(|| format!("cannot write {}", file.display()))
    }
}

/// Returns the names of everything that a component imports and exports.
fn interfaces(component: &[u8]) -> Result<(Vec<String>, Vec<String>)> {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(component)? else {
        bail!("this is a WIT package, not a component");
    };
    let world = resolve.worlds.get(world).context("it has no world")?;
    let names = |keys: Vec<_>| keys.iter().map(|key| resolve.name_world_key(key)).collect();
    Ok((
        names(world.imports.keys().cloned().collect()),
        names(world.exports.keys().cloned().collect()),
    ))
}
