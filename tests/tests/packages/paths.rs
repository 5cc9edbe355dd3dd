//! Paths of the builder in components. `cargo xtask reproduce` compares whole builds; this finds the usual reason for a
//! difference.

use std::path::Path;
use std::{env, fs};

use asyncio_streams_tests::folder;

use crate::COMPONENTS;

/// The folders of components in Rust that can print, and so contain places in their sources, for panics.
const IN_RUST: [&str; 2] = ["tests", "linked"];

/// The components there that cannot print: handlers of `serve.wasm`.
const SILENT: [&str; 6] = [
    "drop_handler.wasm",
    "peer_http.wasm",
    "serve_echo.wasm",
    "serve_given.wasm",
    "serve_leaving.wasm",
    "serve_orders.wasm",
];

#[test]
fn no_component_contains_a_path_of_its_builder() {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let checkout = checkout.canonicalize().expect("the checkout");
    let mut paths = vec![
        "registry/src/".to_owned(),
        ".rustup/".to_owned(),
        "/home/".to_owned(),
        "/Users/".to_owned(),
    ];
    // With its folders: that of the checkout alone may be as short as `/src`.
    let folders = ["bench", "bindings", "examples", "guest", "target", "tests"];
    paths.extend(folders.map(|folder| checkout.join(folder).display().to_string()));
    let homes = ["HOME", "CARGO_HOME"].map(env::var).into_iter().flatten();
    // With the separator: Go has a source `x509/root.go`.
    paths.extend(homes.map(|home| home + "/"));
    paths.retain(|path| path.len() > 1);
    let (mut files, mut open) = (0, vec![folder()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).expect("components") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                // The engine of JavaScript in these components is not built here: it has paths of its own builders.
                if !path.ends_with("js") {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|end| end == "wasm") {
                let found = found(&fs::read(&path).expect("a component"), &paths);
                assert!(found.is_none(), "{} contains {found:?}", path.display());
                files += 1;
            }
        }
    }
    assert!(files > COMPONENTS.len(), "only {files} components");
}

/// Without this, components that name no source at all would pass the test above for another reason.
#[test]
fn components_name_their_sources_by_relative_paths() {
    // The compiler writes `crates` for the folder into which cargo has unpacked dependencies.
    let dependency = ["crates/".to_owned()];
    for of in IN_RUST {
        for entry in fs::read_dir(folder().join(of)).expect("components") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str());
            let name = name.expect("a name in UTF-8");
            if name.ends_with(".wasm") {
                let bytes = fs::read(&path).expect("a component");
                let names_source = found(&bytes, &dependency).is_some();
                let is_silent = SILENT.contains(&name);
                assert_eq!(names_source, !is_silent, "{}", path.display());
            }
        }
    }
    let serve = fs::read(folder().join("serve.wasm")).expect("serve.wasm");
    assert!(found(&serve, &["guest/serve/src/".to_owned()]).is_some());
}

/// Returns the first of these texts that the bytes contain.
fn found<'a>(bytes: &[u8], texts: &'a [String]) -> Option<&'a str> {
    let content = String::from_utf8_lossy(bytes);
    let mut texts = texts.iter().map(String::as_str);
    texts.find(|text| content.contains(text))
}
