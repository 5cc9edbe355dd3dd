//! The core does no I/O: its WebAssembly module imports nothing.
//!
//! The test builds the module from `examples/imports.rs`, or uses an already built one if `CORE_MODULE` names it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use wasmparser::{Parser, Payload, Validator};

const TARGET: &str = "wasm32-unknown-unknown";

#[test]
fn the_module_imports_nothing() {
    let path = env::var_os("CORE_MODULE").map_or_else(build, PathBuf::from);
    let module = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Validator::new()
        .validate_all(&module)
        .expect("a valid module");

    let mut imports = Vec::new();
    let mut exports = Vec::new();
    let mut code = 0;
    for payload in Parser::new(0).parse_all(&module) {
        match payload.expect("a readable section") {
            Payload::ImportSection(section) => {
                imports.extend(
                    section
                        .into_imports()
                        .map(|import| format!("{:?}", import.expect("an import"))),
                );
            }
            Payload::ExportSection(section) => {
                exports.extend(
                    section
                        .into_iter()
                        .map(|export| export.expect("an export").name.to_owned()),
                );
            }
            Payload::CodeSectionEntry(body) => code += body.as_bytes().len(),
            _ => {}
        }
    }
    assert!(imports.is_empty(), "{imports:#?}");
    // An empty module imports nothing either.
    assert!(exports.iter().any(|name| name == "exercise"), "{exports:?}");
    assert!(code > 10_000, "only {code} bytes of code");
}

/// Builds the example into a separate folder: the usual one is locked while tests run.
fn build() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("imports");
    let status = Command::new(env!("CARGO"))
        .args([
            "build",
            "--release",
            "--target",
            TARGET,
            "--example",
            "imports",
            "--target-dir",
        ])
        .arg(&folder)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .expect("cargo starts");
    assert!(
        status.success(),
        "the example does not build; if {TARGET} is missing: rustup target add {TARGET}"
    );
    folder.join(TARGET).join("release/examples/imports.wasm")
}
