//! The components as OCI artifacts in a registry of containers.

use std::fs;
use std::path::Path;

use asyncio_streams_tests::component;
use asyncio_streams_tests::debian::Found;
use asyncio_streams_tests::native::{NativeServer, output};
use serde_json::Value;

use crate::{COMPONENTS, DEADLINE, VERSION, made};

#[test]
fn components_are_pushed_to_a_registry_and_pulled_unchanged() {
    let (Some(registry), Some(skopeo)) = (
        Found::get("docker-registry", "docker-registry"),
        Found::get("skopeo", "skopeo"),
    ) else {
        return;
    };
    let Some((folder, archive)) = made("oci", &format!("asyncio-streams-{VERSION}.oci.tar")) else {
        return;
    };
    let server = NativeServer::start(|port| {
        let file = folder.path().join("registry.yml");
        let content = configuration(&folder.path().join("registry"), port);
        fs::write(&file, content).expect("a configuration");
        let mut command = registry.command();
        command.arg("serve").arg(file);
        command
    });
    for name in COMPONENTS {
        let there = format!("docker://{}/asyncio/{name}:{VERSION}", server.address());
        let mut push = skopeo.command();
        push.args(["--insecure-policy", "copy", "--quiet"]);
        push.arg("--dest-tls-verify=false");
        push.arg(format!("oci-archive:{}:{name}", archive.display()));
        output(push.arg(&there), DEADLINE).expect("a pushed component");

        let pulled = folder.path().join(format!("pulled-{name}"));
        let mut pull = skopeo.command();
        pull.args(["--insecure-policy", "copy", "--quiet"]);
        pull.args(["--src-tls-verify=false", &there]);
        pull.arg(format!("dir:{}", pulled.display()));
        output(&mut pull, DEADLINE).expect("a pulled component");
        check(&pulled, name);
    }
}

/// The configuration of a registry on the loopback interface, which stores in `folder`.
fn configuration(folder: &Path, port: u16) -> String {
    format!(
        "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:{port}\n",
        folder.display()
    )
}

/// Checks the manifest, the description and the bytes of a pulled component.
fn check(pulled: &Path, name: &str) {
    let read = |name: &str| fs::read(pulled.join(name)).expect("a pulled file");
    let blob = |of: &Value| {
        let digest = of["digest"].as_str().expect("a digest");
        read(digest.trim_start_matches("sha256:"))
    };
    let manifest: Value = serde_json::from_slice(&read("manifest.json")).expect("a manifest");
    let [layer] = manifest["layers"].as_array().expect("layers").as_slice() else {
        panic!("not one layer: {manifest}");
    };
    assert_eq!(layer["mediaType"], "application/wasm");
    assert!(blob(layer) == component(name), "{name} has other bytes");
    assert_eq!(
        manifest["config"]["mediaType"],
        "application/vnd.wasm.config.v0+json"
    );
    let annotations = &manifest["annotations"];
    assert_eq!(annotations["org.opencontainers.image.version"], VERSION);
    let config: Value = serde_json::from_slice(&blob(&manifest["config"])).expect("a description");
    assert_eq!(config["layerDigests"][0], layer["digest"]);
    let interfaces = |of: &str| -> Vec<&str> {
        let names = config["component"][of].as_array().expect("interfaces");
        names.iter().filter_map(Value::as_str).collect()
    };
    let has = |of: &str, interface: &str| {
        let names = interfaces(of);
        assert!(
            names.iter().any(|name| name.starts_with(interface)),
            "{name} {of} {names:?}, without {interface}"
        );
    };
    match name {
        "serve" => has("exports", "wasi:cli/run@"),
        "streams-p2" | "streams-p2-tls" => has("exports", "asyncio:streams/blocking@"),
        _ => has("exports", "asyncio:streams/streams@"),
    }
    has(
        "imports",
        if name == "serve" {
            "asyncio:streams/handler@"
        } else {
            "wasi:sockets/"
        },
    );
}
