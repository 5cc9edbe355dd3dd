//! The package for npm, as a program in Node uses it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use asyncio_streams_tests::component;
use asyncio_streams_tests::debian::Found;
use asyncio_streams_tests::native::output;

use crate::{COMPONENTS, DEADLINE, VERSION, made};

const REMEDY: &str = "install Node.js 18 or later with npm: Debian's packages nodejs and npm";

/// Imports the installed package. Prints each export with the name of its file; then the same files by the paths that
/// `exports` in package.json permits, and a file of the interface.
const USER: &str = r#"
import * as installed from "asyncio-streams";
import { basename } from "node:path";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const { resolve } = createRequire(import.meta.url);
for (const [name, url] of Object.entries(installed)) {
  const file = fileURLToPath(url);
  const direct = name === "wit" ? resolve("asyncio-streams/wit/streams.wit") : resolve(`asyncio-streams/${basename(file)}`);
  console.log(name, basename(file), existsSync(file), direct.startsWith(file));
}
console.log(basename(resolve("asyncio-streams/half_close.js")));
"#;

#[test]
fn a_program_in_node_finds_the_components_of_the_npm_package() {
    let (Some(npm), Some(node)) = (
        Found::on_path("npm", REMEDY),
        Found::on_path("node", REMEDY),
    ) else {
        return;
    };
    let Some((folder, tarball)) = made("npm", &format!("asyncio-streams-{VERSION}.tgz")) else {
        return;
    };
    let user = folder.path().join("user");
    fs::create_dir(&user).expect("a folder");
    fs::write(user.join("package.json"), r#"{"type": "module"}"#).expect("a manifest");
    fs::write(user.join("user.js"), USER).expect("a program");
    let mut install = npm.command();
    install.args(["install", "--silent", "--offline"]);
    install.args(["--no-audit", "--no-fund"]);
    install.arg("--cache").arg(folder.path().join("cache"));
    install.arg(tarball).current_dir(&user);
    output(&mut install, DEADLINE).expect("an installed package");

    let mut program = node.command();
    let said = output(program.arg("user.js").current_dir(&user), DEADLINE).expect("the program");
    let expected = "serve serve.wasm true true\n\
                    streams streams.wasm true true\n\
                    streamsP2 streams-p2.wasm true true\n\
                    streamsP2Tls streams-p2-tls.wasm true true\n\
                    streamsTls streams-tls.wasm true true\n\
                    streamsUnix streams-unix.wasm true true\n\
                    streamsUnixTls streams-unix-tls.wasm true true\n\
                    wit wit true true\n";
    assert_eq!(said, format!("{expected}half_close.js\n"));
    complete(&user.join("node_modules/asyncio-streams"), expected);
}

/// Checks the files of the installed package: the built components and the interface, a declaration for each export, a
/// licence and a description.
fn complete(installed: &Path, exports: &str) {
    let read = |name: &str| {
        fs::read(installed.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    for name in COMPONENTS {
        assert!(read(&format!("{name}.wasm")) == component(name), "{name}");
    }
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let same = |name: &str| {
        assert!(
            read(name) == fs::read(ours.join(name)).expect(name),
            "{name}"
        )
    };
    same("LICENSE");
    // For programs of WASI 0.2 on Node.
    let half_close = fs::read(ours.join("bindings/js/half_close.js")).expect("a module");
    assert!(read("half_close.js") == half_close, "half_close.js");
    same("wit/streams.wit");
    // A dependency of the interface that is a symbolic link here.
    same("wit/deps/io.wit");
    assert!(read("README.md").starts_with(b"# asyncio-streams\n"));

    let manifest: serde_json::Value =
        serde_json::from_slice(&read("package.json")).expect("a manifest");
    assert_eq!(manifest["version"], VERSION);
    let types = manifest["exports"]["."]["types"].as_str();
    let types = String::from_utf8(read(types.expect("typings"))).expect("text");
    let declared: BTreeSet<&str> = types
        .lines()
        .filter_map(|line| line.strip_prefix("export const ")?.strip_suffix(": URL;"))
        .collect();
    let exported: BTreeSet<&str> = exports
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(declared, exported);
}
