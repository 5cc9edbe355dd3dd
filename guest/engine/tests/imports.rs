//! Checks that the engine imports nothing that is generated from WIT: neither by its dependencies nor in its sources.

use std::fs;
use std::path::Path;
use std::process::Command;

/// The crates that bind to WIT, WASI or a host.
const FOREIGN: [&str; 7] = [
    "wit-bindgen",
    "wit-parser",
    "wit-component",
    "wasi",
    "wasip2",
    "wasip3",
    "wasmtime",
];

/// Returns the crates that the engine's library depends on, with these features.
fn dependencies(target: &str, features: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "--offline",
            "--package",
            "asyncio-streams-engine",
            "--edges",
            "normal",
        ])
        .args([
            "--features",
            features,
            "--prefix",
            "none",
            "--format",
            "{p}",
            "--target",
            target,
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let crates = text
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    crates.map(str::to_owned).collect()
}

#[test]
fn no_dependency_is_generated_from_wit() {
    // On WebAssembly, the cryptography gets its random numbers from a crate of guest/tls. It replaces the one that this
    // workspace would resolve.
    for (target, features) in [
        ("wasm32-wasip2", "testing"),
        ("x86_64-unknown-linux-gnu", "testing,tls"),
    ] {
        let all = dependencies(target, features);
        // An empty list would prove nothing.
        assert!(
            all.iter().any(|name| name == "asyncio-streams-core"),
            "{all:?}"
        );
        for name in &all {
            let foreign = FOREIGN
                .iter()
                .any(|one| name == one || name.starts_with(&format!("{one}-")));
            let bindings = name.starts_with("asyncio-streams-")
                && name != "asyncio-streams-core"
                && name != "asyncio-streams-engine";
            assert!(
                !foreign && !bindings,
                "the engine depends on {name} for {target}"
            );
        }
    }
}

#[test]
fn no_source_uses_bindings() {
    let mut sources = 0;
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            sources += 1;
            let text = fs::read_to_string(&path).expect("a source");
            for (number, line) in text.lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                for name in [
                    "bindings::",
                    "wit_bindgen",
                    "asyncio_streams_wasi",
                    "wasip2::",
                    "wasip3::",
                    "extern \"C\"",
                ] {
                    assert!(
                        !code.contains(name),
                        "{}:{}: {name}",
                        path.display(),
                        number + 1
                    );
                }
            }
        }
    }
    assert!(sources > 40, "only {sources} sources");
}
